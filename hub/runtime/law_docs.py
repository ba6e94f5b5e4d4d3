"""docs/legal-basis.md, made from the statutes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from hub.law.statute import Statute, Statutes

_HEAD: Final = """\
# Legal basis
<!-- Made by `make reference`; edit hub/law/statutes.yaml instead. -->

What Danish law lets the hub keep and disclose, and what it does with each provision. **An
engineering summary in our own words, not legal advice**: entries marked *to be confirmed* wait for
the organisation's own lawyers.

Every delivery and every audit row of a disclosure names its basis: `consent/<id>` for the citizen's
consent, `own-right` for the citizen's own copy, `own-record` and `plan-record` for what a unit may
see of its own records, or the code of a statute below. A statute that is not in force on the day,
as Danish clocks have it, carries nothing.

- **The shared plan** leaves on the citizen's consent only, and only while a statute that lets a
  consent carry it is in force.
- **A statute carries only its own document**, only to the units it names, and never a part of the
  shared plan. Where the citizen has a right to object, a recorded no to the receiver has the last
  word.
- **A no is kept** and overrides every yes until it is taken back; no answer is a no.
- **A consent lapses** {days} days after it was given at the latest, and earlier if it says so.
- **Who decides for a citizen**: a guardian under værgemålsloven § 5 whose guardianship covers
  personal matters, or the holder of a fremtidsfuldmagt in force that covers them. Guardianship
  under § 6 or co-guardianship under § 7 gives no say. For citizens under 18: [people](people.md).
"""
_USES: Final = {
    "consent": "together with the citizen's consent",
    "keeping": "the hub keeps the document; nobody but its owner gets it on this provision",
    "delivery": "the document may go to others",
    "look-up": "may be shown to who looks it up, never sent",
    "none": "the hub does nothing on it",
}
_TO: Final = {
    "named-in-consent": "the units that the consent names",
    "parties-of-the-document": "the units that the document itself names as its parties",
    "nobody": "nobody",
}


def legal_basis_page(law: Statutes) -> str:
    """Markdown; the same statutes give the same bytes."""
    parts = [_HEAD.format(days=law.consent_days)]
    for statute in law:
        parts += _section(statute)
    return "\n".join(parts)


def _section(statute: Statute) -> Iterator[str]:
    yield f"## {statute.law.capitalize()} {statute.paragraph}"
    yield f"*{statute.title['da']}*. {statute.title['en']}."
    yield ""
    yield f"> {statute.text['da']}"
    yield ""
    yield statute.text["en"]
    yield ""
    yield "| | |"
    yield "|---|---|"
    for name, value in _rows(statute):
        yield f"| {name} | {value} |"
    yield ""


def _rows(statute: Statute) -> Iterator[tuple[str, str]]:
    yield "Code", f"`{statute.id}`"
    yield "Used", _USES[statute.use]
    yield "Documents", _listed(statute.carries) or "none"
    yield "From", _listed(statute.from_kinds) or "nobody"
    only = f", of the kinds {_listed(statute.to_kinds)}" if statute.to_kinds else ""
    yield "To", _TO[statute.to] + only
    yield "Purpose", statute.purpose["en"]
    yield "The citizen's no", "has the last word" if statute.objection_beats_it else "–"
    end = statute.valid_until.isoformat() if statute.valid_until else "no end known"
    yield "In force", f"{statute.valid_from.isoformat()} – {end}"
    if statute.consent_days is not None:
        yield "A consent lapses after", f"{statute.consent_days} days"
    yield "Source", statute.source
    yield (
        "Confirmed",
        "to be confirmed by the organisation's lawyers" if (statute.to_be_confirmed) else "yes",
    )


def _listed(codes: frozenset[str]) -> str:
    return ", ".join(f"`{c}`" for c in sorted(codes))

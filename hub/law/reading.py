"""The statutes file. Strict, every slip told by its place: one would be a wrong disclosure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final, get_args

import yaml

from hub.errors import Invalid
from hub.law.statute import Statute, Statutes, To, Use

_LANGUAGES: Final = ("da", "en")
_REQUIRED: Final = frozenset(
    {
        "id", "law", "paragraph", "title", "text", "use", "from_kinds", "to", "carries", "purpose",
        "valid_from", "to_be_confirmed", "source",
    }
)  # fmt: skip
_OPTIONAL: Final = frozenset({"to_kinds", "valid_until", "consent_days", "objection_beats_it"})
_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]*")


def read_statutes(text: str, *, name: str = "statutes") -> Statutes:
    """The file's statutes; raises Invalid with the place of the first slip."""
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError:
        raise Invalid(f"{name}: not YAML") from None
    rows = content.get("statutes") if isinstance(content, Mapping) else None
    if not isinstance(rows, list) or not rows or set(content) != {"statutes"}:
        raise Invalid(f"{name}: expected one list, statutes")
    found = tuple(_statute(row, f"{name}, statutes[{i}]") for i, row in enumerate(rows))
    for slip in _together(found):
        raise Invalid(f"{name}: {slip}")
    return Statutes(found)


def _statute(row: Any, place: str) -> Statute:
    if not isinstance(row, Mapping):
        raise Invalid(f"{place}: expected keys and values")
    for slip in _slips(row):
        raise Invalid(f"{place}.{slip}")
    return Statute(
        id=row["id"],
        law=row["law"],
        paragraph=row["paragraph"],
        title=row["title"],
        text=row["text"],
        use=row["use"],
        from_kinds=frozenset(row["from_kinds"]),
        to=row["to"],
        to_kinds=frozenset(row.get("to_kinds", ())),
        carries=frozenset(row["carries"]),
        purpose=row["purpose"],
        valid_from=row["valid_from"],
        valid_until=row.get("valid_until"),
        consent_days=row.get("consent_days"),
        objection_beats_it=row.get("objection_beats_it", False),
        to_be_confirmed=row["to_be_confirmed"],
        source=row["source"],
    )


def _slips(row: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted(_REQUIRED - set(row)):
        yield f"{key}: is missing"
    for key in sorted(set(row) - _REQUIRED - _OPTIONAL):
        yield f"{key}: not a key of a statute"
    yield from _forms(row)
    if row["use"] == "delivery" and row["to"] != "parties-of-the-document":
        yield "to: a statute sends only to the document's own parties"
    if row["use"] in {"delivery", "look-up", "keeping"} and "shared" in row["carries"]:
        yield "carries: the shared plan leaves on the citizen's consent only"
    end = row.get("valid_until")
    if end is not None and end < row["valid_from"]:
        yield "valid_until: before valid_from"


def _forms(row: Mapping[str, Any]) -> Iterator[str]:
    for key in ("law", "paragraph", "source", "id"):
        if not isinstance(row[key], str) or not row[key].strip():
            yield f"{key}: expected text"
    if not _SLUG.fullmatch(str(row["id"])):
        yield "id: small letters, digits and hyphens"
    for key in ("title", "text", "purpose"):
        found = row[key]
        if not isinstance(found, Mapping) or set(found) != set(_LANGUAGES):
            yield f"{key}: give da and en"
    for key in ("from_kinds", "to_kinds", "carries"):
        found = row.get(key, [])
        if not isinstance(found, list) or not all(_SLUG.fullmatch(str(x)) for x in found):
            yield f"{key}: expected a list of codes"
    yield from _codes_and_days(row)


def _codes_and_days(row: Mapping[str, Any]) -> Iterator[str]:
    for key, allowed in (("use", get_args(Use)), ("to", get_args(To))):
        if row[key] not in allowed:
            yield f"{key}: one of: {', '.join(allowed)}"
    for key in ("valid_from", "valid_until"):
        # A datetime is a date, too; the file has days.
        if row.get(key) is not None and type(row[key]) is not date:
            yield f"{key}: expected a day, YYYY-MM-DD"
    for key in ("to_be_confirmed", "objection_beats_it"):
        if not isinstance(row.get(key, False), bool):
            yield f"{key}: true or false"
    days = row.get("consent_days")
    if days is not None and (type(days) is not int or not 1 <= days <= 366):
        yield "consent_days: whole days, 366 at most"


def _together(found: tuple[Statute, ...]) -> Iterator[str]:
    """What is wrong with several of them together."""
    ids = [s.id for s in found]
    for twice in sorted({i for i in ids if ids.count(i) > 1}):
        yield f"the id {twice} is used twice"
    for use in ("keeping", "delivery", "look-up"):
        carried = [kind for s in found if s.use == use for kind in s.carries]
        for kind in sorted({k for k in carried if carried.count(k) > 1}):
            yield f"two statutes carry a {kind} for {use}; say it with one"
    if not any(s.consent_days for s in found):
        yield "no statute says when a consent lapses (consent_days)"

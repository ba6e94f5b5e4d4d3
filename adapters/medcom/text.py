"""The plan's essentials as plain Danish text, for a receiver who cannot open the PDF.

Lines follow ``mappings/medcom-carecommunication/text.yaml``. Every text from the plan stands on
lines of its own: its own line breaks are kept, indented, so that no text of the plan can pass for
one of these headings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from adapters.medcom.narrative import clean
from hub.contract import PlanView, Resource
from hub.fhir.reading import PlanReader
from hub.fhir.words import Contact, Intervention, NextMeeting

INDENT: Final = "   "
LINES: Final = (
    "Tovholder", "Mål", "Aftalte indsatser", "Næste møde",
    "Ansvarlig", "Tid", "Mål nr.", "Sted", "Indkalder",
)  # fmt: skip
"""How the lines begin that hold something of the plan."""
_LEAD, _GOALS, _INTERVENTIONS, _MEETING, _WHO, _WHEN, _SERVES, _PLACE, _CONVENER = LINES
_DATE: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_DATES: Final = re.compile(rf"{_DATE.pattern}( – {_DATE.pattern})?")


@dataclass(frozen=True)
class Lead:
    """The plan's lead as a message's author."""

    given: tuple[str, ...]
    family: str
    title: str
    unit: str
    phone: str
    """As written; empty if there is none."""
    reference: str

    @property
    def name(self) -> str:
        """Given and family name on one line."""
        return " ".join((*self.given, self.family)).strip()


def lead_of(reader: PlanReader) -> Lead:
    """The lead: the care team's, else the plan's author. Names may be empty, never invented."""
    found = next((c for c in reader.contacts() if "lead" in c.roles), None) or _author(reader)
    given, family = _name(reader, found)
    return Lead(
        given, family, clean(found.title), clean(found.unit), clean(found.phone or ""),
        found.reference,
    )  # fmt: skip


def split_name(spoken: str) -> tuple[tuple[str, ...], str]:
    """Given names and family name: the last word is the family name, as on a Danish form."""
    words = clean(spoken).split()
    return (tuple(words[:-1]), words[-1]) if words else ((), "")


def plan_text(view: PlanView, reader: PlanReader, lead: Lead) -> str:
    """The message's text segment: what the copy is, lead, goals, interventions, next meeting."""
    lines = [
        f"Kopi af den koordinerende indsatsplan, version {view.version}, til orientering.",
        "Hele planen er vedhæftet som PDF.",
        _approval(view),
        "Beskeden er ikke til akutte forhold: ring i så fald til tovholderen.",
        "",
        *_block(f"{_LEAD}:", [_lead_line(lead)]),
        "",
        *_block(f"{_GOALS}:", [f"{g.rank}. {_item(g.text)}" for g in reader.goals()]),
        "",
        *_block(f"{_INTERVENTIONS}:", [_intervention(i) for i in reader.interventions()]),
        "",
        *_block(f"{_MEETING}:", list(_meeting(reader.next_meeting()))),
    ]
    return "\n".join(lines)


def notice_text(spoken: str) -> str:
    """A notice's text segment."""
    return "\n".join(["Meddelelse om en koordinerende indsatsplan.", "", _item(spoken)])


def _approval(view: PlanView) -> str:
    if view.approved:
        return "Borgeren har godkendt denne version."
    return "Borgerens godkendelse af denne version er ikke registreret."


def _block(heading: str, items: list[str]) -> list[str]:
    return [heading, *(f"{INDENT}{i}" for i in items or ["(ikke angivet)"])]


def _item(spoken: str) -> str:
    """A text of the plan, its further lines indented."""
    return f"\n{INDENT}{INDENT}".join(clean(spoken).strip().split("\n"))


def _lead_line(lead: Lead) -> str:
    unit = [lead.title, lead.unit, f"tlf. {lead.phone}" if lead.phone else ""]
    return _item(", ".join(x for x in (lead.name, *unit) if x))


def _intervention(intervention: Intervention) -> str:
    goals = ", ".join(str(g) for g in intervention.goals)
    who = ", ".join(p for p in intervention.performers if p)
    lines = [
        f"{intervention.rank}. {_item(intervention.text)}",
        f"{_WHO}: {_item(who) or '(ikke angivet)'}",
        f"{_WHEN}: {_item(_danish(intervention.time)) or '(ikke angivet)'}",
    ]
    if goals:
        lines.append(f"{_SERVES}: {goals}")
    return f"\n{INDENT}{INDENT}".join(lines)


def _meeting(meeting: NextMeeting | None) -> Iterator[str]:
    if meeting is None:
        return
    dates = " – ".join(d for d in (meeting.earliest, meeting.latest) if d)
    when = _item(meeting.time or _danish(dates))
    if when:
        yield f"{_WHEN}: {when}"
    if meeting.place:
        yield f"{_PLACE}: {_item(meeting.place)}"
    for convener in meeting.conveners:
        limits = [
            f"fra {_danish(convener.since)}" if convener.since else "",
            f"til {_danish(convener.until)}" if convener.until else "",
        ]
        yield f"{_CONVENER}: {_item(' '.join(x for x in (convener.who, *limits) if x))}"


def _danish(spoken: str) -> str:
    """A date, or two with a dash, as Danish dates; everything else as written."""
    if not _DATES.fullmatch(spoken):
        return spoken
    return _DATE.sub(lambda m: f"{m[3]}.{m[2]}.{m[1]}", spoken)


def _author(reader: PlanReader) -> Contact:
    reference = str(reader.plan.get("author", {}).get("reference", ""))
    role = reader.at(reference)
    unit = reader.at(role.get("organization", {}).get("reference"))
    phones = [t.get("value", "") for t in role.get("telecom", ()) if t.get("system") == "phone"]
    codes = role.get("code", ())
    return Contact(
        roles=("lead",),
        name=reader.name_of(reference),
        title=" ".join(c.get("text", "") for c in codes) if isinstance(codes, list) else "",
        unit=str(unit.get("name", "")),
        phone=phones[0] if phones else None,
        email=None,
        reference=reference,
        organization=None,
    )


def _name(reader: PlanReader, contact: Contact) -> tuple[tuple[str, ...], str]:
    role = reader.at(contact.reference)
    if role.get("resourceType") == "PractitionerRole" and not role.get("practitioner"):
        # A function without a person: its title is no name.
        return (), ""
    person: Resource = role
    if role.get("resourceType") == "PractitionerRole":
        person = reader.at(role["practitioner"].get("reference"))
    for name in person.get("name", ()):
        if name.get("family") and name.get("given"):
            return tuple(clean(g) for g in name["given"]), clean(name["family"])
    # "Name, title" is how some systems write a display.
    return split_name((reader.name_of(contact.reference) or contact.name).split(",")[0])

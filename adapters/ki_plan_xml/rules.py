"""The format's rules that neither the schema nor a table row can say; paths, never values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapters.ki_plan_xml.document import PATH
from adapters.ki_plan_xml.reading import Reader
from adapters.ki_plan_xml.scope import Record
from hub.contract import Loss
from hub.errors import Invalid, Issue
from hub.mapping.paths import counted_from, leaves

UNIT_NUMBERS: Final = (
    "SORIdentifier", "LocalUnitIdentifier", "GLNIdentifier", "ProviderIdentifier",
)  # fmt: skip
"""What names one unit, in the order in which it is asked for."""

_NUMBERS: Final = (
    "PersonCivilRegistrationIdentifier",
    "NationalReplacementIdentifier",
    "RegionalReplacementIdentifier",
)
_NAMED: Final = {"ActorReferenceIdentifier", "ParticipantName", "RoleCode"}
"""R4 Appointment, app-1: someone, or someone in a role."""
_ASKED_FOR: Final = (
    ("Challenges", "Challenge", "The plan has no challenge; the template asks for at least one"),
    ("Goals", "Goal", "The plan has no goal; the template asks for at least one"),
    (
        "Interventions",
        "Intervention",
        "The plan has no intervention; the template asks for at least one",
    ),
)
_APPROVAL: Final = "an approval is a record of its own; register it in the hub"


def check(reader: Reader) -> None:
    """Raise Invalid with every broken rule."""
    content = reader.content
    issues = (
        *_header(content),
        *_citizen(content),
        *_lead(reader),
        *_ranks(content),
        *_sections(content),
        *_references(reader),
    )
    if issues:
        raise Invalid(f"The document breaks {len(issues)} rule(s)", issues=issues)


def approval_losses(content: Record) -> list[Loss]:
    """What the document prints of the citizen's approval, none of which is read."""
    approval = content.get("Approval")
    if not isinstance(approval, Mapping):
        return []
    return [
        Loss(f"{PATH}/Approval/{counted_from(place, 1)}", "dropped", _APPROVAL)
        for place, _ in leaves(approval)
        if place != "ApprovedIndicator"
    ]


def leads(reader: Reader) -> list[tuple[str, Record, str]]:
    """Element name, record and path of every contact that is the lead, once per membership."""
    return [
        (kind, record, at)
        for kind, record, at in reader.contacts
        for membership in record.get("Membership", ())
        if membership and "tovholder" in membership.get("RoleCode", ())
    ]


def unit_numbers(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The element names and values that name one unit."""
    return [(name, str(record[name])) for name in UNIT_NUMBERS if record.get(name)]


def unit_of(content: Record, record: Record) -> Record:
    """The unit that a contact works in, or an empty record."""
    wanted = record.get("UnitReferenceIdentifier")
    found = members(content, "Units", "Unit")
    return next((u for u in found if wanted and u.get("UnitIdentifier") == wanted), {})


def members(content: Record, group: str, name: str) -> list[Record]:
    """The items of a group such as Goals/Goal, in order."""
    found = content.get(group)
    return list(found.get(name, ())) if isinstance(found, Mapping) else []


def _header(content: Record) -> Iterator[Issue]:
    header = content["MessageHeader"]
    if not header.get("CaseIdentifier") and not header.get("SharedPlanIdentifier"):
        text = "Give your own case id, or the hub's plan id: one of them finds the plan"
        yield Issue("error", "required", text, f"{PATH}/MessageHeader/CaseIdentifier")
    sender = header.get("Sender")
    if sender is not None and not (isinstance(sender, Mapping) and unit_numbers(sender)):
        text = "Name the sending unit by one of its numbers, or leave the element out"
        yield Issue("error", "required", text, f"{PATH}/MessageHeader/Sender")


def _citizen(content: Record) -> Iterator[Issue]:
    citizen = content["Citizen"]
    given = citizen if isinstance(citizen, Mapping) else {}
    if not any(given.get(name) for name in _NUMBERS):
        text = "A citizen has a CPR number, X-eCPR or D-eCPR"
        yield Issue("error", "required", text, f"{PATH}/Citizen")
    if not any(given.get(n) for n in ("PersonName", "PersonSurnameName", "PersonGivenName")):
        yield Issue("error", "required", "Give the citizen's name", f"{PATH}/Citizen/PersonName")


def _lead(reader: Reader) -> Iterator[Issue]:
    """Exactly one tovholder: one function in one unit."""
    at = f"{PATH}/Contacts"
    found = leads(reader)
    if len(found) != 1:
        text = f"Exactly one contact is the lead (tovholder), not {len(found)}"
        yield Issue("error", "business-rule", text, at)
        return
    kind, record, place = found[0]
    if kind != "ProfessionalContact":
        text = "The lead is one function in one unit: a ProfessionalContact"
        yield Issue("error", "business-rule", text, place)
        return
    if not unit_numbers(unit_of(reader.content, record)):
        text = "Name the lead's unit by SOR, GLN, ydernummer or the hub's name for it"
        yield Issue("error", "required", text, f"{place}/UnitReferenceIdentifier")


def _ranks(content: Record) -> Iterator[Issue]:
    """The lists are strictly ordered."""
    for group, name in (
        ("Challenges", "Challenge"),
        ("Goals", "Goal"),
        ("Interventions", "Intervention"),
    ):
        given = [
            int(item.get("RankNumber") or place)
            for place, item in enumerate(members(content, group, name), 1)
        ]
        if len(set(given)) != len(given):
            text = "Two items have the same rank; rank all of them, or none (order then counts)"
            yield Issue("error", "business-rule", text, f"{PATH}/{group}")


def _sections(content: Record) -> Iterator[Issue]:
    for number, meeting in enumerate(members(content, "Meetings", "Meeting"), 1):
        if not meeting.get("MeetingDate") and not meeting.get("StartDateTime"):
            text = "Give the meeting's date"
            place = f"{PATH}/Meetings/Meeting[{number}]/MeetingDate"
            yield Issue("error", "required", text, place)
        for who, participant in enumerate(meeting.get("Participant", ()), 1):
            if not set(participant) & _NAMED:
                place = f"{PATH}/Meetings/Meeting[{number}]/Participant[{who}]/ParticipantName"
                yield Issue("error", "required", "Say who it is", place)
    for number, note in enumerate(members(content, "StatusNotes", "StatusNote"), 1):
        if not note.get("ActorName"):
            place = f"{PATH}/StatusNotes/StatusNote[{number}]/ActorName"
            yield Issue("error", "required", "Say whose words these are", place)
    for number, item in enumerate(members(content, "Interventions", "Intervention"), 1):
        place = f"{PATH}/Interventions/Intervention[{number}]"
        if not item.get("InterventionText") and not item.get("InterventionTypeText"):
            yield Issue("error", "required", "Say what is done", f"{place}/InterventionText")
        yield from _period(item, place)
    registration = content.get("Registration")
    if isinstance(registration, Mapping):
        yield from _period(registration, f"{PATH}/Registration")
    following = content.get("NextMeeting")
    if isinstance(following, Mapping) and not (
        following.get("TimeText") or following.get("LatestDate")
    ):
        text = "Say when: in the plan's own words, as a latest date, or both"
        yield Issue("error", "required", text, f"{PATH}/NextMeeting/TimeText")


def _references(reader: Reader) -> Iterator[Issue]:
    """R4 says who may be what: a person convenes, a unit does not attend."""
    content = reader.content
    professionals = {
        r["ContactIdentifier"]
        for kind, r, _ in reader.contacts
        if kind == "ProfessionalContact" and r.get("ContactIdentifier")
    }
    units = {u.get("UnitIdentifier") for u in members(content, "Units", "Unit")}
    for number, record in enumerate(content["Citizen"].get("GeneralPractitioner", ()), 1):
        if record["ActorReferenceIdentifier"] not in professionals | units:
            place = f"{PATH}/Citizen/GeneralPractitioner[{number}]"
            yield Issue("error", "value", "Refer to a professional or a unit", place)
    for number, record in enumerate(members(content, "NextMeeting", "Convener"), 1):
        who = record.get("ActorReferenceIdentifier")
        if who and who not in professionals:
            place = f"{PATH}/NextMeeting/Convener[{number}]/ActorReferenceIdentifier"
            yield Issue("error", "value", "Refer to a professional, or give the name alone", place)
    for number, meeting in enumerate(members(content, "Meetings", "Meeting"), 1):
        for which, record in enumerate(meeting.get("Participant", ()), 1):
            if record.get("ActorReferenceIdentifier") in units:
                place = f"{PATH}/Meetings/Meeting[{number}]/Participant[{which}]"
                text = "A unit does not attend; refer to a person, or give the name alone"
                yield Issue("error", "value", text, f"{place}/ActorReferenceIdentifier")


def _period(item: Mapping[str, Any], at: str) -> Iterator[Issue]:
    start, end = item.get("PeriodStartDate", ""), item.get("PeriodEndDate", "")
    # Dates of different precision are compared as far as both are given.
    shared = min(len(start), len(end), 10)
    if shared and end[:shared] < start[:shared]:
        yield Issue("error", "invariant", "The period ends before it starts", f"{at}/PeriodEndDate")


def warnings(reader: Reader) -> tuple[Issue, ...]:
    """What the lead should know about a plan that is accepted all the same."""
    return tuple(_completeness(reader.content)) + tuple(_telephones(reader))


def _completeness(content: Record) -> Iterator[Issue]:
    for group, name, text in _ASKED_FOR:
        if not members(content, group, name):
            yield Issue("warning", "business-rule", text, f"{PATH}/{group}")
    if not content.get("NextMeeting"):
        text = "No next meeting is agreed"
        yield Issue("warning", "business-rule", text, f"{PATH}/NextMeeting")
    if content["Citizen"].get("ConsentText"):
        text = "A consent printed on the plan permits nothing by itself; register the consent"
        yield Issue("information", "informational", text, f"{PATH}/Citizen/ConsentText")
    if approval_losses(content):
        text = "An approval printed on the plan is not read; register the approval"
        yield Issue("warning", "not-supported", text, f"{PATH}/Approval")


def _telephones(reader: Reader) -> Iterator[Issue]:
    for kind, record, at in reader.contacts:
        if kind in {"ProfessionalContact", "RelativeContact"} and not any(
            record.get("TelephoneNumberIdentifier", ())
        ):
            text = "Telefon mangler: the contact has no telephone number"
            place = f"{at}/TelephoneNumberIdentifier"
            yield Issue("information", "business-rule", text, place)

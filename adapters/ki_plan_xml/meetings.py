"""The meeting (C), the next one and the postscripts (H), both ways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from adapters.ki_plan_xml.scope import Incoming, Outgoing, Record, filled, identifier
from hub.contract import Resource
from hub.fhir import names
from hub.fhir.extract import extension_value, extensions

_UNKNOWN: Final = {"extension": [{"url": names.DATA_ABSENT, "valueCode": "unknown"}]}


def read_meeting(incoming: Incoming, record: Record, at: str) -> str:
    """An Appointment; an hour that is not known is said to be unknown."""
    day = record.get("MeetingDate") or record.get("StartDateTime", "")
    made = incoming.resource("meeting", record, at, "MeetingIdentifier", day)
    for name in ("start", "end"):
        if name not in made:
            made[f"_{name}"] = _UNKNOWN
    made["participant"] = [
        _participant(incoming, p, f"{at}/Participant[{i}]")
        for i, p in enumerate(record.get("Participant", ()), 1)
    ]
    return incoming.add(made)


def _participant(incoming: Incoming, record: Record, at: str) -> dict[str, Any]:
    made = incoming.element("participant", record, at)
    actor = incoming.link(record) | made.pop("actor", {})
    return made | ({"actor": actor} if actor else {})


def written_meeting(outgoing: Outgoing, meeting: Resource) -> Record:
    """The meeting with everyone who was asked."""
    participants = [
        outgoing.record("participant", _in_roles(p, "type"))
        | filled(ActorReferenceIdentifier=outgoing.actor(p.get("actor", {}).get("reference")))
        for p in meeting.get("participant", ())
    ]
    record = outgoing.record("meeting", meeting)
    return record | filled(MeetingIdentifier=identifier(meeting["id"]), Participant=participants)


def read_membership(incoming: Incoming, record: Record, at: str) -> dict[str, Any]:
    """A CareTeam.participant without its member."""
    return incoming.element("membership", record, at)


def written_membership(outgoing: Outgoing, participant: Mapping[str, Any]) -> Record:
    """The membership."""
    return outgoing.record("membership", _in_roles(participant, "role"))


def _in_roles(participant: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The participant with roles of the KI-plan only; others have no place in the template."""
    roles = [
        {"coding": [own]}
        for concept in participant.get(name, ())
        for own in concept.get("coding", ())
        if own.get("system") == names.ROLE
    ]
    return dict(participant) | {name: roles}


def read_conveners(incoming: Incoming, records: list[Record], at: str) -> list[dict[str, Any]]:
    """The conveners as extensions of the next meeting."""
    found = []
    for number, record in enumerate(records, 1):
        parts = incoming.element("convener", record, f"{at}/Convener[{number}]").get(
            "extension", []
        )
        link = incoming.link(record)
        role = [{"url": "role", "valueReference": link}] if link else []
        named = [p for p in parts if p["url"] == "who"]
        found.append(
            {"url": "convener", "extension": [*named, *role, *(p for p in parts if p not in named)]}
        )
    return found


def written_conveners(outgoing: Outgoing, plan: Resource) -> list[Record]:
    """Who calls the next meeting."""
    return [
        outgoing.record("convener", convener)
        | filled(ActorReferenceIdentifier=_role(outgoing, convener))
        for meeting in extensions(plan, names.NEXT_MEETING)
        for convener in extensions(meeting, "convener")
    ]


def _role(outgoing: Outgoing, convener: Mapping[str, Any]) -> str | None:
    link = extension_value(convener, "role") or {}
    return outgoing.actor(link.get("reference"))

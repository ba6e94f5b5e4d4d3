"""The thread of (plan, receiver, sender): what the next message must repeat, and whether it may.

A reply repeats the earlier text segments, names the earlier attachments without their content,
and carries every earlier Provenance unchanged (CareCommunication 5.0.4, send protocol 5.0.2). The
state is made from the thread's latest message alone, whoever sent it, so that only the latest
message is ever replied to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from adapters.medcom import urls
from adapters.medcom.message import Message, extension, members, part, short, text
from adapters.medcom.parts import reference, sor_of
from hub.contract import Resource

MOST_ATTACHMENTS: Final = 9
"""While messages are converted to older standards on the way, ten is the most they carry; a
thread ends before its tenth."""
_KEPT: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "Organization": (urls.ORGANIZATION, ("identifier", "name")),
    "Practitioner": (urls.PRACTITIONER, ("name",)),
    "PractitionerRole": (urls.PRACTITIONER_ROLE, ("practitioner", "organization", "code")),
    "CareTeam": (urls.CARE_TEAM, ("name", "managingOrganization")),
    "Encounter": (
        urls.ENCOUNTER, ("status", "class", "subject", "serviceProvider", "episodeOfCare"),
    ),
}  # fmt: skip
"""What is repeated of the people and units around earlier segments."""
_EXTENSIONS: Final = frozenset({urls.DATE, urls.IDENTIFIER, urls.AUTHOR, urls.CONTACT})
_SHOWN: Final = ("contentType", "title", "creation")
"""Of an earlier attachment; its content and its link are not sent again."""
_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")


@dataclass(frozen=True)
class Thread:
    """A thread that can be continued."""

    communication: str
    """Communication.identifier: the thread's key."""
    message: str
    """MessageHeader.id of its latest message."""
    patient: str
    identifiers: list[dict[str, Any]]
    """Every number of the citizen that was received or sent in the thread."""
    payloads: list[dict[str, Any]]
    resources: list[Resource]
    addressee: dict[str, str] | None
    """The latest message's specific sender, if the other side sent it."""
    encounter: dict[str, str] | None
    """With an episode of care, which every later message names."""

    def unit(self, sor: str) -> str | None:
        """The id that the unit has in the thread."""
        units = (r for r in self.resources if r["resourceType"] == "Organization")
        return next((u["id"] for u in units if sor_of(u) == sor), None)

    def same(self, resource: Resource) -> Resource | None:
        """The resource of the thread that says the same, under its own id."""
        wanted = resource | {"id": ""}
        return next((r for r in self.resources if r | {"id": ""} == wanted), None)


def state_of(message: Message, *, ours: str) -> dict[str, Any] | None:
    """The thread's state after this message, as plain JSON; ``ours`` is the SOR code that the
    hub's side has in it. None where the message has ids that cannot be repeated."""
    resources = [r for r in map(_kept, message.resources) if r is not None]
    patients = message.of_type("Patient")
    if not all(_ID.fullmatch(str(r.get("id"))) for r in [*resources, *patients]):
        return None
    communication, header = message.communication, message.header
    sender, receiver = message.resolve(header.get("sender")), _receiver(message)
    from_us = sor_of(sender) == ours
    specific = extension(communication, urls.SENDER)
    addressee = None if from_us or not specific else _short(specific[0].get("valueReference"))
    return {
        "communication": text(members(communication.get("identifier"))[0], "value"),
        "message": text(header, "id"),
        "sender": ours,
        "receiver": sor_of(receiver if from_us else sender),
        "patient": patients[0]["id"],
        "identifiers": members(patients[0].get("identifier")),
        "payloads": [_named(p) for p in members(communication.get("payload"))],
        "resources": resources,
        "addressee": addressee,
        "encounter": _short(communication.get("encounter")),
    }


def to_continue(
    state: Mapping[str, Any] | None, *, may_repeat: bool, sender: str, receiver: str
) -> Thread | None:
    """The thread to reply in; None where a new one must begin.

    A new one begins when the earlier text may not be repeated or its last message is not
    acknowledged (``may_repeat``), when a SOR code changed, and before the tenth attachment.
    """
    if not may_repeat or state is None or not members(state.get("payloads")):
        return None
    if (text(state, "sender"), text(state, "receiver")) != (sender, receiver):
        return None
    if sum("contentAttachment" in p for p in state["payloads"]) >= MOST_ATTACHMENTS:
        return None
    wanted = Thread.__dataclass_fields__
    return Thread(**{name: state[name] for name in wanted}) if wanted.keys() <= set(state) else None


def _receiver(message: Message) -> Resource:
    found = members(message.header.get("destination"))
    return message.resolve(found[0].get("receiver")) if found else {}


def _kept(resource: Resource) -> Resource | None:
    kind = text(resource, "resourceType")
    if kind == "Provenance":
        return {k: _relative(v) for k, v in resource.items() if k != "text"}
    if kind not in _KEPT:
        return None
    profile, wanted = _KEPT[kind]
    made = {"resourceType": kind, "id": resource.get("id"), "meta": {"profile": [profile]}}
    return made | {k: _relative(resource[k]) for k in wanted if k in resource}


def _named(payload: Mapping[str, Any]) -> dict[str, Any]:
    """A segment as later messages repeat it."""
    kept: dict[str, Any] = {
        "extension": [
            _relative(e) for e in members(payload.get("extension")) if text(e, "url") in _EXTENSIONS
        ]
    }
    if "contentString" in payload:
        return kept | {"contentString": text(payload, "contentString")}
    attachment = part(payload, "contentAttachment")
    return kept | {"contentAttachment": {k: attachment[k] for k in _SHOWN if k in attachment}}


def _relative(value: Any) -> Any:
    """The same with every reference as ``Type/id``."""
    if isinstance(value, list):
        return [_relative(v) for v in value]
    if not isinstance(value, dict):
        return value
    made = {k: _relative(v) for k, v in value.items()}
    if isinstance(made.get("reference"), str):
        made["reference"] = short(made["reference"])
    return made


def _short(found: Any) -> dict[str, str] | None:
    target = text(found, "reference")
    return {"reference": short(target)} if target else None


def without(resources: list[Resource], replaced: list[Resource]) -> list[Resource]:
    """The resources but for those of which there is a newer one."""
    newer = {reference(r)["reference"] for r in replaced}
    return [r for r in resources if reference(r)["reference"] not in newer]

"""A notice as the resource KiNotice, and a unit as a logical reference."""

from __future__ import annotations

from typing import Any

from adapters.fhir.terms import NOTICE_SYSTEM, PLAN_ID
from hub.contract import Context, Notice, Party, Resource
from hub.fhir import names


def communication(notice: Notice, receiver: Party, context: Context) -> Resource:
    """A message about the plan; it names the plan by id and holds nothing of it.

    The id is ``context.id_for("notice")``, the time ``context.now`` in whole seconds.
    """
    made: Resource = {
        "resourceType": "Communication",
        "id": context.id_for("notice"),
        "meta": {"profile": [names.profile("KiNotice")]},
        "status": "completed",
        "category": [names.concept(NOTICE_SYSTEM, notice.kind)],
        "about": [{"type": "CarePlan", "identifier": {"system": PLAN_ID, "value": notice.plan_id}}],
        "sent": context.now.isoformat(timespec="seconds"),
        "recipient": [unit(receiver)],
        "sender": unit(context.sender),
    }
    if notice.text:
        made["payload"] = [{"contentString": notice.text}]
    return made


def unit(party: Party) -> dict[str, Any]:
    """A unit as a logical reference."""
    made: dict[str, Any] = {"type": "Organization"}
    found = next((i for i in party.identifiers if i.system in names.UNIT_SYSTEMS), None)
    if found is not None:
        made["identifier"] = {"system": found.system, "value": found.value}
    return made | {"display": party.name}

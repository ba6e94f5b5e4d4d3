"""What was asked for and refused, in the audit trail before the answer is given.

A party that asks for what it may not know of gets the same answer whether it is there or not; the
trail says which, so that the citizen's access record shows the attempt.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hub.errors import HubError, NotPermitted
from hub.fhir.parameters import SERVED
from hub.model.delivery import State
from hub.model.party import SYSTEM, Viewer
from hub.services.hub import Hub
from hub.store.work import UnitOfWork

UNKNOWN: Final = "unknown"
"""The actor where nobody knows who asked."""
_OWN_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""The hub's own ids. Anything else in an address may be what nobody should write down."""
_NUMBER: Final = re.compile(r"[0-9]{1,6}")
_KINDS: Final = frozenset(SERVED)
THERE: Final = "It is here, but not for this unit now"
NOTHING: Final = "There is nothing here by that id"


@dataclass(frozen=True)
class _Found:
    plan_id: str | None = None
    citizen: str | None = None
    own: bool = False
    """It is, or was, the asker's own."""


def audit_denied(
    hub: Hub,
    actor: str,
    action: str,
    object_: str,
    *,
    reason: str,
    party: str | None = None,
    plan_id: str | None = None,
    citizen: str | None = None,
    detail: str = "",
) -> None:
    """One refused act, in a transaction of its own. ``reason``: the rule, never a value.

    Raises StoreUnavailable where it cannot be written: then nothing may be answered either.
    """
    with hub.store.writing() as work:
        work.journal.audit(
            hub.clock(), actor, action, object_, party=party, outcome="denied", reason=reason,
            plan_id=plan_id, citizen=citizen, detail=detail,
        )  # fmt: skip
        work.commit()


def audit_refusal(
    hub: Hub, viewer: Viewer, action: str, address: str, named: Mapping[str, str], error: HubError
) -> None:
    """The refusal of a request to ``address``, a template with the names of ``named`` in braces.

    Only a NotPermitted error is a denial. A slip of an operator, from whom nothing is hidden, and
    a look for what a party has done with are none.
    """
    if not isinstance(error, NotPermitted):
        return
    with hub.store.reading() as work:
        found = _find(work, viewer, named, hub.clock())
    known = found.plan_id is not None or found.citizen is not None
    if found.own or (viewer.kind != "party" and not known):
        return
    why = THERE if known else NOTHING
    reason = why if error.code == "not-found" else error.text
    audit_denied(
        hub, viewer.id, action, spelled(address, named), reason=reason,
        party=viewer.id if viewer.kind == "party" else None,
        plan_id=found.plan_id, citizen=found.citizen, detail=f"KI-{error.number}",
    )  # fmt: skip


def spelled(address: str, named: Mapping[str, str]) -> str:
    """The address with what is certainly harmless in place of its names."""
    for name, value in named.items():
        if _OWN_ID.fullmatch(value) or _NUMBER.fullmatch(value) or value in _KINDS:
            address = address.replace(f"{{{name}}}", value)
    return address


def _find(work: UnitOfWork, viewer: Viewer, named: Mapping[str, str], now: datetime) -> _Found:
    """The plan or the citizen that the ids in an address lead to."""
    for value in named.values():
        if not _OWN_ID.fullmatch(value):
            continue
        plan = work.plans.get(value, SYSTEM, now)
        if plan is not None:
            return _Found(plan.id, plan.citizen_id)
        delivery = work.deliveries.get(value, SYSTEM)
        if delivery is not None:
            done = delivery.receiver == viewer.id and delivery.state is State.DELIVERED
            part = work.documents.get(delivery.document) if delivery.document else None
            citizen = part.citizen_id if part is not None else None
            return _Found(delivery.plan_id or None, citizen, own=done)
        proposal = work.proposals.get(value, SYSTEM, now)
        if proposal is not None:
            return _Found(proposal.plan_id)
        kind = named.get("kind", "")
        citizens = sorted(work.resources.citizens_of(kind, [value])) if kind in _KINDS else []
        if citizens:
            return _Found(citizen=citizens[0])
    return _Found()


def refuse_stranger(hub: Hub, place: str, *, reason: str) -> None:
    """A credential that nobody has; a row unless there were too many in this minute."""
    unwritten = hub.refusals.admit(hub.clock())
    if unwritten is None:
        return
    detail = f"and {unwritten} more that were not written" if unwritten else ""
    audit_denied(hub, UNKNOWN, "login", place, reason=reason, detail=detail)

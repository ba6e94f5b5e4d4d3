"""Send anew: what a receiver may have now is made for it once more, all ids new.

The row that ended is left as it is and marked; routing then makes another in its place, as it
would for a receiver that had nothing yet. So everything is decided again: whether at all, which
version, reduced to what, in which format.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from hub.errors import Invalid
from hub.model.delivery import FINAL, WAITING, State
from hub.model.operate import Standing
from hub.model.records import Delivery
from hub.model.routing import PlanFacts, Route, route
from hub.ports import deliveries_queue
from hub.services.document_route import follow_document
from hub.services.gate import beside
from hub.services.hub import Hub, repeatable
from hub.services.notices import notice_row
from hub.services.operate.standing import States
from hub.services.route import reconcile
from hub.store.work import UnitOfWork

_ANSWER: Final = "An acknowledgement is not made anew; its sender gets one when it sends again"
_NOT_ENDED: Final = "The notice has not ended; it is sent as it is"
_NOT_NOW: Final = "Nothing of the plan is to be sent to this receiver now"
_DECIDED: Final = "A person of the lead's unit decided not to send it; see the plan's postscript"
_IN_ITS_PLACE: Final = "A person had it sent anew"


@dataclass(frozen=True)
class _Aim:
    """What would be made."""

    version: int
    rows: tuple[Delivery, ...]
    """What there is of that shared part for the receiver, and stands in the way."""


def objection_to_anew(work: UnitOfWork, standing: Standing, states: States) -> str:
    """Why it is not made anew; empty if it is."""
    if standing.kind == "answer":
        return _ANSWER
    if standing.kind == "notice":
        return standing.refused or ("" if standing.delivery.state in FINAL else _NOT_ENDED)
    found = _aim(work, standing, states)
    return found if isinstance(found, str) else ""


def made_anew(hub: Hub, work: UnitOfWork, standing: Standing, states: States, actor: str) -> str:
    """Make it, in the caller's transaction that holds the plan; returns the new delivery's id."""
    delivery, now = standing.delivery, hub.clock()
    if standing.kind == "notice":
        return _notice(hub, work, delivery, actor)
    found = _aim(work, standing, states)
    if isinstance(found, str):
        raise Invalid(found)
    before = {d.id for d in beside(work, delivery)}
    for row in found.rows:
        if row.state is State.RETRY_AT:
            work.queues.settle(deliveries_queue(row.receiver), row.id, now)
            work.deliveries.move(row, State.CANCELLED, _IN_ITS_PLACE, actor, now)
        else:
            work.deliveries.note(row.id, now, row.state, _IN_ITS_PLACE, actor)
        work.operating.rule(row.id, "anew")
        work.journal.close_tasks(actor, now, delivery_id=row.id)
    _decided_anew(hub, work, delivery, actor)
    rows = beside(work, delivery)
    made = next((d.id for d in rows if d.id not in before and d.version == found.version), None)
    if made is None:
        raise Invalid(_NOT_NOW)
    return made


def _decided_anew(hub: Hub, work: UnitOfWork, delivery: Delivery, actor: str) -> None:
    directory = work.parties.directory()
    part = work.documents.get(delivery.document) if delivery.document else None
    if part is not None:
        follow_document(hub, work, part, directory, actor=actor)
    else:
        reconcile(hub, work, delivery.plan_id, directory, actor=actor)


def _aim(work: UnitOfWork, standing: Standing, states: States) -> _Aim | str:
    """The version that would be made, or why none."""
    delivery = standing.delivery
    if standing.kind == "document":
        return _aim_of_document(work, standing)
    state = states.of(delivery.plan_id)
    rows = work.deliveries.of_plan(delivery.plan_id, delivery.receiver)
    decided = {r.digest for r in rows if r.state is State.NOT_SENT and r.ruling is None}
    facts = replace(
        state.facts, settled={**state.facts.settled, delivery.receiver: frozenset(decided)}
    )
    routed = _routed(facts, delivery.receiver) if not state.plan.in_error else _NOT_NOW
    if isinstance(routed, str):
        return routed or (_DECIDED if facts.head.digest in decided else _NOT_NOW)
    digest = next(v.digest for v in facts.versions if v.number == routed.version)
    return _in_the_way(rows, routed.version, digest)


def _aim_of_document(work: UnitOfWork, standing: Standing) -> _Aim | str:
    """Of a document that stands alone, its newest version goes, if any does now."""
    if standing.refused:
        return standing.refused
    rows = work.documents.sent(standing.delivery.document)
    newest = max(rows, key=lambda r: r.version)
    mine = [r for r in rows if r.receiver == standing.delivery.receiver]
    return _in_the_way(mine, newest.version, newest.digest)


def _in_the_way(rows: list[Delivery], version: int, digest: str) -> _Aim | str:
    """What there is for the receiver of that version, unless it has yet to end."""
    same = [r for r in rows if r.version == version and r.ruling != "anew"]
    if any(r.state in WAITING for r in same):
        return f"Version {version} waits for this receiver already"
    if any(r.state in {State.SENDING, State.SENT} for r in same):
        return f"Version {version} is on its way to this receiver"
    stopped = [r for r in rows if r.ruling == "stop" and r.digest == digest and r not in same]
    return _Aim(version, (*same, *stopped))


def _routed(facts: PlanFacts, receiver: str) -> Route | str:
    """What routing sends to it now, or why nothing; empty where it says nothing of it."""
    mine = [r for r in route(facts) if r.receiver == receiver]
    sends = next((r for r in mine if r.verdict == "send"), None)
    return sends or next((r.reason for r in mine), "")


def _notice(hub: Hub, work: UnitOfWork, delivery: Delivery, actor: str) -> str:
    now = hub.clock()
    old, made_id = delivery, repeatable("notice", delivery.id, "anew")
    made = notice_row(made_id, old.plan_id, old.receiver, old.format, old.version, old.about, now)
    work.deliveries.add(made, actor)
    work.deliveries.note(delivery.id, now, delivery.state, _IN_ITS_PLACE, actor)
    work.operating.rule(delivery.id, "anew")
    work.journal.close_tasks(actor, now, delivery_id=delivery.id)
    return made.id

"""What each party should hold, compared with what was settled: strays become the operator's tasks.

A plan that is well is only read. Where one is not, it is routed anew (what is permitted becomes
due, what is not is not) and what has no time is looked for; nothing else is mended here. What is
still not as it should be is a task, one for each (receiver, plan, format), until it is well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import structlog

from hub.errors import BusUnavailable
from hub.model.delivery import State
from hub.model.party import CITIZEN, SYSTEM, RegisteredParty
from hub.model.records import Delivery, Task
from hub.model.routing import route
from hub.model.strays import Held, Stray, Wanted, strays, unscheduled
from hub.model.withdrawal import PURPOSES, sections_of
from hub.ports import deliveries_queue
from hub.services.attempts import ACTOR
from hub.services.gate import is_notice
from hub.services.hub import Hub, repeatable
from hub.services.resend import patience_with
from hub.services.route import reconcile, subscription_for
from hub.services.state import PlanState, plan_state
from hub.store.journal import OPERATOR
from hub.store.work import UnitOfWork

LOG = structlog.get_logger()
STRAY: Final = "stray"
"""The kind of the task."""
COMPARED: Final = "compared"
"""Meta key: when the last comparison of all plans began."""
_CHUNK: Final = 100

Lies = Callable[[RegisteredParty], bool]
"""Something lies where this party's messages are put; asked outside of any transaction."""


@dataclass(frozen=True)
class Compared:
    """One plan."""

    plan: str
    left: tuple[Stray, ...]
    mended: tuple[Stray, ...]
    """Found, and well after it was routed anew."""


def compare_due(hub: Hub, stopped: Callable[[], bool]) -> bool:
    """Compare all plans if it is time; one process does. False if it was not, or was stopped."""
    now, every = hub.clock(), hub.limits.compare_every
    if not every:
        return False
    with hub.store.writing() as work:
        last = work.journal.meta(COMPARED)
        if last is not None and now < datetime.fromisoformat(last) + every:
            return False
        work.journal.set_meta(COMPARED, now.isoformat())
        work.commit()
    return all(not stopped() for _ in compare_all(hub))


def compare_all(hub: Hub) -> Iterator[Compared]:
    """Every plan that anything was ever due of, one after the other."""
    lies, after = _asking(hub), ""
    while True:
        with hub.store.reading() as work:
            plans = work.standing.plans(after, _CHUNK)
        if not plans:
            return
        for plan_id in plans:
            yield compare(hub, plan_id, lies)
        after = plans[-1]


def compare(hub: Hub, plan_id: str, lies: Lies) -> Compared:
    """One plan: look, and where something is not as it should be, decide anew and ask."""
    with hub.store.reading() as work:
        waiting = _receivers(work, plan_id)
        asked = any(t.kind == STRAY for t in work.journal.open_of(plan_id=plan_id))
    places = {p.party.id: lies(p) for p in waiting}
    with hub.store.reading() as work:
        rows, first = _found(hub, work, plan_id, places)
    if not first and not asked and not unscheduled(rows):
        return Compared(plan_id, (), ())
    with hub.store.writing() as work:
        now = hub.clock()
        work.plans.lock(plan_id)
        if any(s.kind == "behind" for s in first):
            reconcile(hub, work, plan_id, work.parties.directory(), actor=ACTOR)
        for delivery_id in unscheduled(rows):
            work.deliveries.look_again(delivery_id, now)
        _, left = _found(hub, work, plan_id, places)
        _ask(work, plan_id, left, now)
        work.commit()
    mended = tuple(s for s in first if _key(s) not in {_key(x) for x in left})
    for stray in (*left, *mended):
        LOG.warning(
            "stray", plan=plan_id, receiver=stray.receiver, what=stray.kind, mended=stray in mended
        )
    return Compared(plan_id, left, mended)


def row_of(plan_id: str, stray: Stray, *, mended: bool) -> dict[str, Any]:
    """For people and scripts."""
    return {
        "plan": plan_id,
        "receiver": stray.receiver,
        "format": stray.format,
        "kind": stray.kind,
        "delivery": stray.delivery,
        "text": stray.text,
        "mended": mended,
    }


def _key(stray: Stray) -> tuple[str, str]:
    return stray.receiver, stray.format


def _ask(work: UnitOfWork, plan_id: str, left: tuple[Stray, ...], now: datetime) -> None:
    """A task for each; those of what is well are done."""
    wanted = {_task_id(plan_id, s): s for s in left}
    known = {t.id: t for t in work.journal.open_of(plan_id=plan_id) if t.kind == STRAY}
    for task_id in known.keys() - wanted.keys():
        work.journal.close_tasks(ACTOR, now, task_id=task_id)
    for task_id, stray in wanted.items():
        if task_id not in known or known[task_id].text != stray.text:
            work.journal.open_task(
                Task(task_id, STRAY, OPERATOR, stray.text, plan_id, stray.delivery, None, now)
            )


def _task_id(plan_id: str, stray: Stray) -> str:
    return repeatable("task", STRAY, plan_id, stray.receiver, stray.format)


def _receivers(work: UnitOfWork, plan_id: str) -> list[RegisteredParty]:
    """Parties that have not answered what was sent to them of the plan."""
    rows = (*work.deliveries.of_plan(plan_id), *work.deliveries.notices_of(plan_id))
    sent = {r.receiver for r in rows if r.state is State.SENT}
    return [p for party in sorted(sent) if (p := work.parties.get(party)) is not None]


def _asking(hub: Hub) -> Lies:
    """Each place is asked about once; while the broker is away, nobody says that it is empty."""
    known: dict[str, bool] = {}

    def lies(party: RegisteredParty) -> bool:
        place = party.endpoint.address
        if place not in known:
            try:
                known[place] = hub.bus.ready(place) > 0
            except BusUnavailable:
                known[place] = True
        return known[place]

    return lies


def _found(
    hub: Hub, work: UnitOfWork, plan_id: str, places: dict[str, bool]
) -> tuple[tuple[Held, ...], tuple[Stray, ...]]:
    """The plan's deliveries, and what of them is not as it should be, now."""
    now = hub.clock()
    plan = work.plans.get(plan_id, SYSTEM, now)
    assert plan is not None
    state = plan_state(work, plan, work.parties.directory(), now)
    kept = (*work.deliveries.of_plan(plan_id), *work.deliveries.notices_of(plan_id))
    mine = [d for d in kept if d.receiver != CITIZEN]
    tasks = work.journal.open_of(plan_id=plan_id)
    asked = {t.delivery_id for t in tasks if t.kind != STRAY}
    had_at = {d.receiver: d.updated_at for d in sorted(mine, key=lambda d: d.updated_at)}
    denied = {r for r, at in had_at.items() if _denied(state, r, now) and _denied(state, r, at)}
    made = work.standing.made(plan_id)
    held = (_held(hub, work, d, made[d.id], d.id in asked, places) for d in mine)
    # Who may still have it need not be asked whether it had it.
    rows = tuple(
        replace(r, had=work.deliveries.was_delivered(r.id)) if r.receiver in denied else r
        for r in held
    )
    return rows, strays(_wanted(hub, work, state), denied, rows, work.standing.heard(), now)


def _wanted(hub: Hub, work: UnitOfWork, state: PlanState) -> Iterator[Wanted]:
    """What routing says must go; where no format can be made, a person has a task already."""
    for found in () if state.plan.in_error else route(state.facts):
        if found.verdict != "send" or found.receiver == CITIZEN:
            continue
        subscription = subscription_for(hub, work, state, found.receiver)
        if subscription is not None:
            yield Wanted(found.receiver, subscription.format, found.version)


def _denied(state: PlanState, party: str, at: datetime) -> bool:
    """By what the citizen says today it may have nothing of the plan then, for any purpose.

    Asked of now, and of when it last got something: a consent that has only run out is nobody's
    fault, and what was got under it is rightly kept.
    """
    consents = state.facts.consents
    return state.plan.in_error or not any(sections_of(consents, party, p, at) for p in PURPOSES)


def _held(
    hub: Hub,
    work: UnitOfWork,
    delivery: Delivery,
    made: int,
    asked: bool,
    places: dict[str, bool],
) -> Held:
    row = Held(
        delivery.id,
        delivery.receiver,
        delivery.format,
        delivery.version,
        delivery.state,
        made,
        delivery.updated_at,
        delivery.retry_at,
        notice=is_notice(delivery),
        asked=asked,
    )
    return _sent(hub, work, delivery, row, places) if delivery.state is State.SENT else row


def _sent(
    hub: Hub, work: UnitOfWork, delivery: Delivery, row: Held, places: dict[str, bool]
) -> Held:
    """With what is known of its receiver's answer, and of where it lies."""
    registered = work.parties.get(delivery.receiver)
    subscription = registered.subscription(delivery.format) if registered else None
    patience = patience_with(hub, work, delivery)
    in_mailbox = work.queues.holds(deliveries_queue(delivery.receiver), delivery.id)
    return replace(
        row,
        receipts=subscription is not None and subscription.receipt,
        wait=patience.wait * (patience.resends + 1) if patience else hub.limits.receipt_wait,
        lies=in_mailbox or places.get(delivery.receiver, False),
    )

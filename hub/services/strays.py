"""What each party should hold, compared with what was settled: strays become the operator's tasks.

A plan, or a document that stands alone, that is well is only read. Where one is not, it is routed
anew (what is permitted becomes due, what is not is not) and what has no time is looked for; nothing
else is mended here. What is still not as it should be is a task, one for each (receiver, plan or
document, format), until it is well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import structlog

from hub.errors import BusUnavailable
from hub.model.delivery import State
from hub.model.party import CITIZEN, RegisteredParty
from hub.model.records import Delivery, Task
from hub.model.strays import Held, Stray, strays, unscheduled
from hub.ports import deliveries_queue
from hub.services.attempts import ACTOR, subscription_of
from hub.services.gate import is_notice
from hub.services.hub import Hub, repeatable
from hub.services.resend import patience_with
from hub.services.stray_kinds import Compares, documents_from, plans_from
from hub.store.journal import OPERATOR
from hub.store.work import UnitOfWork

LOG = structlog.get_logger()
STRAY: Final = "stray"
"""The kind of the task."""
COMPARED: Final = "compared"
"""Meta key: when the last comparison of everything began."""

Lies = Callable[[RegisteredParty], bool]
"""Something lies where this party's messages are put; asked outside of any transaction."""


@dataclass(frozen=True)
class Compared:
    """One plan, or one document that stands alone; the other is empty."""

    plan: str
    document: str
    left: tuple[Stray, ...]
    mended: tuple[Stray, ...]
    """Found, and well after it was routed anew."""


def compare_due(hub: Hub, stopped: Callable[[], bool]) -> bool:
    """Compare everything if it is time; one process does. False if it was not, or was stopped."""
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
    """Every plan that anything was ever due of, then every document that stands alone."""
    lies = _asking(hub)
    for chunk in (plans_from, documents_from):
        after = ""
        while True:
            with hub.store.reading() as work:
                found = chunk(work, after)
            if not found:
                break
            for one in found:
                yield compare(hub, one, lies)
            after = found[-1].id


def compare(hub: Hub, whole: Compares, lies: Lies) -> Compared:
    """Look, and where something is not as it should be, decide anew and ask."""
    with hub.store.reading() as work:
        waiting = _receivers(work, whole)
        asked = any(t.kind == STRAY for t in whole.tasks(work))
    places = {p.party.id: lies(p) for p in waiting}
    with hub.store.reading() as work:
        rows, first = _found(hub, work, whole, places)
    if not first and not asked and not unscheduled(rows):
        return Compared(whole.plan, whole.document, (), ())
    with hub.store.writing() as work:
        now = hub.clock()
        whole.lock(work)
        if any(s.kind == "behind" for s in first):
            whole.route_anew(hub, work)
        for delivery_id in unscheduled(rows):
            work.deliveries.look_again(delivery_id, now)
        _, left = _found(hub, work, whole, places)
        _ask(work, whole, left, now)
        work.commit()
    mended = tuple(s for s in first if _key(s) not in {_key(x) for x in left})
    for stray in (*left, *mended):
        LOG.warning(
            "stray", plan=whole.plan or None, document=whole.document or None,
            receiver=stray.receiver, what=stray.kind, mended=stray in mended,
        )  # fmt: skip
    return Compared(whole.plan, whole.document, left, mended)


def rows_of(one: Compared) -> list[dict[str, Any]]:
    """For people and scripts; what is left first."""
    return [
        {
            "plan": one.plan or None,
            "document": one.document or None,
            "receiver": stray.receiver,
            "format": stray.format,
            "kind": stray.kind,
            "delivery": stray.delivery,
            "text": stray.text,
            "mended": mended,
        }
        for mended, found in ((False, one.left), (True, one.mended))
        for stray in found
    ]


def _key(stray: Stray) -> tuple[str, str]:
    return stray.receiver, stray.format


def _ask(work: UnitOfWork, whole: Compares, left: tuple[Stray, ...], now: datetime) -> None:
    """A task for each; those of what is well are done."""
    wanted = {_task_id(whole, s): s for s in left}
    known = {t.id: t for t in whole.tasks(work) if t.kind == STRAY}
    for task_id in known.keys() - wanted.keys():
        work.journal.close_tasks(ACTOR, now, task_id=task_id)
    for task_id, stray in wanted.items():
        if task_id not in known or known[task_id].text != stray.text:
            work.journal.open_task(
                Task(task_id, STRAY, OPERATOR, stray.text, whole.plan or None, stray.delivery,
                     None, now, document=whole.document or None)
            )  # fmt: skip


def _task_id(whole: Compares, stray: Stray) -> str:
    return repeatable("task", STRAY, whole.id, stray.receiver, stray.format)


def _receivers(work: UnitOfWork, whole: Compares) -> list[RegisteredParty]:
    """Parties that have not answered what was sent to them of it."""
    sent = {r.receiver for r in whole.deliveries(work) if r.state is State.SENT}
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
    hub: Hub, work: UnitOfWork, whole: Compares, places: dict[str, bool]
) -> tuple[tuple[Held, ...], tuple[Stray, ...]]:
    """Its deliveries, and what of them is not as it should be, now."""
    mine = [d for d in whole.deliveries(work) if d.receiver != CITIZEN]
    asked = {t.delivery_id for t in whole.tasks(work) if t.kind != STRAY}
    wanted, denied = whole.should(hub, work, mine)
    made = work.standing.made(whole.id)
    rows = tuple(
        _held(hub, work, d, made[d.id], d.id in asked, d.receiver in denied, places) for d in mine
    )
    return rows, strays(wanted, denied, rows, work.standing.heard(), hub.clock())


def _held(
    hub: Hub,
    work: UnitOfWork,
    delivery: Delivery,
    made: int,
    asked: bool,
    denied: bool,
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
        # Who may still have it need not be asked whether it had it.
        had=denied and work.deliveries.was_delivered(delivery.id),
        stopped=delivery.ruling == "stop",
    )
    return _sent(hub, work, delivery, row, places) if delivery.state is State.SENT else row


def _sent(
    hub: Hub, work: UnitOfWork, delivery: Delivery, row: Held, places: dict[str, bool]
) -> Held:
    """With what is known of its receiver's answer, and of where it lies."""
    registered = work.parties.get(delivery.receiver)
    subscription = subscription_of(registered, delivery)
    patience = patience_with(hub, work, delivery)
    in_mailbox = work.queues.holds(deliveries_queue(delivery.receiver), delivery.id)
    return replace(
        row,
        receipts=subscription is not None and subscription.receipt,
        wait=patience.wait * (patience.resends + 1) if patience else hub.limits.receipt_wait,
        lies=in_mailbox or places.get(delivery.receiver, False),
    )

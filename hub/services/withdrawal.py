"""A consent was taken back or narrowed: who is told, who is asked to act, what may have left.

The gate does the rest (:mod:`hub.services.route`): what is due is cancelled, reads and mailboxes
close in the same transaction. Here is what a person needs to know of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from hub.model.consent import Consent
from hub.model.delivery import State
from hub.model.records import Delivery, Plan, Task
from hub.model.withdrawal import How, Left, Withdrawal, losses_of
from hub.ports import on_broker
from hub.services.attempts import ACTOR
from hub.services.frozen import TAKEN_BACK
from hub.services.hub import Hub, new_id, repeatable
from hub.services.notices import add_notice
from hub.services.recall import CALLED_BACK
from hub.services.route import reconcile
from hub.services.state import PlanState
from hub.services.tasks import WITHDRAWN
from hub.store.work import UnitOfWork

_ASKED: Final = (
    "The citizen's consent was withdrawn or narrowed; see what may have left, and talk with the "
    "citizen about the plan"
)
_NEVER_LEFT: Final = frozenset({TAKEN_BACK, CALLED_BACK})


def follow_withdrawal(
    hub: Hub,
    work: UnitOfWork,
    state: PlanState,
    before: Iterable[Consent],
    cause: str,
    by: str,
) -> Withdrawal | None:
    """In the transaction of the change, after rows follow it; None if nobody lost anything.

    ``state`` is of now, ``before`` the citizen's consents as they were, ``cause`` names the one
    that changed.
    """
    plan, now = state.plan, hub.clock()
    sent = work.deliveries.attempted(plan.id)
    holders = {d.receiver for d in sent}
    units = {m.party.id: m for m in state.members} | {
        h: state.member(h) for h in holders | {plan.lead}
    }
    lost = losses_of(before, state.facts.consents, units, now)
    if not lost:
        return None
    withdrawal = tell_holders(hub, work, plan, sent, lost, cause=cause, by=by, actor=by)
    ask_to_act(work, plan, _asked(state, holders), WITHDRAWN, _ASKED, withdrawal.id, now)
    return withdrawal


def tell_holders(
    hub: Hub,
    work: UnitOfWork,
    plan: Plan,
    sent: Iterable[Delivery],
    units: Mapping[str, str],
    *,
    cause: str,
    by: str,
    actor: str,
) -> Withdrawal:
    """Write down what may have left, send notices, and take back what waits on the broker.

    ``units``: the kind of notice for each unit that may have less now, or never should have had
    it; of those only who was ``sent`` something is told.
    """
    known, now = list(sent), hub.clock()
    record = Withdrawal(
        id=new_id(),
        plan_id=plan.id,
        cause=cause,
        by=by,
        at=now,
        units=units,
        may_have_left=may_have_left(work, known, units),
        wait_until=now + hub.limits.send_lease,
    )
    work.withdrawals.add(record)
    for unit in sorted({d.receiver for d in known} & units.keys()):
        add_notice(hub, work, plan, unit, units[unit], record.id, actor, now)
        call_back(hub, work, known, unit, now)
    return record


def ask_to_act(
    work: UnitOfWork,
    plan: Plan,
    units: Iterable[str],
    kind: str,
    text: str,
    about: str,
    now: datetime,
) -> None:
    """A task for each unit's people."""
    for unit in sorted(units):
        task_id = repeatable("task", kind, about, unit)
        work.journal.open_task(Task(task_id, kind, unit, text, plan.id, None, None, now))


def _asked(state: PlanState, holders: set[str]) -> set[str]:
    """The lead, and the coordinators who know of the plan: the others must not learn of it now."""
    coordinators = {m.party.id for m in state.members if "coordinator" in m.roles}
    return {state.plan.lead} | (coordinators & holders)


def call_back_all(hub: Hub, work: UnitOfWork, plan_id: str) -> None:
    """Whatever waits on the broker of the plan is looked at again, whosever it is."""
    sent = list(work.deliveries.attempted(plan_id))
    for unit in sorted({d.receiver for d in sent}):
        call_back(hub, work, sent, unit, hub.clock())


def call_back(hub: Hub, work: UnitOfWork, sent: list[Delivery], unit: str, now: datetime) -> None:
    """What waits for the unit on the broker is taken back, by the worker."""
    registered = work.parties.get(unit)
    waits = any(d.receiver == unit and d.outcome is None for d in sent if not d.subscription)
    if registered and waits and on_broker(hub.transports.get(registered.endpoint.transport)):
        work.withdrawals.recall(unit, now)


def may_have_left(
    work: UnitOfWork, sent: Iterable[Delivery], lost: Mapping[str, str]
) -> tuple[Left, ...]:
    """Of what was sent to those units, as far as the hub knows now."""
    found = []
    for delivery in sent:
        how = _how(work, delivery) if delivery.receiver in lost else None
        if how is not None:
            found.append(Left(delivery.id, delivery.receiver, delivery.version, how))
    return tuple(found)


def _how(work: UnitOfWork, delivery: Delivery) -> How | None:
    """How far it may have come; None if it surely reached nobody."""
    if work.deliveries.was_delivered(delivery.id):
        # Though its receiver may have asked for it once more since, and that was taken back.
        return "delivered"
    match delivery.state:
        case State.SENT:
            return "fetched" if work.withdrawals.fetched(delivery.plan_id, delivery.id) else "sent"
        case State.SENDING:
            return "sending"
        case State.DEAD:
            return "refused"
        case State.CANCELLED if delivery.reason in _NEVER_LEFT:
            return "fetched" if work.withdrawals.fetched(delivery.plan_id, delivery.id) else None
    steps = work.deliveries.history(delivery.id)
    return "sent" if any(s.state is State.SENT for s in steps) else "sending"


def settle_withdrawals(hub: Hub) -> int:
    """Make final the list of what may have left, once no send is running; returns how many.

    A send that does not end is waited for until its worker's lease is over.
    """
    with hub.store.reading() as work:
        waiting = work.withdrawals.unsettled()
    return sum(_settled(hub, withdrawal_id) for withdrawal_id in waiting)


def _settled(hub: Hub, withdrawal_id: str) -> bool:
    now = hub.clock()
    with hub.store.writing() as work:
        withdrawal = work.withdrawals.get(withdrawal_id)
        assert withdrawal is not None
        work.plans.lock(withdrawal.plan_id)
        sent = [d for d in work.deliveries.attempted(withdrawal.plan_id)
                if d.receiver in withdrawal.units]  # fmt: skip
        running = any(d.state is State.SENDING for d in sent)
        called = any(work.withdrawals.is_recalled(unit) for unit in withdrawal.units)
        if called or (running and now < withdrawal.wait_until):
            return False
        # What was on its way into one of the hub's own mailboxes lies there now, shown to nobody.
        reconcile(hub, work, withdrawal.plan_id, work.parties.directory(), actor=ACTOR)
        known = {x.delivery for x in withdrawal.may_have_left}
        earlier = [
            d
            for d in work.deliveries.attempted(withdrawal.plan_id)
            if d.receiver in withdrawal.units and (d.id in known or d.state is State.SENDING)
        ]
        left = may_have_left(work, earlier, withdrawal.units)
        work.withdrawals.save(replace(withdrawal, may_have_left=left, settled_at=now))
        work.commit()
    return True


def withdrawal_row(withdrawal: Withdrawal) -> dict[str, object]:
    """For people: who lost what, and what may have left by then."""
    return {
        "at": withdrawal.at.isoformat(),
        "cause": withdrawal.cause,
        "by": withdrawal.by,
        "units": dict(withdrawal.units),
        "may_have_left": [
            {"delivery": x.delivery, "receiver": x.receiver, "version": x.version, "how": x.how}
            for x in withdrawal.may_have_left
        ],
        "settled": withdrawal.settled_at is not None,
    }

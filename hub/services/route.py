"""Step 4: make the delivery rows say what routing decided; in the transaction of the change.

Can be run at any time and changes nothing when nothing changed: rows are keyed by plan,
receiver, version and format.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import datetime

from hub.model.consent import Consent
from hub.model.delivery import WAITING, State
from hub.model.lawful import grants
from hub.model.party import CITIZEN, Directory, Subscription
from hub.model.plan import SHARED, Member
from hub.model.records import Delivery
from hub.model.routing import Route, purpose_for, route
from hub.ports import reissues
from hub.services.asking import ask, ask_of_plan, to_protect
from hub.services.copies import as_got, current
from hub.services.frozen import take_back, why_not
from hub.services.gate import take_back_notices
from hub.services.hub import Hub, repeatable
from hub.services.move_on import move_on
from hub.services.reminders import remind
from hub.services.state import PlanState, plan_state
from hub.services.subscription_events import follow
from hub.store.work import UnitOfWork

CITIZEN_FORMAT = "citizen-format"
"""Meta key: the format of the citizen's own copy, from the parties file."""

_NOTHING_OWN = "Waits for the receiver's own document: its format is that document, issued again"


def reconcile(
    hub: Hub, work: UnitOfWork, plan_id: str, directory: Directory, *, actor: str
) -> tuple[str, ...]:
    """Make rows and access follow the facts; returns paths of members that are no party here."""
    now = hub.clock()
    plan = work.plans.lock(plan_id)
    assert plan is not None
    state = plan_state(work, plan, directory, now)
    access = access_rows(state.members, state.facts.consents)
    work.plans.set_access(plan_id, access)
    done = [*remind(work, state, access, now), *_mourn(work, state, actor, now)]
    if state.facts.protected:
        done.append(to_protect(plan_id))
    rows: Sequence[Delivery] = state.deliveries
    taken = take_back(work, plan, state.facts, rows, actor, now)
    take_back_notices(work, plan, state.facts, actor, now)
    if _drop_refused(work, state, actor, now) or taken:
        rows = work.deliveries.of_plan(plan_id)
    routes = () if plan.in_error else route(state.facts)
    work.parties.know(found.receiver for found in routes)
    for found in routes:
        mine = [r for r in rows if r.receiver == found.receiver]
        done += _follow(hub, work, state, found, mine, actor, now)
    work.journal.close_tasks(actor, now, task_ids=done)
    there = set() if plan.in_error else {CITIZEN, *(m.party.id for m in state.members)}
    _cancel(work, (r for r in rows if r.receiver not in there), "Takes no part now", actor, now)
    follow(work, plan.citizen_id, plan, actor, now)
    hub.wake.set()
    return state.strangers


def _mourn(work: UnitOfWork, state: PlanState, actor: str, now: datetime) -> list[str]:
    """Of a dead citizen's plan nobody is asked for anything, but for ending it; returns the task
    that is done."""
    task_id = repeatable("task", "deceased", state.plan.id)
    if state.facts.deceased:
        work.journal.close_tasks(actor, now, plan_id=state.plan.id)
    if state.facts.deceased and state.plan.open:
        ask_of_plan(work, "deceased", task_id, state.plan.lead, state.plan.id, now)
        return []
    return [task_id]


def _drop_refused(work: UnitOfWork, state: PlanState, actor: str, now: datetime) -> bool:
    """What was due of an older version and may not be had any more; the newest one is routed.
    Says whether there was any."""
    dropped = False
    for row in state.deliveries:
        if row.state is State.DUE and row.version != state.facts.head.number:
            reason = why_not(work, state.plan, state.facts, row)
            if reason:
                _cancel(work, (row,), reason, actor, now)
                dropped = True
    return dropped


def access_rows(members: Iterable[Member], consents: Iterable[Consent]) -> list[dict[str, object]]:
    """Who may know of the plan, per section and from when until when: what ``decide`` answers."""
    known = tuple(consents)
    return [
        {"party": member.party.id, "purpose": purpose_for(member.roles), **asdict(grant)}
        for member in members
        for grant in grants(known, member.party, purpose_for(member.roles))
    ]


def _follow(
    hub: Hub,
    work: UnitOfWork,
    state: PlanState,
    found: Route,
    rows: list[Delivery],
    actor: str,
    now: datetime,
) -> list[str]:
    """Make one receiver's rows follow; returns the tasks that are done."""
    if found.verdict == "deny":
        _cancel(work, rows, found.reason, actor, now)
        work.journal.audit(
            now, actor, "route", f"CarePlan/{state.plan.id}/_history/{found.version}",
            party=found.receiver, outcome="denied", reason=found.reason,
            role=state.role_of(found.receiver),
        )  # fmt: skip
        ask(work, state, found, None, now)
        return []
    about = repeatable(state.plan.id, found.receiver)
    done = [repeatable("task", "consent", about)]
    wanted = _subscriptions(work, found.receiver)
    if not wanted:
        ask(work, state, found, None, now, kind="subscription")
        return done
    subscription = _possible(hub, work, state, found.receiver, wanted)
    if subscription is None:
        subscription = wanted[0]
        if found.verdict == "send":
            found = replace(
                found, verdict="block", reason=_NOTHING_OWN, task="own-document",
                task_for=found.receiver,
            )  # fmt: skip
    done.append(repeatable("task", "subscription", about))
    subscription = as_got(subscription, rows, found.version)
    row = _row(work, state, found, subscription, rows, actor, now)
    _replace_format(work, row, rows, subscription, actor, now)
    if found.verdict == "send":
        _release(work, row, found, actor, now)
        _supersede(work, row, rows, subscription, actor, now)
    else:
        _block(work, state, row, found, rows, actor, now)
    return done


def subscription_for(
    hub: Hub, work: UnitOfWork, state: PlanState, receiver: str
) -> Subscription | None:
    """How the plan goes to the receiver now; None where it has no subscription, or none whose
    format can be made."""
    return _possible(hub, work, state, receiver, _subscriptions(work, receiver))


def _subscriptions(work: UnitOfWork, receiver: str) -> tuple[Subscription, ...]:
    """How plans go to the receiver, what it wants most first."""
    if receiver == CITIZEN:
        chosen = work.journal.meta(CITIZEN_FORMAT)
        return (Subscription(format=chosen),) if chosen else ()
    registered = work.parties.get(receiver)
    found = registered.subscriptions if registered else ()
    return tuple(s for s in found if s.content == "plan")


def _possible(
    hub: Hub,
    work: UnitOfWork,
    state: PlanState,
    receiver: str,
    wanted: Iterable[Subscription],
) -> Subscription | None:
    """The first whose format can be made; a re-issue needs what the receiver wrote in it."""
    written: set[str] | None = None
    for one in wanted:
        if not reissues(hub.adapters.adapter(one.format)):
            return one
        if written is None:
            written = _written(work, state, receiver)
        if one.format in written:
            return one
    return None


def _written(work: UnitOfWork, state: PlanState, receiver: str) -> set[str]:
    """The formats of the receiver's own documents in the plan."""
    return work.inbox.formats(
        [
            part.document_inbox
            for part in work.plans.parts_in(state.versions[-1])
            if part.owner == receiver and part.kind != SHARED and part.document_inbox
        ]
    )


def _row(
    work: UnitOfWork,
    state: PlanState,
    found: Route,
    subscription: Subscription,
    rows: list[Delivery],
    actor: str,
    now: datetime,
) -> Delivery:
    """The row of this receiver, version and format; made if it is not there."""
    version = next(v for v in state.versions if v.number == found.version)
    known, row_id = current(work, state, found, subscription.format, rows)
    if known is not None:
        return known
    made = Delivery(
        id=row_id,
        plan_id=state.plan.id,
        receiver=found.receiver,
        format=subscription.format,
        version=found.version,
        digest=version.digest,
        state=State.DUE if found.verdict == "send" else State.BLOCKED,
        reason=found.reason,
        basis=found.basis,
        created_at=now,
        updated_at=now,
    )
    work.deliveries.add(made, actor)
    return made


def _replace_format(
    work: UnitOfWork,
    row: Delivery,
    rows: list[Delivery],
    subscription: Subscription,
    actor: str,
    now: datetime,
) -> None:
    """The subscription's format changed: what waits in the old one would be a second copy."""
    for other in rows:
        older = subscription.versions == "latest" and other.version < row.version
        if other.format == row.format or other.state not in WAITING:
            continue
        if older or other.version == row.version:
            reason = "Another format took its place"
            move_on(work, other, State.SUPERSEDED, reason, actor, now)


def _release(work: UnitOfWork, row: Delivery, found: Route, actor: str, now: datetime) -> None:
    if row.state is State.BLOCKED:
        work.deliveries.move(row, State.DUE, found.reason, actor, now, basis=found.basis)
        work.journal.close_tasks(actor, now, delivery_id=row.id)


def _supersede(
    work: UnitOfWork,
    row: Delivery,
    rows: list[Delivery],
    subscription: Subscription,
    actor: str,
    now: datetime,
) -> None:
    """A receiver that wants the latest gets one current plan instead of a pile."""
    latest = subscription.versions == "latest"
    for other in rows:
        # What waited for the receiver's own document is told by this one, which has it.
        if not latest and other.reason != _NOTHING_OWN:
            continue
        if other.state in WAITING and other.version < row.version:
            reason = f"Version {row.version} took its place"
            move_on(work, other, State.SUPERSEDED, reason, actor, now)


def _block(
    work: UnitOfWork,
    state: PlanState,
    row: Delivery,
    found: Route,
    rows: list[Delivery],
    actor: str,
    now: datetime,
) -> None:
    if row.state is State.DUE:
        work.deliveries.move(row, State.BLOCKED, found.reason, actor, now)
    elif row.state is not State.BLOCKED:
        return
    elif row.reason != found.reason:
        work.deliveries.restate(row, found.reason, actor, now)
    ask(work, state, found, row, now)
    for other in rows:
        # An older one with other shared content stays: the citizen may yet approve that.
        same = other.digest == row.digest or found.task in {"forward", "own-document"}
        if other.state is State.BLOCKED and other.version < row.version and same:
            reason = f"Version {row.version} took its place"
            move_on(work, other, State.SUPERSEDED, reason, actor, now)


def _cancel(
    work: UnitOfWork, rows: Iterable[Delivery], reason: str, actor: str, now: datetime
) -> None:
    for row in rows:
        if row.state in WAITING:
            move_on(work, row, State.CANCELLED, reason, actor, now)

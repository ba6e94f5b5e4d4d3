"""Whoever must act on a delivery is asked by name: a task of one unit's people."""

from __future__ import annotations

from datetime import datetime

from hub.model.delivery import State
from hub.model.party import CITIZEN
from hub.model.records import Delivery, Task
from hub.model.routing import Route
from hub.services.attempts import ACTOR
from hub.services.hub import repeatable
from hub.services.move_on import move_on
from hub.services.state import PlanState
from hub.store.journal import OPERATOR
from hub.store.work import UnitOfWork

_TASKS = {
    "approve": "Register the citizen's decision on the plan; a receiver waits for it",
    "forward": "Forward the plan to the other organisation's coordinator",
    "hand-over": "Hand version {version} of the plan over to the citizen and record it",
    "consent": "A unit in the plan is not covered by the citizen's consent; nothing is sent to it",
    "subscription": "A receiver has no subscription; add one to the parties file",
    "too-large": "The plan is too large for a receiver; send it in another way and record that",
    "deceased": "The citizen is dead; nothing more is sent. End the plan",
    "protected": (
        "A unit's document says that the citizen's name or address is protected; say so in the plan"
    ),
    "own-document": "Publish your own plan; the shared plan comes back to you in it",
}


def ask(
    work: UnitOfWork,
    state: PlanState,
    found: Route,
    row: Delivery | None,
    now: datetime,
    *,
    kind: str | None = None,
) -> None:
    """Every wait has a named unit's person."""
    wanted = kind or found.task
    if wanted is None:
        return
    party = OPERATOR if wanted == "subscription" else found.task_for
    about = row.id if row else repeatable(state.plan.id, found.receiver)
    work.journal.open_task(
        Task(
            id=repeatable("task", wanted, about),
            kind=wanted,
            party=party,
            text=_TASKS[wanted].format(version=row.version if row else ""),
            plan_id=state.plan.id,
            delivery_id=row.id if row else None,
            inbox_id=None,
            created_at=now,
        )
    )


def ask_of_plan(
    work: UnitOfWork, kind: str, task_id: str, party: str, plan_id: str, now: datetime
) -> None:
    """The plan itself waits for an act, and no delivery of it."""
    work.journal.open_task(Task(task_id, kind, party, _TASKS[kind], plan_id, None, None, now))


def to_protect(plan_id: str) -> str:
    """The id of the task that :func:`ask_to_protect` opens."""
    return repeatable("task", "protected", plan_id)


def ask_to_protect(work: UnitOfWork, state: PlanState) -> None:
    """Another unit knows that the citizen is protected. The plan's Patient is the lead's to write,
    and a unit may know it late; so the lead is asked."""
    plan = state.plan
    if not state.facts.protected:
        now = state.facts.now
        ask_of_plan(work, "protected", to_protect(plan.id), plan.lead, plan.id, now)


def ask_person(work: UnitOfWork, kind: str, row: Delivery, party: str, now: datetime) -> None:
    """One delivery waits for an act of that unit's person."""
    task_id = repeatable("task", kind, row.id)
    text = _TASKS[kind].format(version=row.version)
    work.journal.open_task(Task(task_id, kind, party, text, row.plan_id or None, row.id, None, now))


def ask_for_hand_over(work: UnitOfWork, row: Delivery, lead: str, now: datetime) -> None:
    """The citizen's copy is made and waits for a person's hand; older ones wait no longer."""
    for other in work.deliveries.of_plan(row.plan_id, CITIZEN):
        if other.state is State.SENT and other.version < row.version:
            reason = f"Version {row.version} took its place"
            move_on(work, other, State.SUPERSEDED, reason, ACTOR, now)
    ask_person(work, "hand-over", row, lead, now)

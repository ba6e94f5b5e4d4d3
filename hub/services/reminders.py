"""Before a consent lapses, and when it has: people are asked to renew it (sundhedsloven § 44)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from hub.model.records import Task
from hub.model.routing import registers_approvals
from hub.services.hub import repeatable
from hub.services.state import PlanState
from hub.store.work import UnitOfWork

KIND: Final = "renew-consent"
_TEXT: Final = (
    "The citizen's consent lapses soon, or has lapsed; nothing is sent or read on it after that "
    "day. Ask the citizen anew and register the answer"
)


def remind(
    work: UnitOfWork,
    state: PlanState,
    access: Iterable[Mapping[str, object]],
    now: datetime,
) -> list[str]:
    """Open the tasks; returns the ids of those that nobody needs to do. ``access``: the plan's
    access rows as they now are.

    The lead is asked, and every coordinator that has the plan: being asked tells that there is
    one. A consent that was withdrawn has no rows, and asks for nothing.
    """
    soon = now + timedelta(days=state.facts.agreement.reminder_days)
    last: dict[str, datetime] = {}
    for row in access:
        party, until = str(row["party"]), row["until"]
        assert isinstance(until, datetime)
        last[party] = max(until, last.get(party, until))
    asked = state.plan.open and not state.facts.deceased
    lapses = asked and any(until <= soon for until in last.values())
    done: list[str] = []
    for member in state.members:
        party = member.party.id
        lead = party == state.plan.lead
        if not lead and "coordinator" not in member.roles:
            continue
        task_id = repeatable("task", KIND, state.plan.id, party)
        if lapses and (lead or registers_approvals(state.facts, member)):
            task = Task(task_id, KIND, party, _TEXT, state.plan.id, None, None, now)
            work.journal.open_task(task)
        else:
            done.append(task_id)
    return done

"""Keeping a change for a person: once, however often it is said, and with a task."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from hub.model.party import SYSTEM
from hub.model.plan import SHARED
from hub.model.records import Part, Proposal, Task
from hub.model.same import same
from hub.services.hub import Hub, repeatable
from hub.store.work import UnitOfWork

_TASKS: Final = {
    "proposal": "Another unit proposes a change; accept or reject it",
    "conflict": "The same was changed in two ways; decide what stands",
}
_PROMISE: Final = "Your unit agreed to change its own document; change it there and send it"


def keep(hub: Hub, work: UnitOfWork, proposals: Iterable[Proposal]) -> int:
    """Write down what is new; how many of them wait for a person now.

    What a unit said before is not asked again: it waits already, or it was decided. What it says
    now takes the place of what it said of the same piece.
    """
    waiting = 0
    for proposal in proposals:
        said = work.proposals.of_piece(proposal.plan_id, proposal.author, proposal.piece)
        before = [p for p in said if p.part_id == proposal.part_id]
        said = [p for p in before if same([p.base, p.theirs], [proposal.base, proposal.theirs])]
        if said and said[-1].state != "superseded":
            waiting += said[-1].state == "open"
            continue
        now = hub.clock()
        for old in before:
            if old.state == "open":
                work.proposals.close(old.id, "superseded", proposal.author, now, "")
        work.proposals.add(proposal)
        work.journal.audit(
            now, proposal.author, "propose", f"proposal/{proposal.id}", party=proposal.author,
            detail=f"CarePlan/{proposal.plan_id}/_history/{proposal.version}",
        )  # fmt: skip
        _ask(work, proposal, now)
        waiting += 1
    return waiting


def settle_task(work: UnitOfWork, plan_id: str, decider: str, by: str, now: datetime) -> None:
    """Nobody is asked any more when nothing waits."""
    waiting = work.proposals.listing(SYSTEM, now, state="open", plan_id=plan_id)
    for kind in _TASKS:
        if not any(p.kind == kind and p.decider == decider for p in waiting):
            work.journal.close_tasks(by, now, task_id=_task(plan_id, decider, kind))


def promise(work: UnitOfWork, proposal: Proposal, now: datetime) -> None:
    """The owner of a sector plan has agreed: the hub writes none, so its people do."""
    task_id = _promise(proposal.part_id)
    party, plan = proposal.decider, proposal.plan_id
    work.journal.open_task(
        Task(task_id, "own-change", party, _PROMISE, plan, None, None, created_at=now)
    )


def keeps_promise(work: UnitOfWork, part: Part, by: str, now: datetime) -> None:
    """The owner has sent a changed document."""
    if part.kind != SHARED:
        work.journal.close_tasks(by, now, task_id=_promise(part.id))


def _promise(part_id: str) -> str:
    return repeatable("task", "own-change", part_id)


def _ask(work: UnitOfWork, proposal: Proposal, now: datetime) -> None:
    work.journal.open_task(
        Task(
            id=_task(proposal.plan_id, proposal.decider, proposal.kind),
            kind=proposal.kind,
            party=proposal.decider,
            text=_TASKS[proposal.kind],
            plan_id=proposal.plan_id,
            delivery_id=None,
            inbox_id=None,
            created_at=now,
        )
    )


def _task(plan_id: str, decider: str, kind: str) -> str:
    return repeatable("task", kind, plan_id, decider)

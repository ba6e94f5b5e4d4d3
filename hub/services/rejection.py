"""The citizen has said no to a plan version: two questions that a person answers.

KORA project description, section 7: does the consent still hold, and is a new meeting needed?
Nothing follows from the answer by itself; a consent ends when its withdrawal is registered.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from hub.contract import Party
from hub.errors import Invalid, NotFound
from hub.model.approval import Approval
from hub.model.party import Viewer
from hub.model.records import Plan, Task
from hub.model.routing import registers_approvals
from hub.services.hub import Hub, repeatable
from hub.services.state import plan_state
from hub.store.work import UnitOfWork

KIND: Final = "plan-rejected"
WITHDRAW: Final = "withdraw-consent"
_TEXT: Final = (
    "The citizen has said no to the plan. Does the consent still hold, and is a new meeting "
    "needed? Record the answer"
)
_WITHDRAW_TEXT: Final = (
    "The citizen's consent no longer holds, as a person has recorded; register its withdrawal"
)
_NOT_ASKED: Final = "No such question waits for you"


def ask_after(work: UnitOfWork, plan: Plan, approval: Approval, actor: str, now: datetime) -> None:
    """A no asks; any later decision on the plan takes the question back."""
    if approval.decision != "no":
        work.journal.close_tasks(actor, now, plan_id=plan.id, kind=KIND)
        return
    task_id = repeatable("task", KIND, plan.id)
    work.journal.open_task(Task(task_id, KIND, plan.lead, _TEXT, plan.id, None, None, now))


def check_asked(hub: Hub, by: Party, plan_id: str) -> None:
    """Raises NotFound where nothing is asked of this unit: for it there is no such plan."""
    with hub.store.reading() as work:
        _plan(hub, work, by, plan_id, hub.clock())


def answer(
    hub: Hub, by: Party, plan_id: str, person: str, *, consent_holds: bool, new_meeting: bool
) -> None:
    """Record the answer of a person of the lead's unit, or of a coordinator that has the plan."""
    if not person.strip():
        raise Invalid("Say who does it")
    with hub.store.writing() as work:
        now = hub.clock()
        work.plans.lock(plan_id)
        plan = _plan(hub, work, by, plan_id, now)
        actor = f"{by.id}: {person}"
        said = (
            f"consent {'holds' if consent_holds else 'does not hold'}, "
            f"{'a new meeting' if new_meeting else 'no new meeting'}"
        )
        work.journal.audit(
            now, actor, "answer-no", f"CarePlan/{plan.id}/_history/{plan.head}", party=by.id,
            detail=said,
        )  # fmt: skip
        work.journal.close_tasks(actor, now, plan_id=plan.id, kind=KIND)
        if not consent_holds:
            task_id = repeatable("task", WITHDRAW, plan.id)
            asked = Task(task_id, WITHDRAW, plan.lead, _WITHDRAW_TEXT, plan.id, None, None, now)
            work.journal.open_task(asked)
        work.commit()


def _plan(hub: Hub, work: UnitOfWork, by: Party, plan_id: str, now: datetime) -> Plan:
    plan = work.plans.get(plan_id, Viewer.of(by), now)
    if plan is None or not _entitled(hub, work, plan, by) or not _asked(work, plan):
        raise NotFound(_NOT_ASKED)
    return plan


def _entitled(hub: Hub, work: UnitOfWork, plan: Plan, by: Party) -> bool:
    state = plan_state(work, plan, work.parties.directory(), hub.clock())
    member = state.member(by.id)
    return member is not None and registers_approvals(state.facts, member)


def _asked(work: UnitOfWork, plan: Plan) -> bool:
    lead = Viewer("party", plan.lead)
    return any(t.kind == KIND and t.plan_id == plan.id for t in work.journal.tasks(lead))

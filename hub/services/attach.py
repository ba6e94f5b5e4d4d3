"""Step 3: which plan a document belongs to; and who waits for one."""

from __future__ import annotations

from dataclasses import replace

from hub.contract import Party, PlanUpdate
from hub.errors import Invalid, Issue
from hub.model.alone import is_alone
from hub.model.attach import attach
from hub.model.lawful import may_take_part
from hub.model.party import SYSTEM, Directory
from hub.model.plan import SHARED, team
from hub.model.records import InboxItem, Part, Plan, Task
from hub.model.routing import newest_for
from hub.services.hub import Hub, repeatable
from hub.services.state import plan_state
from hub.store.journal import OPERATOR
from hub.store.work import UnitOfWork

LONGEST_CASE_ID = 255
"""Longer ones fit no index of the database; R4 identifiers are far shorter."""

_NO_SUCH_PLAN = "There is no such plan; leave the plan id out to make a new one"
_WHICH = "Say which of the citizen's plans the document belongs to"
_WAITS = "A document waits: there is no open plan whose team its sender is in"


def place(
    work: UnitOfWork,
    item: InboxItem,
    sender: Party,
    citizen: str,
    update: PlanUpdate,
    hub: Hub,
    directory: Directory,
) -> tuple[Part, Plan | None, tuple[Issue, ...]]:
    """The part (new or known) and the plan it belongs to."""
    case = update.case or str(update.resources[0]["id"])
    if len(case) > LONGEST_CASE_ID or not case.isprintable():
        raise Invalid(f"The case id has at most {LONGEST_CASE_ID} printable characters")
    known = work.plans.part(sender.id, update.part, case)
    if known is not None and known.citizen_id != citizen:
        raise Invalid("This case is known for another citizen; nothing was changed")
    part_id = str(update.resources[0]["id"])
    new_to_plan = update.part == SHARED and update.plan_id is not None
    if known is None and not new_to_plan and work.plans.part_by_id(part_id) is not None:
        raise Invalid("The id belongs to another part of a plan", at="CarePlan.id")
    part = known or Part(part_id, citizen, None, sender.id, update.part, case, (), None)
    if is_alone(update.part):
        return _alone(part, update)
    if update.part == SHARED:
        return (*_shared(work, sender, citizen, update, part, hub, directory), ())
    plans = work.plans.of_citizen(citizen, SYSTEM, hub.clock())
    # Nothing joins a plan the sender may not know of: the answer would tell that there is one.
    own = [p for p in plans if p.open and knows(work, sender, p, hub, directory)]
    if part.plan_id is not None and not any(p.open and p.id == part.plan_id for p in plans):
        # Its plan has ended, the case goes on: it waits for the next plan, as at first.
        part = replace(part, plan_id=None)
    if update.plan_id not in {None, part.plan_id, *(p.id for p in own)}:
        raise Invalid("There is no such plan; name another, or leave the plan id out")
    found = attach(update.plan_id, part, own)
    asked = repeatable(part.id, "attach")
    if found.plan_id is not None:
        work.journal.close_tasks(sender.id, hub.clock(), task_id=asked)
        return replace(part, plan_id=found.plan_id), work.plans.lock(found.plan_id), ()
    who, wanted = (sender.id, _WHICH) if found.ambiguous else (OPERATOR, _WAITS)
    work.journal.open_task(Task(asked, "attach", who, wanted, None, None, item.id, hub.clock()))
    if found.ambiguous:
        text = "Kept, shown to nobody: the citizen has several open plans; name the plan"
        return part, None, (Issue("warning", "multiple-matches", text),)
    text = "Kept; the citizen has no plan yet, and it is shown to nobody until there is one"
    return part, None, (Issue("information", "informational", text),)


def _alone(part: Part, update: PlanUpdate) -> tuple[Part, None, tuple[Issue, ...]]:
    """In no plan, whatever plans there are: the answer is the same for every citizen."""
    if update.plan_id is not None:
        raise Invalid("Such a plan is never part of a shared plan; leave the plan id out")
    text = "Kept, readable by you alone; it is never part of a shared plan"
    return replace(part, plan_id=None), None, (Issue("information", "informational", text),)


def knows(work: UnitOfWork, party: Party, plan: Plan, hub: Hub, directory: Directory) -> bool:
    """The party leads the plan, or may have it now."""
    if plan.lead == party.id:
        return True
    state = plan_state(work, plan, directory, hub.clock())
    member = state.member(party.id)
    return member is not None and newest_for(state.facts, member) is not None


def _shared(
    work: UnitOfWork,
    sender: Party,
    citizen: str,
    update: PlanUpdate,
    part: Part,
    hub: Hub,
    directory: Directory,
) -> tuple[Part, Plan]:
    """The lead's own case id, or the hub's plan id, finds the plan; else it is a new one.

    Whoever may know of the plan may send its shared part: what it may change of it is decided
    piece by piece.
    """
    named = update.plan_id or part.plan_id
    plan = work.plans.lock(named) if named else None
    if plan is not None and not knows(work, sender, plan, hub, directory):
        # A plan that the sender may not know of does not exist for it.
        plan = None
    if plan is not None:
        if plan.citizen_id != citizen:
            raise Invalid(_NO_SUCH_PLAN)
        own = next((p for p in work.plans.parts(plan.id) if p.kind == SHARED), part)
        return own, plan
    if update.plan_id is not None:
        raise Invalid(_NO_SUCH_PLAN)
    plan = Plan(part.id, citizen, sender.id, "active", 0, 1)
    work.plans.add(plan, hub.clock())
    return replace(part, plan_id=plan.id), plan


def gather(
    work: UnitOfWork, plan: Plan, directory: Directory, *, now_parts: Part, hub: Hub
) -> list[Part]:
    """The team's sector plans that wait for a plan join it, if it is the only open one that their
    owner may know of: what does not join would tell it of another.

    So do those whose plan has ended: several plans over time are normal.
    """
    now = hub.clock()
    plans = work.plans.of_citizen(plan.citizen_id, SYSTEM, now)
    if not plan.open:
        return []
    others = [p for p in plans if p.open and p.id != plan.id]
    consents = work.consents.of_citizen(plan.citizen_id)
    members, _ = team(work.plans.resources(now_parts.members), directory.find)
    there = {m.party.id: m.party for m in members}
    ended = [part for p in plans if not p.open for part in work.plans.parts(p.id)]
    joined = []
    for loose in (*work.plans.loose_parts(plan.citizen_id), *ended):
        if loose.kind == SHARED or is_alone(loose.kind) or loose.owner not in there:
            continue
        if any(knows(work, there[loose.owner], p, hub, directory) for p in others):
            continue
        if may_take_part(consents, there[loose.owner], "exchange", now).permit:
            joined.append(replace(loose, plan_id=plan.id))
            work.plans.save_part(joined[-1], now)
            asked = repeatable(loose.id, "attach")
            work.journal.close_tasks(now_parts.owner, now, task_id=asked)
    return joined

"""What a receiver's person writes about a plan: which plan, who is asked, who may read it.

A letter is addressed to the unit that leads the plan. It is read by that unit, by whoever leads
now and the coordinators as far as the citizen's consent lets them have what has no section label,
and by the unit that wrote it; not by the operator (docs/medcom.md says why).
"""

from __future__ import annotations

from typing import Final

from hub.contract import Correspondence, Party
from hub.errors import Issue, NoLegalBasis, NotFound
from hub.model.lawful import Shared, decide
from hub.model.party import SYSTEM, Directory
from hub.model.records import InboxItem, Letter, Plan, Task
from hub.model.routing import purpose_for
from hub.services.answers import Answer
from hub.services.attach import knows
from hub.services.hub import Hub, repeatable
from hub.services.state import PlanState, plan_state
from hub.store.journal import OPERATOR
from hub.store.work import UnitOfWork

KIND: Final = "correspondence"
_READ: Final = "A receiver has written about the plan; read the message and answer it"
_WHICH: Final = (
    "A message from a receiver fits no single plan; ask its sender which one it is about"
)
_KEPT: Final = Issue("information", "informational", "Received; a person will read it")
_NOBODY: Final = (
    "Nobody here may be shown this message; it is sealed and unread. Telephone the unit that you "
    "wrote to"
)
"""The same words whether the citizen, the plan or the consent is what is not there."""


def receive_letter(
    hub: Hub,
    work: UnitOfWork,
    item: InboxItem,
    sender: Party,
    directory: Directory,
    letter: Correspondence,
) -> Answer:
    """Keep it with its plan and ask the lead's unit to read it.

    Raises NoLegalBasis where the sender takes part in no plan that it could be about.
    """
    plan = _plan(hub, work, sender, directory, letter)
    now = hub.clock()
    if plan is None:
        task_id = repeatable(item.id, KIND)
        work.journal.open_task(
            Task(task_id, KIND, OPERATOR, _WHICH, None, None, item.id, now)
        )  # fmt: skip
        return Answer("unattached", (_KEPT,))
    work.conversations.add_letter(
        Letter(item.id, plan.id, sender.id, plan.lead, letter.kind, letter.text, item.received_at)
    )
    _continue(work, item, plan, letter)
    task_id = repeatable(item.id, KIND)
    work.journal.open_task(Task(task_id, KIND, plan.lead, _READ, plan.id, None, item.id, now))
    work.journal.audit(
        now, sender.id, "write", f"CarePlan/{plan.id}/_history/{plan.head}", party=plan.lead,
        detail=f"letter/{item.id}",
    )  # fmt: skip
    return Answer("applied", (_KEPT,), (plan.id, plan.head), citizen=plan.citizen_id)


def _plan(
    hub: Hub, work: UnitOfWork, sender: Party, directory: Directory, letter: Correspondence
) -> Plan | None:
    """The plan of the thread it answers, else the citizen's only open one that the sender knows."""
    now = hub.clock()
    key = letter.in_reply_to
    named = work.conversations.plan_of(sender.id, key) if key else None
    citizen = None
    if letter.citizen is not None:
        citizen = work.plans.citizen(letter.citizen.identifiers)
    if named is not None:
        plan = work.plans.get(named, SYSTEM, now)
        assert plan is not None
        if not knows(work, sender, plan, hub, directory):
            raise NoLegalBasis(_NOBODY)
        # Another citizen's number in this plan's thread: a person must see which one is meant.
        return plan if citizen in {None, plan.citizen_id} else None
    plans = work.plans.of_citizen(citizen, SYSTEM, now) if citizen else []
    known = [p for p in plans if p.open and knows(work, sender, p, hub, directory)]
    if not known:
        raise NoLegalBasis(_NOBODY)
    return known[0] if len(known) == 1 else None


def _continue(work: UnitOfWork, item: InboxItem, plan: Plan, letter: Correspondence) -> None:
    """The next document replies to this one, if it came in the thread that is continued."""
    thread = work.conversations.thread(plan.id, item.sender, item.format)
    if thread is None or letter.thread is None or thread.key != letter.in_reply_to:
        return
    state = {**thread.state, **letter.thread}
    work.conversations.save_thread(plan.id, item.sender, item.format, thread.continued_by(state))


def letters(hub: Hub, reader: Party, plan_id: str) -> list[Letter]:
    """What was written about the plan and this unit may read, oldest first; audited.

    NotFound for a plan that the unit may not know of.
    """
    now = hub.clock()
    with hub.store.writing() as work:
        plan = work.plans.get(plan_id, SYSTEM, now)
        directory = work.parties.directory()
        if plan is None or not knows(work, reader, plan, hub, directory):
            raise NotFound("No such plan is known to you")
        every = _reads_all(plan_state(work, plan, directory, now), reader)
        found = [
            x
            for x in work.conversations.letters(plan_id)
            if every or reader.id in {x.sender, x.addressee}
        ]
        for letter in found:
            work.journal.audit(
                now, reader.id, "read", f"CarePlan/{plan_id}/_history/{plan.head}",
                party=reader.id, detail=f"letter/{letter.id}",
            )  # fmt: skip
        work.commit()
    return found


def _reads_all(state: PlanState, reader: Party) -> bool:
    """It leads or coordinates, and is covered for what carries no label; it has the plan."""
    member = state.member(reader.id)
    if member is None or not (reader.id == state.plan.lead or "coordinator" in member.roles):
        return False
    purpose = purpose_for(member.roles)
    return decide(reader, Shared(state.facts.consents), purpose, state.facts.now).permit


def seen_to(hub: Hub, by: Party, plan_id: str, message: str, person: str) -> None:
    """A person of the lead's unit has read the letter and seen to it; the task is done."""
    now = hub.clock()
    with hub.store.writing() as work:
        plan = work.plans.get(plan_id, SYSTEM, now)
        found = work.conversations.letters(plan_id) if plan else []
        known = plan is not None and knows(work, by, plan, hub, work.parties.directory())
        mine = any(
            x.id == message and by.id in {x.addressee, plan.lead if plan else None} for x in found
        )
        if not (known and mine):
            raise NotFound("No such message waits for you")
        actor = f"{by.id}: {person}"
        work.journal.close_tasks(actor, now, task_id=repeatable(message, KIND))
        work.journal.audit(
            now, actor, "answer", f"letter/{message}", party=by.id, detail=f"plan/{plan_id}"
        )
        work.commit()

"""What was published in error, or sent to the wrong receiver: taken back, and who had it is told.

A document of the wrong citizen: its resource is set ``entered-in-error``, the plan gets a version
without it, older versions are shown without it, and frozen copies that hold it leave no more. Of
the shared part the whole plan is in error. Whoever something was sent to gets a correction, and
the audit of the plan says who held it: that is the affected citizen's access record.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from hub.errors import Invalid, NotFound
from hub.fhir.numbers import names_a_citizen
from hub.model.party import CITIZEN, SYSTEM, Directory
from hub.model.plan import SHARED, canonical
from hub.model.records import Delivery, Part, Plan
from hub.model.withdrawal import CORRECTION, Retraction
from hub.services.document_route import follow_document
from hub.services.hub import Hub, sha256
from hub.services.kept import LONGEST_REASON
from hub.services.notices import add_notice
from hub.services.route import reconcile
from hub.services.state import PlanState, plan_state
from hub.services.tasks import IN_ERROR
from hub.services.versions import next_version
from hub.services.withdrawal import ask_to_act, tell_holders
from hub.store.work import UnitOfWork

STATUS: Final = "entered-in-error"
_ASKED: Final = (
    "Something of the plan was published in error, and units had it; see what may have left, and "
    "talk with the citizen"
)


def retract(
    hub: Hub,
    work: UnitOfWork,
    part: Part,
    plan: Plan | None,
    directory: Directory,
    *,
    by: str,
    actor: str,
    cause: str,
    reason: str,
) -> int:
    """In the caller's transaction; gives the first version without it (0: it is in no plan).

    ``by``: the unit whose document it is; ``actor``: who says so.
    """
    now = hub.clock()
    first = work.plans.resources(part.members[:1])[f"CarePlan/{part.id}"] | {"status": STATUS}
    key = work.plans.save_resource(first, sha256(canonical(first)), part.id, by, now)
    work.journal.audit(
        now, actor, "entered-in-error", f"CarePlan/{part.id}/_history/{key[2]}", party=by,
        detail=f"{cause}: {reason}",
    )  # fmt: skip
    if plan is None:
        wrong = replace(part, members=(key, *part.members[1:]))
        work.plans.save_part(wrong, now)
        follow_document(hub, work, wrong, directory, actor=actor)
        return 0
    before = plan_state(work, plan, directory, now)
    sent = work.deliveries.attempted(plan.id)
    number = _next(hub, work, plan, replace(part, members=(key, *part.members[1:])), directory,
                   by, actor)  # fmt: skip
    work.withdrawals.retract(Retraction(part.id, plan.id, number, cause, actor, reason, now))
    # What was frozen before is not sent again.
    work.plans.bump_epoch(plan.id)
    reconcile(hub, work, plan.id, directory, actor=actor)
    _correct(hub, work, before, sent, cause=cause, by=by, actor=actor)
    return number


def _next(
    hub: Hub, work: UnitOfWork, plan: Plan, part: Part, directory: Directory, by: str, actor: str
) -> int:
    """The plan's version without the part; of the shared part, the version that ends it all."""
    owner = directory.get(by)
    assert owner is not None
    now = hub.clock()
    if part.kind == SHARED:
        work.plans.set_status(plan.id, STATUS)
        work.plans.save_part(part, now)
    else:
        gone = replace(part, members=(), source_inbox=None, document_inbox=None)
        work.plans.save_part(gone, now)
    number, _ = next_version(hub, work, plan, owner, actor=actor)
    return number


def _correct(
    hub: Hub,
    work: UnitOfWork,
    state: PlanState,
    sent: list[Delivery],
    *,
    cause: str,
    by: str,
    actor: str,
) -> None:
    """Tell the holders, write down who they are, ask the people who must act."""
    plan, now = state.plan, hub.clock()
    rows = {d.id: d for d in work.deliveries.attempted(plan.id)}
    sent = [rows[d.id] for d in sent]
    holders = {d.receiver: CORRECTION for d in sent}
    record = tell_holders(hub, work, plan, sent, holders, cause=cause, by=by, actor=actor)
    for left in record.may_have_left:
        work.journal.audit(
            now, actor, "entered-in-error", f"CarePlan/{plan.id}/_history/{left.version}",
            party=left.receiver, detail=f"delivery/{left.delivery}: {left.how}",
        )  # fmt: skip
    coordinators = {m.party.id for m in state.members if "coordinator" in m.roles}
    asked = {plan.lead, by} | (coordinators & holders.keys())
    ask_to_act(work, plan, asked, IN_ERROR, _ASKED, record.id, now)


def document_in_error(
    hub: Hub, message_id: str, *, actor: str, reason: str, sender: str | None = None
) -> int:
    """Take back the document that came in that message; see :func:`retract`.

    ``sender``: the unit that asks, whose document it must be; None is the operator. Raises
    NotFound, or Invalid where a newer document of the case has come since.
    """
    _can_be_kept(reason)
    with hub.store.writing() as work:
        item = work.inbox.get(message_id, SYSTEM)
        if item is None or sender not in {None, item.sender}:
            raise NotFound("No such message is known to you")
        part = work.plans.part_of_message(message_id)
        if part is not None:
            work.plans.hold_citizens((), [part.citizen_id])
            part = work.plans.part_of_message(message_id)
        if part is None or not part.members:
            newer = item.plan_id is not None
            raise Invalid(
                "It is not the newest document of its case; take that back"
                if newer
                else "Nothing of this message is in a plan; there is nothing to take back"
            )
        plan = work.plans.lock(part.plan_id) if part.plan_id else None
        number = retract(
            hub, work, part, plan, work.parties.directory(), by=part.owner, actor=actor,
            cause=f"inbox/{message_id}", reason=reason,
        )  # fmt: skip
        work.commit()
    hub.wake.set()
    return number


def sent_in_error(hub: Hub, delivery_id: str, *, actor: str, reason: str) -> Delivery:
    """The operator says that the receiver of a delivery was the wrong one: it is told.

    That it gets no more is the lead's to say (the team) and the citizen's (the consent).
    """
    _can_be_kept(reason)
    now = hub.clock()
    with hub.store.writing() as work:
        found = work.deliveries.get(delivery_id, SYSTEM)
        plan = work.plans.lock(found.plan_id) if found and found.plan_id else None
        if found is None or plan is None or found.receiver == CITIZEN:
            raise NotFound("No such delivery is known to you")
        if found.attempts == 0:
            raise Invalid("Nothing has been sent to the receiver; there is nothing to correct")
        cause = f"delivery/{delivery_id}"
        work.journal.audit(
            now, actor, "entered-in-error", f"CarePlan/{plan.id}/_history/{found.version}",
            party=found.receiver, detail=f"{cause}: {reason}",
        )  # fmt: skip
        add_notice(hub, work, plan, found.receiver, CORRECTION, cause, actor, now)
        ask_to_act(work, plan, {plan.lead}, IN_ERROR, _ASKED, cause, now)
        work.commit()
    hub.wake.set()
    return found


def _can_be_kept(reason: str) -> None:
    why = reason.strip()
    if not why or len(why) > LONGEST_REASON:
        raise Invalid(f"Say why it is in error, in at most {LONGEST_REASON} characters")
    if names_a_citizen(why):
        raise Invalid("Say why without a citizen's number; the audit trail keeps it")

"""Step 3: attach a document to its plan and make the next version, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hub.contract import Party, PlanUpdate, Resource
from hub.errors import Invalid, Issue, NoLegalBasis, StaleBase
from hub.fhir.bundles import rewritten
from hub.model.attach import Attachment, attach
from hub.model.consent import Verdict, may_take_part
from hub.model.party import SYSTEM, Directory
from hub.model.plan import SHARED, Key, canonical, digest_of, team, with_decisions
from hub.model.records import InboxItem, Part, Plan, PlanVersion, Task
from hub.model.routing import newest_for
from hub.services.answers import Answer
from hub.services.hub import Hub, repeatable, sha256
from hub.services.route import plan_state, reconcile
from hub.store.work import UnitOfWork

LONGEST_CASE_ID = 255
"""Longer ones fit no index of the database; R4 identifiers are far shorter."""

_NO_SUCH_PLAN = "There is no such plan; leave the plan id out to make a new one"


def apply_update(
    hub: Hub,
    work: UnitOfWork,
    item: InboxItem,
    sender: Party,
    directory: Directory,
    update: PlanUpdate,
) -> Answer:
    """Store the part; if it belongs to a plan and changed it, make the plan's next version."""
    now = hub.clock()
    work.inbox.forget_losses(item.id)
    citizen = _citizen(work, update)
    basis = _basis(hub, work, citizen, sender, update)
    if citizen is None or not basis.permit:
        # The same words whoever the citizen is: why not would tell what is registered here.
        raise NoLegalBasis(
            "No consent that covers you is registered for this citizen; register it and send the "
            "document again"
        )
    work.deliveries.add_losses((*update.losses, *update.not_shared), inbox_id=item.id)
    part, plan, issues = _place(work, item, sender, citizen, update, hub, directory)
    if _overtaken(work, item, part):
        text = "A newer document of this case has been received; this one changed nothing"
        told = Issue("information", "informational", text)
        where = (plan.id, plan.head) if plan is not None and plan.head else None
        return Answer("applied", (told,), where, basis.basis)
    if plan is not None:
        _refuse_stale(work, plan, update)
    members = _store(work, part, sender, citizen, update, hub)
    part = replace(part, members=members, source_inbox=item.id)
    work.plans.save_part(part, now)
    if plan is None:
        return Answer("unattached", (*issues, *update.issues), basis=basis.basis)
    if part.kind == SHARED:
        _gather(work, plan, directory, now_parts=part, hub=hub)
    number, changed = _next_version(hub, work, plan, sender, item)
    strangers = reconcile(hub, work, plan.id, directory, actor=sender.id)
    text = f"Accepted as version {number}" if changed else f"Nothing new; version {number} stands"
    told = Issue("information", "informational", f"{text} of CarePlan/{plan.id}")
    unknown = tuple(
        Issue("warning", "not-found", "No such unit is a party here; nothing is sent to it", s)
        for s in strangers
        if part.kind == SHARED
    )
    return Answer(
        "applied", (told, *issues, *unknown, *update.issues), (plan.id, number), basis.basis
    )


def _citizen(work: UnitOfWork, update: PlanUpdate) -> str | None:
    """The one citizen that the document's numbers name.

    A document makes no number a citizen's: whether two numbers are one person is decided by a
    person, when a consent is registered.
    """
    systems = [i.system for i in set(update.citizen.identifiers)]
    if len(set(systems)) != len(systems):
        raise Invalid("Two numbers of one kind; send one citizen's document", at="Patient")
    found = {work.plans.citizen([i]) for i in update.citizen.identifiers} - {None}
    return found.pop() if len(found) == 1 else None


def _overtaken(work: UnitOfWork, item: InboxItem, part: Part) -> bool:
    """What was received earlier and is processed later must not undo what is newer."""
    source = work.inbox.get(part.source_inbox, SYSTEM) if part.source_inbox else None
    return source is not None and source.received_at > item.received_at


def _basis(
    hub: Hub, work: UnitOfWork, citizen: str | None, sender: Party, update: PlanUpdate
) -> Verdict:
    """May the hub take this document at all? A plan needs the citizen's consent to make it."""
    if citizen is None:
        return Verdict(False, "No consent of this citizen is registered")
    consents = work.consents.of_citizen(citizen)
    if update.part == SHARED:
        return may_take_part(consents, sender.id, "make-plan", hub.clock())
    return may_take_part(consents, sender.id, "exchange", hub.clock())


def _place(
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
    if known is None and not new_to_plan and work.plans.has_part(part_id):
        raise Invalid("The id belongs to another part of a plan", at="CarePlan.id")
    part = known or Part(part_id, citizen, None, sender.id, update.part, case, (), None)
    if update.part == SHARED:
        return (*_shared(work, sender, citizen, update, part, hub, directory), ())
    plans = work.plans.of_citizen(citizen, SYSTEM, hub.clock())
    there = [p for p in plans if p.status == "active"]
    # Nothing joins a plan the sender may not know of: the answer would tell that there is one.
    own = {p.id for p in there if _knows(work, sender, p, hub, directory)}
    if update.plan_id not in {None, *own, known.plan_id if known else None}:
        raise Invalid("There is no such plan; name another, or leave the plan id out")
    place = attach(update.plan_id, known, there if own else [])
    if place.plan_id not in {*own, known.plan_id if known else None}:
        place = Attachment(None)
    if place.plan_id is not None:
        locked = work.plans.lock(place.plan_id)
        return replace(part, plan_id=place.plan_id), locked, ()
    text = "Kept; the citizen has no plan yet, and it is shown to nobody until there is one"
    if place.ambiguous:
        text = "Kept, shown to nobody: the citizen has several open plans; name the plan"
        work.journal.open_task(
            Task(repeatable(part.id, "attach"), "attach", sender.id,
                 "Say which of the citizen's plans the document belongs to", None, None,
                 item.id, hub.clock())
        )  # fmt: skip
    code = "multiple-matches" if place.ambiguous else "informational"
    severity = "warning" if place.ambiguous else "information"
    return part, None, (Issue(severity, code, text),)  # type: ignore[arg-type]


def _knows(work: UnitOfWork, party: Party, plan: Plan, hub: Hub, directory: Directory) -> bool:
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
    """The lead's own case id, or the hub's plan id, finds the plan; else it is a new one."""
    named = update.plan_id or part.plan_id
    plan = work.plans.lock(named) if named else None
    if plan is not None and not _knows(work, sender, plan, hub, directory):
        # A plan that the sender may not know of does not exist for it.
        plan = None
    if plan is not None:
        if plan.citizen_id != citizen:
            raise Invalid(_NO_SUCH_PLAN)
        if plan.lead != sender.id:
            raise Invalid(
                "Only the lead's unit changes the shared part; send the lead your proposal"
            )
        own = next((p for p in work.plans.parts(plan.id) if p.kind == SHARED), part)
        return own, plan
    if update.plan_id is not None:
        raise Invalid(_NO_SUCH_PLAN)
    plan = Plan(part.id, citizen, sender.id, "active", 0, 1)
    work.plans.add(plan, hub.clock())
    return replace(part, plan_id=plan.id), plan


def _refuse_stale(work: UnitOfWork, plan: Plan, update: PlanUpdate) -> None:
    """A change of the shared part must be written on its newest content."""
    if update.part != SHARED or update.base_version is None or plan.head == 0:
        return
    versions = work.plans.versions(plan.id)
    base = next((v for v in versions if v.number == update.base_version), None)
    if base is None or base.digest != versions[-1].digest:
        raise StaleBase(f"The shared part has changed; fetch version {plan.head} and merge")


def _store(
    work: UnitOfWork, part: Part, sender: Party, citizen: str, update: PlanUpdate, hub: Hub
) -> tuple[Key, ...]:
    """Save what changed; the citizen is one Patient in the hub, told by the shared part."""
    patients = {f"Patient/{r['id']}" for r in update.resources if r["resourceType"] == "Patient"}
    keys: list[Key] = []
    for resource in _with_one_patient(update.resources, patients, citizen):
        if resource["resourceType"] == "Patient" and part.kind != SHARED:
            continue
        owner = citizen if resource["resourceType"] == "Patient" else part.id
        if part.kind == SHARED and resource["id"] == part.id and part.members:
            before = work.plans.resources(part.members[:1])
            resource = with_decisions(resource, before[f"CarePlan/{part.id}"])  # noqa: PLW2901
        try:
            keys.append(
                work.plans.save_resource(
                    resource, sha256(canonical(resource)), owner, sender.id, hub.clock()
                )
            )  # fmt: skip
        except ValueError:
            place = f"{resource['resourceType']}.id"
            raise Invalid("The id belongs to another part of a plan", at=place) from None
    return tuple(keys)


def _with_one_patient(
    resources: Iterable[Resource], patients: set[str], citizen: str
) -> list[Resource]:
    own = f"Patient/{citizen}"
    made = []
    for resource in resources:
        changed = rewritten(resource, lambda r: own if r in patients else None)
        if resource["resourceType"] == "Patient":
            changed["id"] = citizen
        made.append(changed)
    return made


def _gather(
    work: UnitOfWork, plan: Plan, directory: Directory, *, now_parts: Part, hub: Hub
) -> None:
    """The team's sector plans that came before the plan join it, if it is the only one."""
    if len(work.plans.of_citizen(plan.citizen_id, SYSTEM, hub.clock())) > 1:
        return
    consents = work.consents.of_citizen(plan.citizen_id)
    members, _ = team(work.plans.resources(now_parts.members), directory.find)
    there = {m.party.id for m in members}
    for loose in work.plans.loose_parts(plan.citizen_id):
        if loose.id == now_parts.id or loose.owner not in there:
            continue
        if may_take_part(consents, loose.owner, "exchange", hub.clock()).permit:
            work.plans.save_part(replace(loose, plan_id=plan.id), hub.clock())


def _next_version(
    hub: Hub, work: UnitOfWork, plan: Plan, sender: Party, item: InboxItem
) -> tuple[int, bool]:
    """A new manifest, if it differs from the head's."""
    parts = work.plans.parts(plan.id)
    manifest = {p.id: p.members for p in parts if p.members}
    head = work.plans.version(plan.id, plan.head)
    if head is not None and dict(head.manifest) == manifest:
        return plan.head, False
    shared = next(p for p in parts if p.kind == SHARED)
    digest = digest_of(work.plans.resources(shared.members).values())
    number = plan.head + 1
    version = PlanVersion(plan.id, number, manifest, digest, sender.id, hub.clock())
    work.plans.add_version(version, item.id)
    work.journal.audit(
        hub.clock(), sender.id, "update", f"CarePlan/{plan.id}/_history/{number}",
        party=sender.id, detail=f"inbox/{item.id}",
    )  # fmt: skip
    return number, True

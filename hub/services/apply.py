"""Step 3: attach a document to its plan and make the next version, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hub.contract import Party, PlanUpdate, Resource
from hub.errors import Invalid, Issue, NoLegalBasis, StaleBase
from hub.fhir.bundles import rewritten
from hub.model.alone import statute_of
from hub.model.consent import Verdict, may_take_part
from hub.model.party import SYSTEM, Directory
from hub.model.plan import SHARED, Key, canonical, digest_of, with_decisions
from hub.model.records import InboxItem, InboxState, Part, Plan, PlanVersion
from hub.services.answers import Answer
from hub.services.attach import gather, place
from hub.services.hub import Hub, new_id, sha256
from hub.services.route import reconcile
from hub.store.work import UnitOfWork


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
    work.losses.forget(inbox_id=item.id)
    citizen = _citizen(work, update)
    basis = _basis(hub, work, citizen, sender, update)
    if citizen is None and basis.permit:
        citizen = _first_seen(work, update)
    if citizen is None or not basis.permit:
        # The same words whoever the citizen is: why not would tell what is registered here.
        raise NoLegalBasis(
            "No consent that covers you is registered for this citizen; register it and send the "
            "document again"
        )
    work.losses.add((*update.losses, *update.not_shared), inbox_id=item.id)
    part, plan, issues = place(work, item, sender, citizen, update, hub, directory)
    if _overtaken(work, item, part):
        text = "A newer document of this case has been received; this one changed nothing"
        told = Issue("information", "informational", text)
        where = (plan.id, plan.head) if plan is not None and plan.head else None
        return Answer("applied", (told,), where, basis.basis)
    if plan is not None:
        _refuse_stale(work, plan, update)
    members = _store(work, part, sender, citizen, update, hub)
    # What came over REST is no document that could be re-issued to its owner.
    document = item.id if item.request is None else part.document_inbox
    part = replace(part, members=members, source_inbox=item.id, document_inbox=document)
    work.plans.save_part(part, now)
    if plan is None:
        state: InboxState = "unattached" if statute_of(part.kind) is None else "applied"
        return Answer(state, (*issues, *update.issues), basis=basis.basis)
    joined: list[Part] = []
    if part.kind == SHARED:
        plan = replace(plan, status=str(update.resources[0]["status"]))
        work.plans.set_status(plan.id, plan.status)
        joined = gather(work, plan, directory, now_parts=part, hub=hub)
    number, changed = _next_version(hub, work, plan, sender, item)
    for one in joined:
        work.inbox.join(one.source_inbox or "", (plan.id, number))
    strangers = reconcile(hub, work, plan.id, directory, actor=sender.id)
    text = f"Accepted as version {number}" if changed else f"Nothing new; version {number} stands"
    told = Issue("information", "informational", f"{text} of CarePlan/{plan.id}")
    unknown = tuple(
        Issue("warning", "not-found", "No such unit is a party here; nothing is sent to it", at)
        for at in (_as_sent(update, s) for s in strangers)
        if part.kind == SHARED
    )
    return Answer(
        "applied", (told, *issues, *unknown, *update.issues), (plan.id, number), basis.basis
    )


def _as_sent(update: PlanUpdate, member: str) -> str:
    """A team member's path (``Type/id#element``) as a place in the document, where it is known."""
    team, _, element = member.partition("#")
    place = update.places.get(team)
    return update.places.get(member) or (f"{place}.{element}" if place else member)


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


def _first_seen(work: UnitOfWork, update: PlanUpdate) -> str | None:
    """A citizen of whom nothing is registered, kept on a statute; None if the numbers disagree.

    Only with one number: a document makes no two numbers one person.
    """
    numbers = set(update.citizen.identifiers)
    if len(numbers) != 1 or work.plans.citizen(numbers) is not None:
        return None
    citizen = new_id()
    work.plans.add_citizen(citizen, numbers)
    return citizen


def _overtaken(work: UnitOfWork, item: InboxItem, part: Part) -> bool:
    """What was received earlier and is processed later must not undo what is newer.

    What came over REST names the version it was written on, and that has been looked at.
    """
    if item.request is not None:
        return False
    source = work.inbox.get(part.source_inbox, SYSTEM) if part.source_inbox else None
    return source is not None and source.received_at > item.received_at


def _basis(
    hub: Hub, work: UnitOfWork, citizen: str | None, sender: Party, update: PlanUpdate
) -> Verdict:
    """May the hub take this document at all? A plan needs the citizen's consent, or a statute."""
    statute = statute_of(update.part)
    if statute is not None:
        return statute.lets(sender)
    if citizen is None:
        return Verdict(False, "No consent of this citizen is registered")
    consents = work.consents.of_citizen(citizen)
    if update.part == SHARED:
        return may_take_part(consents, sender.id, "make-plan", hub.clock())
    return may_take_part(consents, sender.id, "exchange", hub.clock())


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

"""A citizen's decisions: consent and approval, recorded once, from whichever door they came."""

from __future__ import annotations

from hub.contract import Decision, Party, Resource
from hub.errors import Invalid, Issue, NotFound
from hub.fhir import names
from hub.fhir.extract import codes
from hub.model.approval import read_approval, target
from hub.model.consent import read_consent
from hub.model.party import Directory, Viewer
from hub.model.records import InboxItem, Plan
from hub.model.routing import GATED
from hub.services.answers import Answer
from hub.services.hub import Hub, new_id, repeatable
from hub.services.route import plan_state, reconcile
from hub.store.work import UnitOfWork


def record_decision(
    hub: Hub,
    work: UnitOfWork,
    item: InboxItem,
    sender: Party,
    directory: Directory,
    decision: Decision,
) -> Answer:
    """Record a KiConsent or a KiApproval and let every plan it concerns follow it."""
    named = str(decision.resource.get("id") or item.message_id)
    resource: Resource = decision.resource | {"id": repeatable(sender.id, "Consent", named)}
    if is_approval(resource):
        return _approval(hub, work, sender, directory, decision, resource)
    return _consent(hub, work, sender, directory, decision, resource)


def is_approval(resource: Resource) -> bool:
    """A KiApproval, not a KiConsent."""
    return names.KI_APPROVAL in resource.get("meta", {}).get("profile", ()) or (
        "approval" in codes(resource.get("category", ()), names.CONSENT_PURPOSE)
    )


def _consent(
    hub: Hub,
    work: UnitOfWork,
    sender: Party,
    directory: Directory,
    decision: Decision,
    resource: Resource,
) -> Answer:
    if decision.citizen is None or not decision.citizen.identifiers:
        raise Invalid("State whose consent it is, by CPR number", at="Consent.patient.identifier")
    consent, warnings = read_consent(resource, directory.find)
    citizen = work.plans.citizen(decision.citizen.identifiers) or new_id()
    work.plans.add_citizen(citizen, decision.citizen.identifiers)
    work.consents.save(consent, citizen, resource, sender.id, hub.clock())
    work.journal.audit(
        hub.clock(), sender.id, "consent", f"Consent/{consent.id}", party=sender.id,
        basis=f"consent/{consent.id}", detail="active" if consent.active else "inactive",
    )  # fmt: skip
    for plan_id in work.plans.plan_ids_of_citizen(citizen):
        work.plans.lock(plan_id)
        work.plans.bump_epoch(plan_id)
        reconcile(hub, work, plan_id, directory, actor=sender.id)
    told = Issue("information", "informational", f"Consent/{consent.id} is registered")
    return Answer("applied", (told, *warnings), basis=f"consent/{consent.id}")


def _approval(
    hub: Hub,
    work: UnitOfWork,
    sender: Party,
    directory: Directory,
    decision: Decision,
    resource: Resource,
) -> Answer:
    plan_id, number = target(resource)
    plan = work.plans.get(plan_id, Viewer.of(sender), hub.clock())
    version = work.plans.version(plan_id, number) if plan else None
    if plan is None or version is None or _waits(hub, work, plan, sender, directory):
        raise NotFound("No such plan version is known to you")
    named = decision.citizen.identifiers if decision.citizen else ()
    if named and work.plans.citizen(named) != plan.citizen_id:
        raise Invalid("The plan is another citizen's; nothing was changed", at="Consent.patient")
    work.plans.lock(plan_id)
    approval = read_approval(resource, digest=version.digest, at=hub.clock())
    work.consents.save_approval(approval, resource, sender.id, hub.clock())
    work.journal.audit(
        hub.clock(), sender.id, "approval", f"CarePlan/{plan_id}/_history/{number}",
        party=sender.id, detail=approval.decision,
    )  # fmt: skip
    reconcile(hub, work, plan_id, directory, actor=sender.id)
    text = f"The decision on version {number} of CarePlan/{plan_id} is registered"
    return Answer("applied", (Issue("information", "informational", text),), plan=(plan_id, number))


def _waits(hub: Hub, work: UnitOfWork, plan: Plan, sender: Party, directory: Directory) -> bool:
    """Who itself waits for the citizen's decision cannot be the one to register it."""
    member = plan_state(work, plan, directory, hub.clock()).member(sender.id)
    return member is None or member.roles <= GATED

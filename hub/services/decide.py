"""A citizen's decisions: consent and approval, recorded once, from whichever door they came."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from hub.contract import Decision, Identifier, Party, Resource
from hub.errors import Invalid, Issue, NotFound
from hub.fhir import names
from hub.fhir.codec import dump_json
from hub.fhir.extract import codes
from hub.model.approval import HELD_BACK_ROLES, Approval, decided_at, read_approval, target
from hub.model.consent import Consent, moment, read_consent
from hub.model.party import Directory, Viewer
from hub.model.people import OF_AGE, PARENTS, birthday, born, may_give
from hub.model.plan import canonical
from hub.model.records import InboxItem, Plan
from hub.model.routing import registers_approvals
from hub.services.answers import Answer, Written
from hub.services.document_route import follow_documents
from hub.services.frozen import carry
from hub.services.had import MovedError
from hub.services.hub import Hub, new_id, repeatable, sha256
from hub.services.incomplete import completed
from hub.services.rejection import WITHDRAW, ask_after
from hub.services.route import reconcile
from hub.services.state import agreements_of, plan_state
from hub.services.subscription_events import follow
from hub.services.withdrawal import follow_withdrawal
from hub.store.work import UnitOfWork

_REFUSAL: Final = (
    "A refusal: it overrides every consent to those it names until it is taken back (inactive)"
)
_ANONYMOUS: Final = (
    "A citizen is named by CPR number or replacement number; an anonymous client (serviceloven "
    "§ 101 a) never gets a plan"
)
_REGISTERED_SINCE: Final = (
    "It was registered before, and another form of it since; nothing was changed"
)
_NOT_REVIVED: Final = (
    "What was changed or withdrawn is not revived by sending the old words again. If the citizen "
    "consents anew, register a new consent, with its own id and date"
)


@dataclass(frozen=True)
class _Form:
    """A decision as it was received."""

    resource: Resource
    based: bool
    """Written on what is registered now."""
    again: bool
    """It was registered before in these words, now or once."""


def record_decision(
    hub: Hub,
    work: UnitOfWork,
    item: InboxItem,
    sender: Party,
    directory: Directory,
    decision: Decision,
    *,
    known_as: str | None = None,
) -> Answer:
    """Record a KiConsent or a KiApproval and let every plan it concerns follow it.

    ``known_as``: the hub's id of the one that this is written on, knowing what it says now. Any
    other may be a resend, and a resend of what has been changed since changes nothing.
    Raises MovedError where the citizen has been registered at this moment.
    """
    named = str(decision.resource.get("id") or item.message_id)
    own = known_as or repeatable(sender.id, "Consent", named)
    resource: Resource = decision.resource | {"id": own}
    newest = work.plans.newest("Consent", own)
    again = work.plans.had("Consent", own, sha256(canonical(resource)))
    form = _Form(resource, based=known_as is not None, again=again)
    record = _approval if is_approval(resource) else _consent
    answer = record(hub, work, item, sender, directory, decision, form)
    after = work.plans.newest("Consent", own)
    assert after is not None
    key = ("Consent", own, after[1])
    written = Written(
        201 if newest is None else 200, key, work.resources.written([key])[key], answer.issues
    )
    return replace(answer, decided=written)


def is_approval(resource: Resource) -> bool:
    """A KiApproval, not a KiConsent."""
    return names.KI_APPROVAL in resource.get("meta", {}).get("profile", ()) or (
        "approval" in codes(resource.get("category", ()), names.CONSENT_PURPOSE)
    )


def _consent(
    hub: Hub,
    work: UnitOfWork,
    item: InboxItem,
    sender: Party,
    directory: Directory,
    decision: Decision,
    form: _Form,
) -> Answer:
    resource = form.resource
    if decision.citizen is None or not decision.citizen.identifiers:
        raise Invalid("State whose consent it is, by CPR number", at="Consent.patient.identifier")
    if not any(i.system in names.PERSON_SYSTEMS for i in decision.citizen.identifiers):
        raise Invalid(_ANONYMOUS, at="Consent.patient.identifier")
    consent, warnings = read_consent(resource, directory.find)
    known = next(iter(work.plans.hold_citizens(decision.citizen.identifiers)), None)
    _fits(work, consent, known)
    numbers = (*decision.citizen.identifiers, *(work.plans.numbers(known) if known else ()))
    agreed = agreements_of(work)
    minors = all(agreed.of(unit).minors for unit in {sender.id, *consent.makers()})
    consent = _entitled_to_give(consent, resource, numbers, minors=minors)
    if resource.get("status") == "rejected":
        warnings += (Issue("warning", "informational", _REFUSAL, "Consent.status"),)
    if work.consents.plan_of_approval(consent.id) is not None:
        raise Invalid("You gave this id to a decision on a plan", at="Consent.id")
    if _overtaken(work, item, consent, form):
        return _told(_REGISTERED_SINCE, Issue("warning", "conflict", _NOT_REVIVED, "Consent.id"),
                     citizen=known)  # fmt: skip
    citizen = known or new_id()
    if not work.plans.add_citizen(citizen, decision.citizen.identifiers):
        raise MovedError
    before = work.consents.of_citizen(citizen)
    text, basis = f"Consent/{consent.id} is registered", f"consent/{consent.id}"
    registered = work.consents.registered(consent.id)
    same = registered is not None and registered.body == dump_json(resource).decode()
    if same and consent in before:
        # The same words, which permit the same: what was decided on them stands.
        return _told(text, *warnings, basis=basis, citizen=citizen)
    work.consents.save(consent, citizen, resource, item)
    _keep_version(hub, work, resource, sender)
    work.journal.audit(
        hub.clock(), sender.id, "consent", f"Consent/{consent.id}", party=sender.id,
        basis=basis, detail=str(resource["status"]),
    )  # fmt: skip
    completed(work, sender.id, citizen, hub.clock())
    for plan_id in sorted(work.plans.plan_ids_of_citizen(citizen)):
        left = _follow(hub, work, plan_id, before, basis, sender, directory)
        warnings += _may_have_left(left) if left is not None else ()
    follow_documents(hub, work, directory, citizen, actor=sender.id)
    # Who registered it is told of it, whether the citizen has a plan or not.
    follow(work, citizen, None, sender.id, hub.clock())
    return _told(text, *warnings, basis=basis, citizen=citizen)


def _follow(
    hub: Hub,
    work: UnitOfWork,
    plan_id: str,
    before: tuple[Consent, ...],
    cause: str,
    sender: Party,
    directory: Directory,
) -> int | None:
    """Let one plan follow; how much may have left, where the plan's lead took something back."""
    work.plans.lock(plan_id)
    work.journal.close_tasks(sender.id, hub.clock(), plan_id=plan_id, kind=WITHDRAW)
    work.plans.bump_epoch(plan_id)
    plan = work.plans.lock(plan_id)
    assert plan is not None
    state = plan_state(work, plan, directory, hub.clock())
    carry(work, plan, state.facts, state.deliveries, before)
    reconcile(hub, work, plan_id, directory, actor=sender.id)
    found = follow_withdrawal(hub, work, state, before, cause, sender.id)
    # Others are not told here that there is a plan; they have a task if they know it.
    return len(found.may_have_left) if found and plan.lead == sender.id else None


def _may_have_left(number: int) -> tuple[Issue, ...]:
    text = (
        f"{number} messages may have reached their receivers before; see the plan's withdrawals"
        if number
        else "Nothing of the plan had left before"
    )
    return (Issue("information", "informational", text),)


def _entitled_to_give(
    consent: Consent, resource: Resource, numbers: Iterable[Identifier], *, minors: bool
) -> Consent:
    """Refuse what was given by someone who has no say; parents' word ends on the 18th birthday."""
    if resource.get("status") != "active":
        return consent
    birth = born(numbers)
    given = moment(resource.get("dateTime"))
    assert given is not None
    refused = may_give(consent.givers, birth, given, minors=minors)
    if refused:
        raise Invalid(refused, at="Consent.performer")
    if birth is None or consent.givers.ground != PARENTS:
        return consent
    return replace(consent, until=min(consent.until, birthday(birth, OF_AGE)))


def _fits(work: UnitOfWork, consent: Consent, citizen: str | None) -> None:
    """Refuse what would be acknowledged and change nothing, or change another citizen's.

    Ids are each sender's own, so nothing is told here of what others have registered.
    """
    known = work.consents.registered(consent.id)
    if known is not None and known.citizen_id != citizen:
        raise Invalid("You gave this id to another citizen's consent", at="Consent.id")
    if consent.active or known is not None:
        return
    text = (
        "It withdraws no consent that you have registered: give the id it was registered under, "
        "or send an active consent that denies the units"
    )
    raise Invalid(text, at="Consent.id")


def _overtaken(work: UnitOfWork, item: InboxItem, consent: Consent, form: _Form) -> bool:
    """A later form of this consent is in force: a resend, or a late one, must not undo it."""
    known = work.consents.registered(consent.id)
    if known is None or form.based:
        return False
    changed = known.body != dump_json(form.resource).decode()
    return known.turn > item.turn or (changed and form.again)


def _approval(
    hub: Hub,
    work: UnitOfWork,
    item: InboxItem,
    sender: Party,
    directory: Directory,
    decision: Decision,
    form: _Form,
) -> Answer:
    resource = form.resource
    plan_id, number = target(resource)
    plan = work.plans.get(plan_id, Viewer.of(sender), hub.clock())
    version = work.plans.version(plan_id, number) if plan else None
    if plan is None or version is None or not _entitled(hub, work, plan, sender, directory):
        raise NotFound("No such plan version is known to you")
    _about(hub, work, plan, decision)
    work.plans.lock(plan_id)
    at = _after_all(work, plan_id, decided_at(resource, hub.clock()), hub.clock())
    approval = read_approval(resource, digest=version.digest, at=at)
    _holds_someone_back(approval, directory)
    if work.consents.registered(approval.id) is not None:
        raise Invalid("You gave this id to a consent", at="Consent.id")
    if work.consents.plan_of_approval(approval.id) not in {None, plan_id}:
        raise Invalid("You gave this id to a decision on another plan", at="Consent.id")
    text = f"The decision on version {number} of CarePlan/{plan_id} is registered"
    if form.again and not form.based:
        return _told(text, plan=(plan_id, number), citizen=plan.citizen_id)
    work.consents.save_approval(approval, resource, sender.id, hub.clock())
    _keep_version(hub, work, resource, sender)
    work.journal.audit(
        hub.clock(), sender.id, "approval", f"CarePlan/{plan_id}/_history/{number}",
        party=sender.id, detail=approval.decision,
    )  # fmt: skip
    ask_after(work, plan, approval, sender.id, hub.clock())
    reconcile(hub, work, plan_id, directory, actor=sender.id)
    return _told(text, plan=(plan_id, number), citizen=plan.citizen_id)


def _after_all(work: UnitOfWork, plan_id: str, at: datetime, now: datetime) -> datetime:
    """When the citizen decided; after every decision that a clock registered that was ahead."""
    ahead = [a.at for a in work.consents.approvals(plan_id) if a.at > now]
    return max([at, *(a + timedelta(microseconds=1) for a in ahead)])


def _entitled(hub: Hub, work: UnitOfWork, plan: Plan, sender: Party, directory: Directory) -> bool:
    """Whoever else asks is not told that there is a plan to decide on."""
    state = plan_state(work, plan, directory, hub.clock())
    member = state.member(sender.id)
    return member is not None and registers_approvals(state.facts, member)


def _about(hub: Hub, work: UnitOfWork, plan: Plan, decision: Decision) -> None:
    """The decision is the plan's own citizen's, by number or by the hub's own id."""
    if decision.citizen is not None:
        same = work.plans.citizen(decision.citizen.identifiers) == plan.citizen_id
    else:
        reference = str(decision.resource.get("patient", {}).get("reference", ""))
        same = reference.removeprefix(f"{hub.base_url}/") == f"Patient/{plan.citizen_id}"
    if not same:
        raise Invalid("The plan is another citizen's; nothing was changed", at="Consent.patient")


def _holds_someone_back(approval: Approval, directory: Directory) -> None:
    """A condition on nobody the hub knows would be met by everyone."""
    for condition in approval.conditions:
        held = condition.holds_back
        if held not in HELD_BACK_ROLES and directory.get(held) is None:
            text = "Name the role or the unit (its id here) that the condition holds back"
            raise Invalid(text, at="Consent.extension(condition).extension(holds-back)")


def _keep_version(hub: Hub, work: UnitOfWork, resource: Resource, sender: Party) -> None:
    """A decision has versions as every resource has; they belong to who registered it."""
    digest = sha256(canonical(resource))
    work.plans.save_resource(resource, digest, sender.id, sender.id, hub.clock())


def _told(
    text: str, *more: Issue, plan: tuple[str, int] | None = None, basis: str = "",
    citizen: str | None = None,
) -> Answer:  # fmt: skip
    issue = Issue("information", "informational", text)
    return Answer("applied", (issue, *more), plan=plan, basis=basis, citizen=citizen)

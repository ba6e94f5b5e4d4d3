"""Step 3: attach a document to its plan and make the next version, in one transaction."""

from __future__ import annotations

from dataclasses import replace

from hub.contract import Party, PlanUpdate
from hub.errors import Invalid, Issue, NoLegalBasis, StaleBase
from hub.model.alone import is_alone
from hub.model.consent import Verdict
from hub.model.lawful import Document, decide, may_take_part
from hub.model.party import SYSTEM, Directory
from hub.model.plan import SHARED
from hub.model.protection import is_hidden
from hub.model.records import InboxItem, InboxState, Part, Plan
from hub.model.withdrawal import is_frozen
from hub.services.answers import Answer
from hub.services.asking import ask_to_protect
from hub.services.attach import place
from hub.services.document_route import follow_documents, hold_documents
from hub.services.had import Had, MovedError
from hub.services.hub import Hub, new_id
from hub.services.incomplete import NoConsentError
from hub.services.kept_changes import keeps_promise
from hub.services.others import Said, keep_said
from hub.services.publish import Published, publish
from hub.services.retract import retract
from hub.services.shared import Taken, take
from hub.services.state import plan_state
from hub.services.versions import store
from hub.store.work import UnitOfWork


def apply_update(
    hub: Hub,
    work: UnitOfWork,
    item: InboxItem,
    sender: Party,
    directory: Directory,
    update: PlanUpdate,
    had: Had | None = None,
    said: Said | None = None,
) -> Answer:
    """Store the part; if it belongs to a plan and changed it, make the plan's next version.

    ``had``: what the sender had of the shared part that a whole document of it changes.
    ``said``: what the document says of others' parts. Raises MovedError if either is another by
    now, or the citizen has been registered at this moment.
    """
    work.losses.forget(inbox_id=item.id)
    citizen, basis = _permitted(hub, work, sender, update)
    work.losses.add((*update.losses, *update.not_shared), inbox_id=item.id)
    answer = _applied(
        hub, work, item, sender, directory, update, had, said, citizen=citizen, basis=basis.basis
    )
    return replace(answer, citizen=citizen)


def _applied(
    hub: Hub,
    work: UnitOfWork,
    item: InboxItem,
    sender: Party,
    directory: Directory,
    update: PlanUpdate,
    had: Had | None,
    said: Said | None,
    *,
    citizen: str,
    basis: str,
) -> Answer:
    now = hub.clock()
    part, plan, issues = place(work, item, sender, citizen, update, hub, directory)
    if _overtaken(work, item, part, update):
        text = "A newer document of this case has been received; this one changed nothing"
        told = Issue("information", "informational", text)
        where = (plan.id, plan.head) if plan is not None and plan.head else None
        return Answer("applied", (told,), where, basis)
    if _in_error(update, part, plan, sender):
        return _retracted(hub, work, item, sender, directory, part, plan)
    taken = Taken(update.resources)
    if plan is not None and plan.head and part.kind == SHARED:
        if item.request is None:
            taken = take(hub, work, item, sender, directory, update, part, plan, had)
        else:
            _refuse_stale(work, plan, update)
            taken = replace(taken, written_on=plan.head)
    if is_alone(part.kind):
        hold_documents(work, citizen)
    part = replace(part, members=store(hub, work, part, sender, citizen, taken.resources))
    if plan is None or part.kind != SHARED or plan.lead == sender.id:
        # What came over REST is no document that could be re-issued to its owner.
        document = item.id if item.request is None else part.document_inbox
        part = replace(part, source_inbox=item.id, document_inbox=document)
    work.plans.save_part(part, now)
    # Any document may say that the citizen is protected.
    follow_documents(hub, work, directory, citizen, actor=sender.id)
    if plan is None:
        state: InboxState = "unattached" if not is_alone(part.kind) else "applied"
        return Answer(state, (*issues, *update.issues), basis=basis)
    made = publish(
        hub, work, plan, part, directory, sender,
        status=str(taken.resources[0]["status"]), source=item.id, written_on=taken.written_on,
    )  # fmt: skip
    if part.kind != SHARED and is_hidden(update.resources):
        ask_to_protect(work, plan_state(work, plan, directory, now))
    of_others = keep_said(hub, work, item, sender, plan, said) if said else ()
    if made.changed:
        keeps_promise(work, part, sender.id, now)
    first, *more = _told(plan, made, update, team=part.kind == SHARED and plan.lead == sender.id)
    found = (first, *taken.issues, *of_others, *issues, *more, *update.issues)
    return Answer("applied", found, (plan.id, made.number), basis)


def _in_error(update: PlanUpdate, part: Part, plan: Plan | None, sender: Party) -> bool:
    """Its own writer says that it should never have been published."""
    mine = part.owner == sender.id and bool(part.members)
    said = update.resources[0].get("status") == "entered-in-error"
    return mine and said and (plan is None or bool(plan.head))


def _retracted(
    hub: Hub, work: UnitOfWork, item: InboxItem, sender: Party, directory: Directory, part: Part,
    plan: Plan | None,
) -> Answer:  # fmt: skip
    cause = f"inbox/{item.id}"
    number = retract(
        hub, work, part, plan, directory, by=sender.id, actor=sender.id, cause=cause,
        reason="Its sender says so",
    )  # fmt: skip
    text = "It is entered in error: nobody is shown it any more, and who had it is told"
    told = Issue("information", "informational", text)
    return Answer("applied", (told,), (plan.id, number) if plan is not None else None)


def _permitted(
    hub: Hub, work: UnitOfWork, sender: Party, update: PlanUpdate
) -> tuple[str, Verdict]:
    """Whose document it is, and why it may be taken; raises NoConsentError."""
    citizen = _citizen(work, update)
    basis = _basis(hub, work, citizen, sender, update)
    if citizen is None and basis.permit:
        citizen = _first_seen(work, update)
    if citizen is not None and not basis.permit and _led_and_frozen(hub, work, citizen, sender):
        raise NoLegalBasis(
            "The citizen has withdrawn the consent to this plan; it stands as it is until there "
            "is a new one"
        )
    if citizen is None or not basis.permit:
        # The same words whoever the citizen is: why not would tell what is registered here.
        text = (
            "No consent that covers you is registered for this citizen; register it and send the "
            "document again"
        )
        raise NoConsentError(text, () if is_alone(update.part) else update.citizen.identifiers)
    return citizen, basis


def _led_and_frozen(hub: Hub, work: UnitOfWork, citizen: str, sender: Party) -> bool:
    """The lead of a plan that nobody may have any more; it knows that there is one."""
    plans = work.plans.of_citizen(citizen, SYSTEM, hub.clock())
    consents = work.consents.of_citizen(citizen)
    led = any(p.open and p.lead == sender.id and p.head for p in plans)
    return led and is_frozen(consents, hub.clock())


def _told(plan: Plan, made: Published, update: PlanUpdate, *, team: bool) -> tuple[Issue, ...]:
    """What became of it, first; then, to who wrote the ``team``, whom in it nobody knows."""
    number = made.number
    text = (
        f"Accepted as version {number}" if made.changed else f"Nothing new; version {number} stands"
    )
    unknown = (
        Issue("warning", "not-found", "No such unit is a party here; nothing is sent to it", at)
        for at in (_as_sent(update, s) for s in made.strangers)
        if team
    )
    return (Issue("information", "informational", f"{text} of CarePlan/{plan.id}"), *unknown)


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
    found = work.plans.hold_citizens(update.citizen.identifiers)
    return next(iter(found)) if len(found) == 1 else None


def _first_seen(work: UnitOfWork, update: PlanUpdate) -> str | None:
    """A citizen of whom nothing is registered, kept on a statute; None if the numbers disagree.

    Only with one number: a document makes no two numbers one person. Raises MovedError.
    """
    numbers = set(update.citizen.identifiers)
    if len(numbers) != 1 or work.plans.citizen(numbers) is not None:
        return None
    citizen = new_id()
    if not work.plans.add_citizen(citizen, numbers):
        raise MovedError
    return citizen


def _overtaken(work: UnitOfWork, item: InboxItem, part: Part, update: PlanUpdate) -> bool:
    """What was received earlier and is processed later must not undo what is newer.

    What names the version it was written on undoes nothing: over REST that has been looked at, and
    the shared part is merged with what came since.
    """
    merged = update.part == SHARED and update.base_version is not None
    if item.request is not None or merged:
        return False
    source = work.inbox.get(part.source_inbox, SYSTEM) if part.source_inbox else None
    return source is not None and source.sender == item.sender and source.turn > item.turn


def _basis(
    hub: Hub, work: UnitOfWork, citizen: str | None, sender: Party, update: PlanUpdate
) -> Verdict:
    """May the hub take this document at all? A plan needs the citizen's consent, or a statute."""
    if is_alone(update.part):
        return decide(sender, Document(update.part, sender), "keeping", hub.clock())
    if citizen is None:
        return Verdict(False, "No consent of this citizen is registered")
    consents = work.consents.of_citizen(citizen)
    now = hub.clock()
    if update.part != SHARED:
        return may_take_part(consents, sender, "exchange", now)
    making = may_take_part(consents, sender, "make-plan", now)
    named = work.plans.get(update.plan_id, SYSTEM, now) if update.plan_id else None
    led = named is not None and named.lead == sender.id
    if making.permit or update.plan_id is None or led:
        return making
    # Whoever takes part may propose, and is answered the same whether there is such a plan.
    others = (may_take_part(consents, sender, p, now) for p in ("exchange", "copy-to-gp"))
    return next((v for v in others if v.permit), making)


def _refuse_stale(work: UnitOfWork, plan: Plan, update: PlanUpdate) -> None:
    """A change over REST must be written on the newest content of the shared part."""
    if update.base_version is None:
        return
    versions = work.plans.versions(plan.id)
    base = next((v for v in versions if v.number == update.base_version), None)
    if base is None or base.digest != versions[-1].digest:
        raise StaleBase(f"The shared part has changed; fetch version {plan.head} and merge")

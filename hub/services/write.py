"""A write over REST: an update, a create, or a transaction's many, together or not at all.

The change is worked out from what stands in the store, outside of any lock, because reading a
document takes its time; then it is committed if the same still stands. If not, it is worked out
anew, so a version that was named and is gone is found out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from hub.contract import Decision, Parsed, PlanUpdate, Resource
from hub.errors import (
    HubError,
    InputRefused,
    Invalid,
    Issue,
    Malformed,
    StaleBase,
    StoreUnavailable,
)
from hub.fhir import names
from hub.fhir.codec import dump_json, parse_json
from hub.fhir.interactions import Interaction, single, transaction
from hub.fhir.xml import from_xml
from hub.model.party import SYSTEM, Directory, RegisteredParty, Viewer
from hub.model.plan import SHARED
from hub.model.records import InboxItem
from hub.services.answers import Answer, Written
from hub.services.apply import apply_update
from hub.services.compose import Draft, compose, consent, in_consent
from hub.services.decide import record_decision
from hub.services.ground import Ground, lock, survey
from hub.services.had import MovedError
from hub.services.hub import Hub
from hub.services.sight import Sight
from hub.store.work import UnitOfWork

_TRIES: Final = 5
_JSON: Final = "application/fhir+json"

Understand = Callable[[Hub, InboxItem, RegisteredParty, Directory], Parsed]


@dataclass(frozen=True)
class _Change:
    """One message, on its way from what it asks to what becomes of it."""

    hub: Hub
    item: InboxItem
    sender: RegisteredParty
    directory: Directory
    understand: Understand
    document: Resource
    """What was sent."""
    interactions: tuple[Interaction, ...]


@dataclass(frozen=True)
class _Plan:
    """What is to be done, worked out on ``ground``."""

    ground: Ground
    decisions: Mapping[int, Decision]
    """By the number of the interaction."""
    draft: Draft | None
    update: PlanUpdate | None


def write(
    hub: Hub,
    item: InboxItem,
    sender: RegisteredParty,
    directory: Directory,
    understand: Understand,
    settle: Callable[[UnitOfWork, Answer], None],
) -> Answer:
    """Carry out a kept request; ``settle`` is part of the same transaction.

    ``understand`` reads and checks a whole document. Raises whatever of hub.errors says why not,
    with places in what the caller sent; StoreUnavailable if others kept on writing meanwhile.
    """
    document, asked = requested(item, hub.base_url)
    change = _Change(hub, item, sender, directory, understand, document, asked)
    _well_formed(change)
    for _ in range(_TRIES):
        plan = _work_out(change)
        with suppress(MovedError), hub.store.writing() as work:
            _hold(work, plan)
            lock(work, plan.ground, sender.party, asked)
            if survey(hub, work, sender.party, asked) != plan.ground:
                continue
            answer = _carry_out(change, work, plan)
            settle(work, answer)
            work.commit()
            return answer
    raise StoreUnavailable("Others are writing the same; it is tried again")


def _hold(work: UnitOfWork, plan: _Plan) -> None:
    """Whoever else writes about the same citizens waits here, before any other lock."""
    told = [d.citizen for d in plan.decisions.values() if d.citizen is not None]
    told += [plan.update.citizen] if plan.update is not None else []
    part = plan.ground.part
    known = [part.citizen_id] if part is not None else []
    work.plans.hold_citizens([i for citizen in told for i in citizen.identifiers], known)


def requested(item: InboxItem, base: str) -> tuple[Resource, tuple[Interaction, ...]]:
    """What a kept request sent, and asked for; raises Malformed, TooLarge or Invalid."""
    assert item.request is not None
    assert item.body is not None
    xml = "xml" in item.media_type.partition(";")[0].lower()
    resource = from_xml(item.body) if xml else parse_json(item.body)
    if item.request["url"]:
        return resource, (single(item.request, resource),)
    return resource, transaction(resource, base)


def _work_out(change: _Change) -> _Plan:
    """Everything that takes its time."""
    hub, item = change.hub, change.item
    with hub.store.reading() as work:
        ground = survey(hub, work, change.sender.party, change.interactions)
        stored = _stored(work, ground)
    decisions = {
        number: _decision(change, ground, one)
        for number, one in enumerate(change.interactions)
        if one.kind == "Consent" and one.method != "GET" and ground.match(one) is None
    }
    draft = compose(ground, stored, change.interactions, base=hub.base_url, seed=item.id)
    update = _update(change, ground, draft) if draft is not None else None
    return _Plan(ground, decisions, draft, update)


def _well_formed(change: _Change) -> None:
    """The Bundle around a transaction's resources; those are checked where they are read."""
    bundle = change.document
    if change.interactions and change.interactions[0].alone:
        return
    shell = [{k: v for k, v in e.items() if k != "resource"} for e in bundle.get("entry", ())]
    issues = change.hub.validator.check([bundle | ({"entry": shell} if shell else {})])
    wrong = tuple(i for i in issues if i.severity in {"error", "fatal"})
    if wrong:
        raise Malformed("The Bundle is not legal FHIR R4", issues=wrong)


def _stored(work: UnitOfWork, ground: Ground) -> dict[str, Resource]:
    found = work.plans.resources(ground.part.members) if ground.part is not None else {}
    if ground.citizen is None:
        return found
    # A sector's part says no more of the citizen than who it is.
    numbers = [{"system": i.system, "value": i.value} for i in work.plans.numbers(ground.citizen)]
    masked = {"url": names.DATA_ABSENT, "valueCode": "masked"}
    person = {
        "resourceType": "Patient",
        "id": ground.citizen,
        "identifier": numbers,
        "name": [{"extension": [masked]}],
    }
    return found | {f"Patient/{ground.citizen}": person}


def _read(change: _Change, document: Resource) -> Parsed:
    body = dump_json(document)
    item = replace(change.item, body=body, media_type=_JSON, request=None)
    return change.understand(change.hub, item, change.sender, change.directory)


def _decision(change: _Change, ground: Ground, one: Interaction) -> Decision:
    try:
        found = _read(change, consent(ground, one))
    except InputRefused as e:
        raise in_consent(one, e) from None
    assert isinstance(found, Decision)
    return found


def _update(change: _Change, ground: Ground, draft: Draft) -> PlanUpdate:
    try:
        found = _read(change, draft.bundle)
    except HubError as e:
        raise draft.refused(e) from None
    assert isinstance(found, PlanUpdate)
    update = draft.told(found)
    plan = next(p for p in draft.places)
    at = plan.source.path if plan.source is not None else "CarePlan"
    if ground.part is None:
        _refuse_borrowed(draft, update, at)
        return update
    if update.part != ground.part.kind:
        raise Invalid("A plan stays of its kind; send another as a new one", at=f"{at}.category")
    own = ground.part.plan_id if update.part == SHARED else update.plan_id
    return replace(update, case=ground.part.case_id, plan_id=own)


def _refuse_borrowed(draft: Draft, update: PlanUpdate, at: str) -> None:
    """A new shared part stands on nothing but what its lead says."""
    if update.part != SHARED:
        return
    if update.plan_id is not None:
        text = "The hub gives a new plan its id; change the one there is by PUT"
        raise Invalid(text, at=f"{at}.identifier")
    patient = next(p for p in draft.kept if p.resource["resourceType"] == "Patient")
    if patient.source is None:
        text = "A new plan tells who its citizen is: send the Patient, without a condition"
        raise Invalid(text, at=f"{at}.subject")


def _carry_out(change: _Change, work: UnitOfWork, plan: _Plan) -> Answer:
    """Decisions first: they may be what permits the plan."""
    results: dict[int, Written] = {}
    answers: list[Answer] = []
    for number, decision in plan.decisions.items():
        one = change.interactions[number]
        try:
            answer = record_decision(
                change.hub, work, change.item, change.sender.party, change.directory, decision,
                known_as=one.id or None,
            )  # fmt: skip
        except HubError as e:
            raise in_consent(one, e) from None
        assert answer.decided is not None
        results[number] = answer.decided
        answers.append(answer)
    if plan.update is not None and plan.draft is not None:
        answers.append(_apply(change, work, plan, plan.update, plan.draft, results))
    return _together(change, plan, answers, results)


def _apply(
    change: _Change,
    work: UnitOfWork,
    plan: _Plan,
    update: PlanUpdate,
    draft: Draft,
    results: dict[int, Written],
) -> Answer:
    hub, sender = change.hub, change.sender.party
    own = str(update.resources[0]["id"])
    if plan.ground.part is None and work.plans.part(sender.id, update.part, update.case or own):
        text = "You have a plan with this case id; change it by PUT, with the version you read"
        raise StaleBase(text, at=draft.places[0].source.path if draft.places[0].source else None)
    citizen = work.plans.citizen(update.citizen.identifiers)
    known = citizen is not None and _knows(change, work, citizen)
    answer = apply_update(hub, work, change.item, sender, change.directory, update)
    part = work.plans.part_by_id(own)
    assert part is not None
    keys = {f"{kind}/{own}": (kind, own, version) for kind, own, version in part.members}
    times = work.resources.written(keys.values())
    told = tuple(i for i in answer.issues if i not in update.issues)
    for place, resource in zip(draft.kept, update.resources, strict=True):
        if place.source is None:
            continue
        kind, name = resource["resourceType"], str(resource["id"])
        key = keys.get(f"{kind}/{part.citizen_id if kind == 'Patient' else name}")
        mine = tuple(i for i in update.issues if (i.expression or "").startswith(place.source.path))
        created = place.source.method == "POST" and key is not None
        status = 201 if created and not (kind == "Patient" and known) else 200
        written = Written(status, key, times[key] if key else None, (*told, *mine))
        results[change.interactions.index(place.source)] = _as_plan(
            hub, work, part.plan_id, written
        )
    return answer


def _knows(change: _Change, work: UnitOfWork, citizen: str) -> bool:
    """The sender may read of the citizen already; what others wrote is told by no status."""
    seen = Sight(work, Viewer.of(change.sender.party), change.hub.clock())
    return f"Patient/{citizen}" in seen.current(frozenset({citizen}))


def _as_plan(hub: Hub, work: UnitOfWork, plan_id: str | None, written: Written) -> Written:
    """``CarePlan/<plan id>`` has the plan's version."""
    if plan_id is None or written.key is None or written.key[:2] != ("CarePlan", plan_id):
        return written
    plan = work.plans.get(plan_id, SYSTEM, hub.clock())
    assert plan is not None
    head = work.plans.version(plan_id, plan.head)
    assert head is not None
    return replace(written, key=("CarePlan", plan_id, head.number), modified=head.created_at)


def _together(
    change: _Change,
    plan: _Plan,
    answers: list[Answer],
    results: dict[int, Written],
) -> Answer:
    asked = change.interactions
    last = answers[-1] if answers else Answer("applied", ())
    return replace(
        last,
        # Of two citizens it is neither's own.
        citizen=last.citizen if len({a.citizen for a in answers}) == 1 else None,
        alone=bool(asked) and asked[0].alone,
        issues=tuple(i for a in answers for i in a.issues),
        written=tuple(
            results.get(number) or _found(plan.ground, one) for number, one in enumerate(asked)
        ),
    )


def _found(ground: Ground, one: Interaction) -> Written | None:
    """What a conditional create found; None for a read."""
    found = ground.match(one)
    if found is None:
        return None
    told = Issue("information", "informational", "There is one already; nothing was created")
    return Written(200, found.key, found.modified, (told,))

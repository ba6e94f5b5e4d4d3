"""A plan version as one receiver may see it; reduced before anything is rendered."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any

from hub.contract import Party, PlanView, Resource, SourceDocument
from hub.fhir import names
from hub.fhir.extract import sections
from hub.model.approval import gate, latest
from hub.model.lawful import Shared, decide, may_take_part
from hub.model.party import CITIZEN, SYSTEM
from hub.model.plan import SHARED, Member, identifiers
from hub.model.protection import is_hidden, reveals, without_relatives, without_whereabouts
from hub.model.records import Part, PlanVersion
from hub.model.reduction import permitted, shareable
from hub.model.routing import basis_for, purpose_for, refusal
from hub.services.frozen import RELATIVES
from hub.services.state import PlanState
from hub.store.work import UnitOfWork


@dataclass(frozen=True)
class Reduced:
    """A view and why it may be shown."""

    view: PlanView
    basis: str
    withheld: frozenset[str] = frozenset()
    """Paths of what was left out, as in a Loss: for the services alone, and kept nowhere; naming
    it to anyone would disclose that it exists."""


def build_view(
    work: UnitOfWork, state: PlanState, number: int, receiver: str, at: datetime
) -> Reduced | None:
    """The version reduced for the receiver, or None if it may not have it now."""
    version = next(v for v in state.versions if v.number == number)
    parts = work.plans.parts_in(version)
    lead = work.parties.get(state.plan.lead)
    assert lead is not None
    whole = _whole(work, version, parts, state.plan.id)
    approved = latest(state.facts.approvals, version.digest)
    approval = work.consents.decision(approved.id) if approved is not None else None
    if receiver == CITIZEN:
        kept, _ = shareable(whole, lambda _: False)
        kept, _ = _protected(work, state, kept, version, None)
        view = PlanView(
            plan_id=state.plan.id,
            version=number,
            resources=kept,
            approved=approved is not None and approved.decision == "yes",
            lead=lead.party,
            audience="citizen",
            approval=approval,
        )
        return Reduced(view, "own-right")
    member = state.member(receiver)
    if member is None:
        return None
    verdict = basis_for(state.facts.consents, member, at)
    seen = next(v for v in state.facts.versions if v.number == number)
    if not verdict.permit or refusal(state.facts, member, seen):
        return None
    kept, closed = shareable(whole, lambda plan: _owner(plan, parts) == receiver)
    own_part, own = _own(work, parts, receiver)
    mine = _written_by(receiver, parts, version)
    others, hidden = permitted(
        {k: r for k, r in kept.items() if k not in mine},
        lambda item: _may(state, member, item, at),
    )
    # What the receiver wrote itself is not withheld from it, whatever its labels.
    kept = {k: others.get(k, r) for k, r in kept.items() if k in others or k in mine}
    kept, away = _protected(work, state, kept, version, member.party, mine)
    if receiver != state.plan.lead and not _may_know_relatives(state, member, at):
        kept, unnamed = without_relatives(kept, own=frozenset(mine))
        away |= unnamed
    view = PlanView(
        plan_id=state.plan.id,
        version=number,
        resources=kept,
        approved=gate(
            state.facts.approvals, version.digest, party=receiver, roles=member.roles
        ).open,
        lead=lead.party,
        own=own,
        own_part=own_part,
        # Its conditions are the citizen's own words, and no section covers them.
        approval=approval if _may(state, member, {}, at) else None,
    )
    withheld = {x.path for x in (*closed, *hidden)} | away
    return Reduced(view, verdict.basis, frozenset(withheld))


def shows_more(
    work: UnitOfWork, state: PlanState, number: int, receiver: str, told: Collection[str]
) -> bool:
    """The version shows the receiver something now that it did not when only ``told`` was open to
    it: sections, and ``relatives``."""
    reduced = build_view(work, state, number, receiver, state.facts.now)
    if reduced is None:
        return False
    version = next(v for v in state.versions if v.number == number)
    mine = _written_by(receiver, work.plans.parts_in(version), version)
    others = {k: r for k, r in reduced.view.resources.items() if k not in mine}
    _, more = permitted(others, lambda item: set(sections(item) or names.SECTIONS) <= set(told))
    unnamed = frozenset[str]() if RELATIVES in told else without_relatives(others)[1]
    return bool(more or unnamed)


def _may_know_relatives(state: PlanState, member: Member, at: datetime) -> bool:
    """The citizen has agreed that this unit has their names and telephones."""
    return may_take_part(state.facts.consents, member.party, "relatives", at).permit


def _protected(
    work: UnitOfWork,
    state: PlanState,
    resources: dict[str, Resource],
    version: PlanVersion,
    receiver: Party | None,
    mine: Collection[str] = (),
) -> tuple[dict[str, Resource], frozenset[str]]:
    """Without a protected citizen's whereabouts, but for what the receiver itself has told.

    Who is protected now was so in every older version, whatever that says.
    """
    if not state.facts.protected and not is_hidden(resources.values()):
        return resources, frozenset()
    directory = work.parties.directory()
    people = (key for part in version.manifest.values() for key in part if key[0] == "Patient")
    told = {f"{t}/{i}" for t, i, v in people if work.plans.writer((t, i, v)) == _id(receiver)}

    def housing(unit: Resource) -> bool:
        party = directory.find(identifiers(unit))
        return reveals(unit, party) and (party is None or party != receiver)

    return without_whereabouts(resources, housing, own=frozenset({*mine, *told}))


def _id(party: Party | None) -> str:
    return party.id if party is not None else ""


def _whole(
    work: UnitOfWork, version: PlanVersion, parts: Iterable[Part], plan_id: str
) -> dict[str, Resource]:
    """Every resource of the version, the shared part first; sector plans are part of the plan."""
    ordered = sorted(parts, key=lambda p: (p.kind != SHARED, p.kind, p.id))
    found: dict[str, Resource] = {}
    for part in ordered:
        members = work.plans.resources(version.manifest[part.id])
        if part.kind != SHARED:
            first = next(iter(members))
            members[first] = members[first] | {"partOf": [{"reference": f"CarePlan/{plan_id}"}]}
        found |= members
    return found


def _owner(plan: Resource, parts: Iterable[Part]) -> str | None:
    """The party that owns a sector plan."""
    return next((p.owner for p in parts if p.id == plan["id"]), None)


def _may(state: PlanState, member: Member, item: Mapping[str, Any], at: datetime) -> bool:
    """May this member see an item with these labels?"""
    labels = sections(item)
    purpose = purpose_for(member.roles)
    return decide(member.party, Shared(state.facts.consents, labels), purpose, at).permit


def _written_by(party: str, parts: Iterable[Part], version: PlanVersion) -> set[str]:
    """``Type/id`` of everything in the party's own parts."""
    return {
        f"{kind}/{resource_id}"
        for part in parts
        if part.owner == party
        for kind, resource_id, _ in version.manifest[part.id]
    }


def _own(
    work: UnitOfWork, parts: Iterable[Part], receiver: str
) -> tuple[str | None, SourceDocument | None]:
    """The receiver's own sector plan, and its newest document: what a re-issue starts from.

    In the format it receives, if it has written one in that: a unit may have several plans. One
    that was only ever written resource by resource has no document.
    """
    registered = work.parties.get(receiver)
    subscription = registered.subscription() if registered else None
    wanted = subscription.format if subscription else ""
    found: list[tuple[tuple[bool, bool, float, str], SourceDocument | None]] = []
    for part in parts:
        if part.owner != receiver or part.kind == SHARED:
            continue
        item = work.inbox.get(part.document_inbox, SYSTEM) if part.document_inbox else None
        if item is None or item.body is None:
            found.append(((False, False, 0.0, part.id), None))
            continue
        order = (True, item.format == wanted, item.received_at.timestamp(), part.id)
        found.append((order, SourceDocument(item.format, item.body, item.media_type)))
    if not found:
        return None, None
    (*_, part_id), document = max(found, key=itemgetter(0))
    return f"CarePlan/{part_id}", document

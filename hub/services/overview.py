"""The operator's picture: rows without plan content, the same for API, CLI and console."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hub.errors import HubError, NotFound
from hub.model.agreement import Agreements
from hub.model.approval import Approval
from hub.model.breaker import Breaker, endpoint_of
from hub.model.delivery import State
from hub.model.party import SYSTEM, RegisteredParty, Viewer
from hub.model.records import (
    Delivery,
    Hop,
    Letter,
    LossRow,
    Part,
    Plan,
    PlanVersion,
    Task,
)
from hub.model.withdrawal import NOTICE, Withdrawal, is_frozen
from hub.ports import QueueDepth
from hub.services.gate import is_notice
from hub.services.hub import Hub
from hub.services.queries import DeliveryDetail
from hub.services.silence import Contact, contacts
from hub.services.state import agreements_of
from hub.services.withdrawal import withdrawal_row


def delivery_row(detail: DeliveryDetail) -> dict[str, Any]:
    """One delivery with its history."""
    d = detail.delivery
    return {
        "delivery": d.id,
        "plan": d.plan_id,
        "document": d.document or None,
        "version": d.version,
        "receiver": d.receiver,
        "subscription": d.subscription or None,
        "event": d.event,
        "notice": d.about.removeprefix(NOTICE) if is_notice(d) else None,
        "format": d.format,
        "state": d.state.value,
        "reason": d.reason,
        "legal_basis": d.basis,
        "attempts": d.attempts,
        "sequence": d.sequence,
        "retry_at": d.retry_at.isoformat() if d.retry_at else None,
        "created_at": d.created_at.isoformat(),
        "updated_at": d.updated_at.isoformat(),
        "history": [
            {"at": e.at.isoformat(), "state": e.state.value, "reason": e.reason, "by": e.actor}
            for e in detail.history
        ],
        "losses": len(detail.losses),
    }


def loss_rows(hub: Hub, plan_id: str) -> list[dict[str, Any]]:
    """Losses of one plan, on the way in (``delivery`` is null) and out."""
    with hub.store.reading() as work:
        return [
            {
                "delivery": loss.delivery_id,
                "document": loss.inbox_id,
                "path": loss.path,
                "kind": loss.kind,
                "reason": loss.reason,
            }
            for loss in work.losses.of(plan_id=plan_id)
        ]


def plan_row(hub: Hub, plan_id: str) -> dict[str, Any]:
    """One plan: its versions, parts, hops and decisions."""
    with hub.store.reading() as work:
        plan = work.plans.get(plan_id, SYSTEM, hub.clock())
        if plan is None:
            raise NotFound("No such plan")
        return {
            "plan": plan.id,
            "lead": plan.lead,
            "status": plan.status,
            "head": plan.head,
            "consent_epoch": plan.consent_epoch,
            "versions": [
                {"number": v.number, "by": v.written_by, "at": v.created_at.isoformat(),
                 "shared": v.digest[:12]}
                for v in work.plans.versions(plan.id)
            ],
            "parts": [{"kind": p.kind, "owner": p.owner} for p in work.plans.parts(plan.id)],
            "hops": [
                {"from": h.from_party, "to": h.to_party, "at": h.at.isoformat()}
                for h in work.journal.hops(plan.id)
            ],
            "decisions": [
                {"version": a.version, "decision": a.decision, "mode": a.mode,
                 "unmet_conditions": sum(not c.met for c in a.conditions)}
                for a in work.consents.approvals(plan.id)
            ],
            "frozen": is_frozen(work.consents.of_citizen(plan.citizen_id), hub.clock()),
            "withdrawals": [withdrawal_row(w) for w in work.withdrawals.of_plan(plan.id)],
            # That somebody wrote, never what: an operator reads no letters.
            "letters": [
                {"message": x.id, "from": x.sender, "kind": x.kind, "at": x.at.isoformat()}
                for x in work.conversations.letters(plan.id)
            ],
        }  # fmt: skip


def queue_rows(hub: Hub) -> list[dict[str, Any]]:
    """The broker's queues and the mailboxes."""
    return [
        {
            "queue": q.name,
            "ready": q.ready,
            "unacknowledged": q.unacknowledged,
            "consumers": q.consumers,
        }
        for q in hub.bus.depths()
    ]


def party_rows(hub: Hub) -> list[dict[str, Any]]:
    """Parties with their deliveries by state."""
    nothing = Contact(None, None, silent=False)
    with hub.store.reading() as work:
        counts, known = work.deliveries.counts(), contacts(work)
        agreed = agreements_of(work)
        failing = {b.endpoint: b for b in work.breakers.listing()}
        return [
            {
                "party": p.party.id,
                "name": p.party.name,
                "kind": p.party.kind,
                "organisation": p.party.organisation,
                "agreement": agreed.of(p.party.id).name,
                "transport": p.endpoint.transport,
                "endpoint": (at := endpoint_of(p.endpoint.transport, p.endpoint.address)),
                "endpoint_state": failing.get(at, Breaker(at)).state.value,
                "formats": [s.format for s in p.subscriptions],
                "retry": p.retry.written(),
                "paused": p.paused,
                "paused_by": p.paused_by,
                "paused_reason": p.paused_reason,
                "deliveries": counts.get(p.party.id, {}),
                **contact_row(known.get(p.party.id, nothing)),
            }
            for p in work.parties.all()
        ]


def contact_row(contact: Contact) -> dict[str, Any]:
    """Since when it is waited for, when it was last heard of, and whether it counts as silent."""
    return {
        "waits_since": contact.waits_since.isoformat() if contact.waits_since else None,
        "heard_at": contact.heard_at.isoformat() if contact.heard_at else None,
        "silent": contact.silent,
    }


def party_contacts(hub: Hub, viewer: Viewer) -> Mapping[str, Contact]:
    """Party to how it is heard of."""
    for_operators(viewer)
    with hub.store.reading() as work:
        return contacts(work)


@dataclass(frozen=True)
class Numbers:
    """How many there are, for whoever watches; of nobody in particular."""

    deliveries: Mapping[str, Mapping[str, int]]
    """Receiver to state to number."""
    losses: Counter[tuple[str, ...]]
    """Of (``in`` or ``out``, format, kind)."""
    tasks: Counter[tuple[str, ...]]
    """Open ones of (kind,)."""
    silent: int
    """Receivers that have something waiting and are not heard of."""
    endpoints: Counter[tuple[str, ...]]
    """That failed and have not worked since, by (state,)."""


def numbers(hub: Hub) -> Numbers:
    """Counted in one look."""
    with hub.store.reading() as work:
        return Numbers(
            work.deliveries.counts(),
            Counter(work.losses.counts()),
            Counter((t.kind,) for t in work.journal.tasks(SYSTEM)),
            sum(c.silent for c in contacts(work).values()),
            Counter((b.state.value,) for b in work.breakers.listing()),
        )


@dataclass(frozen=True)
class PlanHistory:
    """Everything about one plan but what stands in it."""

    plan: Plan
    versions: tuple[PlanVersion, ...]
    parts: tuple[Part, ...]
    hops: tuple[Hop, ...]
    approvals: tuple[Approval, ...]
    losses: tuple[LossRow, ...]
    letters: tuple[Letter, ...]
    """Without their text."""
    withdrawals: tuple[Withdrawal, ...]
    frozen: bool
    """No consent covers it now."""


@dataclass(frozen=True)
class Turn:
    """Whose move it is on a delivery."""

    whose: Literal["hub", "receiver", "party", "operator", "nobody"]
    party: str | None = None
    """The unit, when it is a unit's person."""


def whose_turn(delivery: Delivery, tasks: Sequence[Task], paused: frozenset[str]) -> Turn:
    """Who must act next; ``tasks`` are the open ones, ``paused`` the parties on hold. Pure."""
    asked = next((t for t in tasks if t.delivery_id == delivery.id), None)
    if delivery.subscription and delivery.state is State.DEAD:
        return Turn("party", delivery.receiver)
    # A dead one without a task has been seen to.
    mine = {State.HELD} if asked is None else {State.DEAD}
    if delivery.state in mine:
        return Turn("operator")
    if delivery.state in {State.BLOCKED, State.HELD, State.SENT} and asked is not None:
        return Turn("operator") if asked.party == "operator" else Turn("party", asked.party)
    if delivery.state is State.SENT:
        return Turn("receiver", delivery.receiver)
    if delivery.state in {State.DUE, State.SENDING, State.RETRY_AT}:
        return Turn("operator" if delivery.receiver in paused else "hub")
    return Turn("nobody")


def delivery_counts(hub: Hub, viewer: Viewer) -> dict[str, dict[str, int]]:
    """Receiver to state to number of deliveries."""
    for_operators(viewer)
    with hub.store.reading() as work:
        return work.deliveries.counts()


def delivery_counts_by_plan(hub: Hub, viewer: Viewer) -> dict[str, dict[str, int]]:
    """Plan to state to number of deliveries."""
    for_operators(viewer)
    with hub.store.reading() as work:
        return work.deliveries.counts_by_plan()


def parties(hub: Hub, viewer: Viewer) -> list[RegisteredParty]:
    """The register of units, by id; an operator's pause and its reason are among it."""
    with hub.store.reading() as work:
        found = work.parties.all()
    return found if viewer.kind != "party" else [p for p in found if p.party.id == viewer.id]


def agreements(hub: Hub, viewer: Viewer) -> Agreements:
    """What the units have agreed on."""
    for_operators(viewer)
    with hub.store.reading() as work:
        return agreements_of(work)


def plan_history(hub: Hub, viewer: Viewer, plan_id: str) -> PlanHistory:
    """One plan; NotFound also for what the viewer may not know of."""
    for_operators(viewer)
    with hub.store.reading() as work:
        plan = work.plans.get(plan_id, viewer, hub.clock())
        if plan is None:
            raise NotFound("No such plan")
        return PlanHistory(
            plan,
            tuple(work.plans.versions(plan_id)),
            tuple(work.plans.parts(plan_id)),
            tuple(work.journal.hops(plan_id)),
            work.consents.approvals(plan_id),
            tuple(work.losses.of(plan_id=plan_id)),
            tuple(x.without_text() for x in work.conversations.letters(plan_id)),
            work.withdrawals.of_plan(plan_id),
            is_frozen(work.consents.of_citizen(plan.citizen_id), hub.clock()),
        )


def plans_with_parts(hub: Hub, viewer: Viewer) -> list[tuple[Plan, tuple[Part, ...]]]:
    """Plans, newest first, with the parts of each."""
    for_operators(viewer)
    with hub.store.reading() as work:
        found = work.plans.listing(viewer, hub.clock())
        return [(p, tuple(work.plans.parts(p.id))) for p in found]


def queue_depths(hub: Hub) -> list[QueueDepth] | None:
    """Every queue; None when the broker does not answer, or may not be asked how deep they are."""
    try:
        return hub.bus.depths()
    except HubError:
        return None


def readiness(hub: Hub) -> dict[str, str | None]:
    """Really asks the database, the broker and the rest; None means it answers, else why not."""
    found: dict[str, str | None] = {}
    asked = {"database": hub.store.check, "broker": hub.bus.check, **hub.probes}
    for name, check in asked.items():
        try:
            check()
            found[name] = None
        except HubError as e:
            found[name] = e.text
    return found


def for_operators(viewer: Viewer) -> None:
    """Raises NotFound for a party: it is not told what there is beyond its own."""
    if viewer.kind == "party":
        raise NotFound("Not known here")

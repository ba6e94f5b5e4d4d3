"""The operator's picture: rows without plan content, the same for API, CLI and console."""

from __future__ import annotations

from typing import Any

from hub.errors import NotFound
from hub.model.party import SYSTEM
from hub.services.hub import Hub
from hub.services.queries import DeliveryDetail


def delivery_row(detail: DeliveryDetail) -> dict[str, Any]:
    """One delivery with its history."""
    d = detail.delivery
    return {
        "delivery": d.id,
        "plan": d.plan_id,
        "version": d.version,
        "receiver": d.receiver,
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
            for loss in work.journal.losses(plan_id=plan_id)
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
    with hub.store.reading() as work:
        counts = work.deliveries.counts()
        return [
            {
                "party": p.party.id,
                "name": p.party.name,
                "kind": p.party.kind,
                "organisation": p.party.organisation,
                "transport": p.endpoint.transport,
                "formats": [s.format for s in p.subscriptions],
                "paused": p.paused,
                "paused_by": p.paused_by,
                "paused_reason": p.paused_reason,
                "deliveries": counts.get(p.party.id, {}),
            }
            for p in work.parties.all()
        ]

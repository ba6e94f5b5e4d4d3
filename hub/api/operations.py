"""For the operator: deliveries, messages, queues, parties, pause. No plan content, but for a look
at what could not be understood, which is audited."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from hub.api.security import HubDep, OperatorDep
from hub.model.delivery import State
from hub.model.party import Viewer
from hub.model.records import InboxState
from hub.services import (
    admin,
    holding,
    kept,
    overview,
    queries,
    received,
    retract,
    subscription_admin,
)

ROUTER = APIRouter(prefix="/operations", tags=["operations"])


class Reason(BaseModel):
    """Why."""

    reason: str = Field(min_length=1)


@ROUTER.get("/deliveries")
def deliveries(
    hub: HubDep,
    operator: OperatorDep,
    state: State | None = None,
    receiver: str | None = None,
    plan: str | None = None,
) -> list[dict[str, Any]]:
    """Deliveries, newest first, with their history; 404 for an unknown receiver or plan."""
    viewer = Viewer("operator", operator)
    found = queries.deliveries(
        hub,
        viewer,
        state=state,
        receiver=queries.known_receiver(hub, receiver) if receiver else None,
        plan_id=queries.whole_plan_id(hub, viewer, plan) if plan else None,
    )
    return [overview.delivery_row(queries.delivery_detail(hub, viewer, d.id)) for d in found]


@ROUTER.post("/deliveries/{delivery}/accept-losses")
def accept_losses(delivery: str, why: Reason, hub: HubDep, operator: OperatorDep) -> dict[str, str]:
    """Let a held document go although it loses what its receiver does not accept."""
    found = holding.accept_losses(hub, delivery, actor=operator, reason=why.reason)
    return {"delivery": found.id, "state": found.state.value}


@ROUTER.get("/losses")
def losses(hub: HubDep, operator: OperatorDep, plan: str) -> list[dict[str, Any]]:
    """What translations of one plan's documents could not carry."""
    return overview.loss_rows(hub, plan)


@ROUTER.get("/plans/{plan}")
def plan(plan: str, hub: HubDep, operator: OperatorDep) -> dict[str, Any]:
    """Versions, parts and hops of one plan; no content."""
    return overview.plan_row(hub, plan)


@ROUTER.get("/queues")
def queues(hub: HubDep, operator: OperatorDep) -> list[dict[str, Any]]:
    """Every queue and how many messages wait."""
    return overview.queue_rows(hub)


@ROUTER.get("/parties")
def parties(hub: HubDep, operator: OperatorDep) -> list[dict[str, Any]]:
    """Every party, its endpoint and its deliveries by state."""
    return overview.party_rows(hub)


@ROUTER.get("/messages")
def messages(
    hub: HubDep, operator: OperatorDep, state: InboxState | None = None
) -> list[dict[str, Any]]:
    """Received documents and their answers, newest first; nothing of what they hold."""
    found = received.received(hub, Viewer("operator", operator), state)
    return [kept.message_row(m) for m in found]


@ROUTER.get("/messages/{message}")
def message(message: str, hub: HubDep, operator: OperatorDep) -> dict[str, Any]:
    """One received document and its answer."""
    return kept.message_row(received.received_one(hub, Viewer("operator", operator), message))


@ROUTER.post("/messages/{message}/bytes")
def look(message: str, why: Reason, hub: HubDep, operator: OperatorDep) -> Response:
    """What was received, byte for byte, if it could not be understood; audited first."""
    return download(kept.look(hub, Viewer("operator", operator), message, reason=why.reason))


def download(found: kept.KeptBytes) -> Response:
    """A file to save: no browser shall show, guess at, keep or run what nobody understood."""
    headers = {
        "Content-Disposition": f'attachment; filename="{found.name}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return Response(found.body, headers=headers, media_type="application/octet-stream")


@ROUTER.post("/messages/{message}/entered-in-error")
def document_in_error(message: str, why: Reason, hub: HubDep, operator: OperatorDep) -> Response:
    """The document should never have been published; who had it is told."""
    retract.document_in_error(hub, message, actor=operator, reason=why.reason)
    return Response(status_code=204)


@ROUTER.post("/deliveries/{delivery}/entered-in-error")
def sent_in_error(delivery: str, why: Reason, hub: HubDep, operator: OperatorDep) -> Response:
    """The receiver was the wrong one; it is told."""
    retract.sent_in_error(hub, delivery, actor=operator, reason=why.reason)
    return Response(status_code=204)


@ROUTER.post("/parties/{party}/pause")
def pause(party: str, why: Reason, hub: HubDep, operator: OperatorDep) -> dict[str, str]:
    """Send nothing to the party until it is resumed."""
    admin.pause(hub, party, by=operator, reason=why.reason)
    return {"party": party, "state": "paused"}


@ROUTER.post("/parties/{party}/resume")
def resume(party: str, why: Reason, hub: HubDep, operator: OperatorDep) -> dict[str, str]:
    """Send again."""
    admin.resume(hub, party, by=operator, reason=why.reason)
    return {"party": party, "state": "active"}


@ROUTER.get("/subscriptions")
def subscriptions(hub: HubDep, operator: OperatorDep) -> list[dict[str, Any]]:
    """Every FHIR Subscription: state, last error, events; no secret of the party's."""
    return subscription_admin.subscription_rows(hub)


@ROUTER.get("/subscriptions/{subscription}")
def subscription(subscription: str, hub: HubDep, operator: OperatorDep) -> dict[str, Any]:
    """One, with its notifications."""
    return subscription_admin.subscription_row(hub, subscription)


@ROUTER.post("/subscriptions/{subscription}/suspend")
def suspend(subscription: str, why: Reason, hub: HubDep, operator: OperatorDep) -> dict[str, str]:
    """Send nothing of it until it is resumed; its events are kept."""
    subscription_admin.suspend(hub, subscription, by=operator, reason=why.reason)
    return {"subscription": subscription, "state": "suspended"}


@ROUTER.post("/subscriptions/{subscription}/resume")
def resume_subscription(subscription: str, hub: HubDep, operator: OperatorDep) -> dict[str, str]:
    """Let it go on; its endpoint must answer first."""
    subscription_admin.resume(hub, subscription, by=operator)
    return {"subscription": subscription, "state": "requested"}

"""Plans, notices and receipts as FHIR Bundles."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from adapters.fhir.notice import communication, unit
from adapters.fhir.terms import EVENT_SYSTEM, PLAN_ID, UNAPPROVED
from hub.contract import (
    Context,
    Loss,
    Notice,
    Party,
    PlanView,
    Receipt,
    Rendered,
    Resource,
    SourceDocument,
)
from hub.errors import CannotRender
from hub.fhir import names
from hub.fhir.bundles import collection, reachable, without
from hub.fhir.codec import dump_json
from hub.fhir.extract import codes, has_code
from hub.fhir.outcome import outcome

MEDIA_TYPE = "application/fhir+json"


def render(content: PlanView | Notice | Receipt, receiver: Party, context: Context) -> Rendered:
    """The receiver's Bundle; raises CannotRender for a view without a plan."""
    if isinstance(content, PlanView):
        return _plan(content, receiver, context)
    if isinstance(content, Notice):
        made = communication(content, receiver, context)
        return _finished({f"Communication/{made['id']}": made}, context)
    return _answer(content, context)


def _plan(view: PlanView, receiver: Party, context: Context) -> Rendered:
    kept, losses = _without_foreign_documents(view)
    first = _first(kept)
    ordered = {first: _stamped(kept[first], view)} | {k: v for k, v in kept.items() if k != first}
    if view.own is not None:
        enclosure = _enclosure(view.own, receiver, context)
        ordered[f"DocumentReference/{enclosure['id']}"] = enclosure
    rendered = _finished(ordered, context)
    return Rendered(rendered.body, MEDIA_TYPE, losses=losses)


def _first(resources: Mapping[str, Resource]) -> str:
    """The shared plan; where only a sector plan is seen, that."""
    plans = {k: r for k, r in resources.items() if r["resourceType"] == "CarePlan"}
    for key, plan in plans.items():
        if has_code(plan.get("category", ()), names.CATEGORY, "ki-plan"):
            return key
    if not plans:
        raise CannotRender("There is no plan this receiver may see")
    return next(iter(plans))


def _stamped(plan: Resource, view: PlanView) -> Resource:
    """The plan with its version and, on the shared part, the hub's id and whether it waits.

    Waits: the citizen has not approved this version, or a condition for this receiver is not met.
    """
    made = dict(plan)
    made["meta"] = {"versionId": str(view.version)} | {
        k: v for k, v in plan.get("meta", {}).items() if k != "versionId"
    }
    if not view.approved and has_code(plan.get("category", ()), names.CATEGORY, "ki-plan"):
        made["meta"]["tag"] = [*made["meta"].get("tag", ()), UNAPPROVED]
    if codes(plan.get("category", ()), names.CATEGORY):
        others = [i for i in plan.get("identifier", ()) if i.get("system") != PLAN_ID]
        made["identifier"] = [*others, {"system": PLAN_ID, "value": view.plan_id}]
    return made


def _without_foreign_documents(
    view: PlanView,
) -> tuple[dict[str, Resource], tuple[Loss, ...]]:
    """Documents stay with those who wrote them; only the receiver's own sector plan keeps its."""
    own = reachable(view.resources, [view.own_part]) if view.own_part else set()
    foreign = {k for k in view.resources if k.startswith(("DocumentReference/", "Binary/"))} - own
    if not foreign:
        return dict(view.resources), ()
    kept = {
        key: without(resource, foreign.__contains__)
        for key, resource in view.resources.items()
        if key not in foreign
    }
    reason = "another party's document is not passed on"
    return kept, tuple(Loss(k, "dropped", reason) for k in view.resources if k in foreign)


def _enclosure(own: SourceDocument, receiver: Party, context: Context) -> Resource:
    """The receiver's own last document, byte for byte."""
    return {
        "resourceType": "DocumentReference",
        "id": context.id_for("own-document"),
        "status": "current",
        "author": [unit(receiver)],
        "description": "Modtagerens eget seneste dokument, uændret",
        "content": [
            {
                "attachment": {
                    "contentType": own.media_type,
                    "data": base64.b64encode(own.body).decode("ascii"),
                    "size": len(own.body),
                    # R4 names SHA-1 for Attachment.hash; it detects damage, it protects nothing.
                    "hash": base64.b64encode(
                        hashlib.sha1(own.body, usedforsecurity=False).digest()
                    ).decode("ascii"),
                }
            }
        ],
    }


def _answer(receipt: Receipt, context: Context) -> Rendered:
    """A message whose MessageHeader.response names what it answers."""
    responses = {"ok": "ok", "transient": "transient-error", "permanent": "fatal-error"}
    response: dict[str, Any] = {"identifier": receipt.of, "code": responses[receipt.outcome]}
    header: Resource = {
        "resourceType": "MessageHeader",
        "id": context.id_for("answer"),
        "eventCoding": names.coding(EVENT_SYSTEM, "plan-update"),
        "sender": unit(context.sender),
        "source": {"endpoint": context.base_url},
        "response": response,
    }
    resources = {f"MessageHeader/{header['id']}": header}
    if receipt.issues:
        details = {"id": context.id_for("answer-details")} | outcome(receipt.issues)
        key = f"OperationOutcome/{details['id']}"
        response["details"] = {"reference": key}
        resources[key] = details
    made = _finished(resources, context, kind="message")
    return Rendered(made.body, MEDIA_TYPE, message_id=str(header["id"]))


def _finished(
    resources: Mapping[str, Resource], context: Context, *, kind: str = "collection"
) -> Rendered:
    bundle = collection(
        resources,
        context.base_url,
        id=context.id_for("bundle"),
        timestamp=context.now.isoformat(timespec="milliseconds"),
    )
    bundle["type"] = kind
    return Rendered(dump_json(bundle), MEDIA_TYPE)

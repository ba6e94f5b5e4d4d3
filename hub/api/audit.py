"""The audit trail: for operators and auditors by row, for the citizen's own unit in words.

Each look is itself a row of the trail.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter, Request, Response

from hub.api.fhir_http import FHIR_JSON, language_of
from hub.api.security import HubDep, OperatorDep, PartyDep
from hub.errors import Invalid
from hub.fhir.audit_event import audit_event, bundle
from hub.fhir.bundles import collection
from hub.fhir.codec import dump_json
from hub.model.party import Viewer
from hub.services import access_record
from hub.services.hub import repeatable
from hub.services.provenance import provenances
from hub.store.trail import Wanted

ROUTER = APIRouter(tags=["audit"])


@ROUTER.get("/operations/audit")
def rows(
    hub: HubDep,
    operator: OperatorDep,
    plan: str | None = None,
    party: str | None = None,
    actor: str | None = None,
    action: str | None = None,
    outcome: Literal["success", "denied", "refused"] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
    count: int = 100,
    format: Literal["rows", "fhir"] = "rows",
) -> dict[str, Any]:
    """Rows, newest first; ``next`` is what to give as ``before`` for those that follow. With
    ``format=fhir`` they are AuditEvents in a Bundle."""
    for name, moment in (("since", since), ("until", until)):
        if moment is not None and moment.tzinfo is None:
            raise Invalid("Give the time with its offset from UTC", at=name)
    wanted = Wanted(
        plan_id=plan, party=party, actor=actor, action=action, outcome=outcome, since=since,
        until=until,
    )  # fmt: skip
    viewer = Viewer("operator", operator)
    found, following = access_record.page(hub, viewer, wanted, before=before, count=count)
    if format == "fhir":
        return bundle([audit_event(r, hub.base_url) for r in found])
    return {"rows": [access_record.audit_row(r) for r in found], "next": following}


@ROUTER.get("/plans/{plan}/provenance")
def provenance(plan: str, hub: HubDep, party: PartyDep) -> Response:
    """Who made each version that you may read, from which document (its SHA-256), and when: a
    Bundle of Provenance resources, newest first. What changed in nothing you may see is left
    out."""
    found = provenances(hub, Viewer.of(party.party), plan)
    told = collection(
        {f"Provenance/{p['id']}": p for p in found}, hub.base_url,
        id=repeatable("provenance", plan), timestamp=hub.clock().isoformat(),
    )  # fmt: skip
    body = dump_json({k: v for k, v in told.items() if v})
    return Response(body, media_type=FHIR_JSON, headers={"Cache-Control": "no-store"})


@ROUTER.get("/plans/{plan}/access-record")
def record(
    plan: str, hub: HubDep, party: PartyDep, request: Request, everything: bool = False
) -> list[dict[str, Any]]:
    """Who has seen the plan or tried to, newest first, in Danish or English (Accept-Language): for
    the lead's unit and the coordinators, to give to the citizen. With ``everything`` also who
    changed it, and what was not sent."""
    found = access_record.access_record(
        hub, party.party, plan, language_of(request), everything=everything
    )
    return [access_record.line_row(line) for line in found]

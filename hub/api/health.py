"""Liveness says the process answers; readiness really asks what the hub needs."""

from __future__ import annotations

from fastapi import APIRouter, Response

from hub.api.security import HubDep
from hub.fhir.codec import dump_json
from hub.services.overview import readiness

ROUTER = APIRouter(prefix="/health", tags=["health"])


@ROUTER.get("/live")
def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "live"}


@ROUTER.get("/ready", responses={503: {"description": "Says which does not answer"}})
def ready(hub: HubDep) -> Response:
    """200 when database, broker and all else it needs answer, else 503 saying which does not."""
    found = {name: why or "ok" for name, why in readiness(hub).items()}
    status = 200 if all(v == "ok" for v in found.values()) else 503
    return Response(dump_json(found), status, media_type="application/json")

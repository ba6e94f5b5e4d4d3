"""Liveness says the process answers; readiness really asks what the hub needs."""

from __future__ import annotations

from fastapi import APIRouter, Response

from hub.api.security import HubDep
from hub.errors import HubError
from hub.fhir.codec import dump_json

ROUTER = APIRouter(prefix="/health", tags=["health"])


@ROUTER.get("/live")
def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "live"}


@ROUTER.get("/ready", responses={503: {"description": "Says which does not answer"}})
def ready(hub: HubDep) -> Response:
    """200 when database, broker and all else it needs answer, else 503 saying which does not."""
    found = {}
    asked = {"database": hub.store.check, "broker": hub.bus.check, **hub.probes}
    for name, check in asked.items():
        try:
            check()
            found[name] = "ok"
        except HubError as e:
            found[name] = e.text
    status = 200 if all(v == "ok" for v in found.values()) else 503
    return Response(dump_json(found), status, media_type="application/json")

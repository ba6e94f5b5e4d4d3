"""For the operator: endpoints that fail and are left alone for a while."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from hub.api.security import HubDep, OperatorDep
from hub.services import breakers

ROUTER = APIRouter(prefix="/operations", tags=["operations"])


class Reset(BaseModel):
    """Which one works again, and how that is known."""

    endpoint: str = Field(min_length=1, description="As the list has it")
    reason: str = Field(min_length=1)


@ROUTER.get("/endpoints")
def endpoints(hub: HubDep, operator: OperatorDep) -> list[dict[str, Any]]:
    """Endpoints that failed and have not worked since: state, why, until when, whose."""
    return breakers.endpoint_rows(hub)


@ROUTER.post("/endpoints/reset")
def reset(what: Reset, hub: HubDep, operator: OperatorDep) -> dict[str, str]:
    """Send there again at once."""
    breakers.reset(hub, what.endpoint, by=operator, reason=what.reason)
    return {"endpoint": what.endpoint, "state": "closed"}

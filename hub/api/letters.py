"""What a plan's receivers wrote about it, for the units that may read it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from hub.api.acts import Act
from hub.api.security import HubDep, PartyDep
from hub.services import letters

ROUTER = APIRouter(tags=["people"])


class LetterOut(BaseModel):
    """One message from a person."""

    message: str
    sender: str
    kind: Literal["new", "reply", "forward"]
    text: str
    at: datetime


@ROUTER.get("/plans/{plan}/letters")
def of_plan(plan: str, hub: HubDep, party: PartyDep) -> list[LetterOut]:
    """What was written about the plan and this unit may read, oldest first; audited."""
    return [
        LetterOut(message=x.id, sender=x.sender, kind=x.kind, text=x.text, at=x.at)
        for x in letters.letters(hub, party.party, plan)
    ]


@ROUTER.post("/plans/{plan}/letters/{message}/seen-to", status_code=204)
def seen_to(plan: str, message: str, act: Act, hub: HubDep, party: PartyDep) -> Response:
    """A person of the lead's unit has read it and done what it asks; the task is done."""
    letters.seen_to(hub, party.party, plan, message, act.person)
    return Response(status_code=204)

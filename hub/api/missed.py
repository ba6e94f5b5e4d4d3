"""What was made of a plan for its receiver: listed, and sent once more when it is missed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from hub.api.security import HubDep, PartyDep
from hub.model.records import Delivery
from hub.services.missed import Wish, ask_for_missed, made_for

ROUTER = APIRouter(tags=["mailbox"])
After = Annotated[int, Query(ge=0, description="The last number before the gap")]


class Made(BaseModel):
    """One message that was made for the receiver."""

    delivery: str
    format: str
    sequence: int
    """Its number, of the plan in this format."""
    version: int
    """Of the plan."""
    state: str


class Missed(BaseModel):
    """What is asked for."""

    format: str | None = Field(None, description="Without it, every format with its own numbers")
    after: int = Field(0, ge=0, description="The last number before the gap")
    latest: bool = Field(False, description="The current document alone")


@ROUTER.get("/plans/{plan}/deliveries")
def deliveries(
    plan: str, hub: HubDep, party: PartyDep, format: str | None = None, after: After = 0
) -> list[Made]:
    """What was made for you of the plan and you may have now, by number; the first hundred. A
    number that is left out is not to be had any more."""
    return _made(made_for(hub, party.party, Wish(plan, format, after)))


@ROUTER.post("/plans/{plan}/missed", status_code=202)
def missed(plan: str, asked: Missed, hub: HubDep, party: PartyDep) -> list[Made]:
    """Have it sent once more: the same bytes, ids and numbers. What is on its way or in your
    mailbox is left there."""
    wish = Wish(plan, asked.format, asked.after, asked.latest)
    return _made(ask_for_missed(hub, party.party, wish))


def _made(rows: list[Delivery]) -> list[Made]:
    return [
        Made(
            delivery=r.id, format=r.format, sequence=r.sequence or 0, version=r.version,
            state=r.state.value,
        )
        for r in rows
    ]  # fmt: skip

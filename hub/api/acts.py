"""What a party's people do: their tasks, and acts on a delivery, each with the person's name."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from hub.api.mailbox import DeliveryState
from hub.api.security import HubDep, PartyDep
from hub.contract import Identifier
from hub.model.party import Viewer
from hub.services import acts, holding, numbers, queries, rejection
from hub.services import tasks as told

ROUTER = APIRouter(tags=["people"])


class Act(BaseModel):
    """Who did it."""

    person: str = Field(min_length=1, description="Name and function")


class NotSent(Act):
    """A decision not to send."""

    postscript: str = Field(min_length=1, description="Efterskrift: what happened, and why")


class Accepted(Act):
    """A document may go with the losses it has."""

    reason: str = Field(min_length=1, description="Why it may go like this")


class TaskOut(BaseModel):
    """Something a person of this unit must do."""

    id: str
    kind: str
    text: str
    plan: str | None
    delivery: str | None
    since: datetime


@ROUTER.get("/tasks")
def tasks(hub: HubDep, party: PartyDep) -> list[TaskOut]:
    """The unit's open tasks, oldest first."""
    return [
        TaskOut(id=t.id, kind=t.kind, text=t.text, plan=t.plan_id, delivery=t.delivery_id,
                since=t.created_at)
        for t in queries.tasks(hub, Viewer.of(party.party))
    ]  # fmt: skip


@ROUTER.post("/tasks/{task}/seen-to", status_code=204)
def seen_to(task: str, act: Act, hub: HubDep, party: PartyDep) -> None:
    """A task that only a person's word shows to be done: after a withdrawal or a correction."""
    told.seen_to(hub, party.party, task, act.person)


@ROUTER.post("/deliveries/{delivery}/hand-over")
def hand_over(delivery: str, act: Act, hub: HubDep, party: PartyDep) -> DeliveryState:
    """The citizen was given the copy."""
    found = acts.hand_over(hub, party.party, delivery, act.person)
    return DeliveryState(delivery=found.id, state=found.state.value)


@ROUTER.post("/deliveries/{delivery}/forward")
def forward(delivery: str, act: Act, hub: HubDep, party: PartyDep) -> DeliveryState:
    """The own coordinator forwards the plan to the other organisation's."""
    found = acts.forward(hub, party.party, delivery, act.person)
    return DeliveryState(delivery=found.id, state=found.state.value)


@ROUTER.post("/deliveries/{delivery}/not-sent")
def not_sent(delivery: str, act: NotSent, hub: HubDep, party: PartyDep) -> DeliveryState:
    """A person decides that it is not sent; final."""
    found = acts.decide_not_to_send(hub, party.party, delivery, act.person, act.postscript)
    return DeliveryState(delivery=found.id, state=found.state.value)


class AnswerToNo(Act):
    """What a person says after the citizen's no to a plan version."""

    consent_holds: bool = Field(description="The citizen's consent still holds")
    new_meeting: bool = Field(description="A new meeting is needed")


@ROUTER.post("/plans/{plan}/answer-no", status_code=204)
def answer_no(plan: str, act: AnswerToNo, hub: HubDep, party: PartyDep) -> None:
    """The lead's unit, or a coordinator that has the plan, answers what the citizen's no asks."""
    rejection.answer(
        hub, party.party, plan, act.person,
        consent_holds=act.consent_holds, new_meeting=act.new_meeting,
    )  # fmt: skip


class Number(BaseModel):
    """A CPR number or a replacement number."""

    system: str
    value: str


class OtherNumber(Act):
    """The citizen has another number now."""

    known: Number = Field(description="One that this unit has registered a consent of, or leads by")
    new: Number


@ROUTER.post("/citizens/link-number", status_code=204)
def link_number(act: OtherNumber, hub: HubDep, party: PartyDep) -> None:
    """Both numbers find the citizen from now on; by a unit that knows the citizen."""
    known = Identifier(act.known.system, act.known.value)
    new = Identifier(act.new.system, act.new.value)
    numbers.link(hub, party.party, known, new, act.person)


@ROUTER.post("/deliveries/{delivery}/accept-losses")
def accept_losses(delivery: str, act: Accepted, hub: HubDep, party: PartyDep) -> DeliveryState:
    """The lead lets a held document go although it loses what its receiver does not accept."""
    own = party.party.id
    found = holding.accept_losses(
        hub, delivery, actor=f"{own}: {act.person}", reason=act.reason, lead=own
    )
    return DeliveryState(delivery=found.id, state=found.state.value)

"""POST /documents/{format}: a document in one of the formats; GET /messages/{id}: its answer."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from hub.api.body import BodyDep
from hub.api.description import ANSWER, DOCUMENT, OUTCOME
from hub.api.fhir_http import answer as fhir_answer
from hub.api.fhir_http import wire_or_json
from hub.api.security import HubDep, PartyDep
from hub.api.writes import respond
from hub.contract import Party
from hub.errors import NotFound, Temporary
from hub.fhir.codec import parse_json
from hub.model.party import Viewer
from hub.model.records import InboxItem
from hub.services.accept import Accepted, accept
from hub.services.hub import Hub
from hub.services.process import answered
from hub.services.retract import document_in_error

ROUTER = APIRouter(tags=["documents"])


class InError(BaseModel):
    """Who says so, and why."""

    person: str = Field(min_length=1, description="Name and function")
    reason: str = Field(min_length=1, description="Without names and numbers of citizens")


class Retracted(BaseModel):
    """It is taken back."""

    message: str
    version: int | None
    """The plan's first version without it; null where it was in no plan."""


@ROUTER.post(
    "/documents/{format}",
    responses={200: OUTCOME, 202: OUTCOME | {"description": "Kept; ask again at Location"}},
    openapi_extra=DOCUMENT,
)
def post_document(
    format: str, request: Request, body: BodyDep, hub: HubDep, sender: PartyDep
) -> Response:
    """Publish a document. ``Message-Id`` (optional) makes a resend safe to recognise."""
    return receive(hub, sender.party, format, body, request)


@ROUTER.get("/messages/{message}", responses={200: ANSWER, 202: {"description": "Not yet"}})
def get_message(message: str, request: Request, hub: HubDep, sender: PartyDep) -> Response:
    """The answer to a document of one's own, by the id in ``Location``."""
    viewer = Viewer.of(sender.party)
    with hub.store.reading() as work:
        item = work.inbox.get(message, viewer)
    if item is None:
        raise NotFound("You have sent no such message")
    if item.request is not None:
        kept = Accepted(item, duplicate=False)
        return respond(request, wire_or_json(request), hub, viewer, kept)
    return answer(item, request, duplicate=False)


@ROUTER.post("/messages/{message}/entered-in-error")
def entered_in_error(message: str, said: InError, hub: HubDep, sender: PartyDep) -> Retracted:
    """A document of one's own should never have been published: of another citizen, say."""
    own = sender.party.id
    number = document_in_error(
        hub, message, actor=f"{own}: {said.person}", reason=said.reason, sender=own
    )
    return Retracted(message=message, version=number or None)


def receive(hub: Hub, sender: Party, format: str, body: bytes, request: Request) -> Response:
    """Commit, process, answer; 202 with ``Location`` if it is kept but not processed yet."""
    media_type = request.headers.get("Content-Type", "application/octet-stream")
    accepted = accept(
        hub, sender, format, body, media_type, message_id=request.headers.get("Message-Id")
    )
    item = accepted.item
    try:
        item = answered(hub, item.id)
    except Temporary:
        hub.wake.set()
    return answer(item, request, duplicate=accepted.duplicate)


def answer(item: InboxItem, request: Request, *, duplicate: bool) -> Response:
    """The stored answer, in the reader's language and syntax; the same for the same message."""
    headers = {"Location": f"/messages/{item.id}"}
    if duplicate:
        headers["KI-Hub-Duplicate"] = "true"
    if item.answer is None:
        return Response(status_code=202, headers=headers)
    if item.plan_id is not None and item.status != 202:
        # What joined a plan later keeps the answer it got; whether there is a plan is told by it.
        headers["Location"] = f"/fhir/CarePlan/{item.plan_id}/_history/{item.plan_version}"
    told = parse_json(item.answer.encode())
    return fhir_answer(request, wire_or_json(request), told, item.status or 200, headers=headers)

"""The FastAPI application: routers, errors as OperationOutcome, nothing personal in logs."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from hub import __version__
from hub.api import (
    acts,
    careplan_read,
    careplan_search,
    consent_create,
    documents,
    health,
    mailbox,
    metadata,
    operations,
    process_message,
)
from hub.api.guard import Guard
from hub.errors import HubError, Issue
from hub.fhir.codec import dump_json
from hub.fhir.outcome import error_outcome, outcome, status_of
from hub.services.hub import Hub

FHIR_JSON = "application/fhir+json"


def create_app(hub: Hub) -> FastAPI:
    """The hub's HTTP interface; ``hub`` is shared by all requests."""
    app = FastAPI(
        title="KI-hub", version=__version__, docs_url="/docs", redoc_url=None,
        description="Shares the koordinerende indsatsplan between sectors.",
    )  # fmt: skip
    app.state.hub = hub
    app.add_exception_handler(HubError, _hub_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _request_error)
    for module in (
        documents, process_message, consent_create, careplan_read, careplan_search, metadata,
        mailbox, acts, operations, health,
    ):  # fmt: skip
        app.include_router(module.ROUTER)
    app.add_middleware(Guard, body_bytes=hub.limits.body_bytes)
    return app


def _hub_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HubError)
    headers = {"WWW-Authenticate": "Bearer"} if status_of(error) == 401 else {}
    return Response(
        dump_json(error_outcome(error)), status_of(error), headers, media_type=FHIR_JSON
    )


def _http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    codes = {404: "not-found", 405: "not-supported"}
    texts = {404: "There is nothing at this address", 405: "Not possible at this address"}
    text = texts.get(error.status_code, "The request cannot be served")
    issue = Issue("error", codes.get(error.status_code, "processing"), text)
    return Response(
        dump_json(outcome((issue,), move="sender")), error.status_code,
        dict(error.headers or {}), media_type=FHIR_JSON,
    )  # fmt: skip


def _request_error(_request: Request, error: Exception) -> Response:
    """Says where, never what was sent."""
    assert isinstance(error, RequestValidationError)
    issues = [
        Issue("error", "invalid", e["msg"] if e["type"] == "missing" else "Not as documented",
              ".".join(str(x) for x in e["loc"]))
        for e in error.errors()
    ]  # fmt: skip
    return Response(dump_json(outcome(issues, move="sender")), 400, media_type=FHIR_JSON)

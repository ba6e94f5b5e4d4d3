"""Every failure as an OperationOutcome, in JSON or XML as the caller wants to read."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from hub.api.denials import audited
from hub.api.fhir_http import VARY, content_language, language_of, wire_or_json
from hub.contract import Resource
from hub.errors import HubError, Issue, OverQuota, ScopeMissing, Temporary
from hub.fhir.outcome import error_outcome, in_language, outcome, status_of

_SAID: Final[dict[int, tuple[str, str]]] = {
    404: ("not-found", "There is nothing at this address"),
    405: ("not-supported", "Not possible at this address"),
    406: ("not-supported", "Accept application/fhir+json or application/fhir+xml, FHIR 4.0"),
    415: ("not-supported", "Send application/fhir+json or application/fhir+xml; a search sends "
          "application/x-www-form-urlencoded"),
}  # fmt: skip
_OTHER: Final = ("processing", "The request cannot be served")


def install(app: FastAPI) -> None:
    """The handlers; what none of them takes is the Guard's."""
    app.add_exception_handler(HubError, _hub_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _request_error)


def _hub_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HubError)
    error = audited(request, error)
    status = status_of(error)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if isinstance(error, ScopeMissing):
        headers = {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{error.scope}"'}
    if isinstance(error, OverQuota | Temporary):
        headers = {"Retry-After": str(error.wait)}
    return _answer(request, error_outcome(error), status, headers)


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code, text = _SAID.get(error.status_code, _OTHER)
    found = outcome((Issue("error", code, text),), move="sender")
    return _answer(request, found, error.status_code, dict(error.headers or {}))


def _request_error(request: Request, error: Exception) -> Response:
    """Says where, never what was sent."""
    assert isinstance(error, RequestValidationError)
    issues = [
        Issue("error", "invalid", e["msg"] if e["type"] == "missing" else "Not as documented",
              ".".join(str(x) for x in e["loc"]))
        for e in error.errors()
    ]  # fmt: skip
    return _answer(request, outcome(issues, move="sender"), 400, {})


def _answer(request: Request, found: Resource, status: int, headers: dict[str, str]) -> Response:
    wire = wire_or_json(request)
    told = in_language(found, language_of(request))
    made = {"Vary": VARY, **content_language(told), **headers}
    body = b"" if request.method == "HEAD" else wire.write(told)
    return Response(body, status, made, media_type=wire.media_type)

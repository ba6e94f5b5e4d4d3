"""What every page shares: its headers, and an error as a page instead of an OperationOutcome."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute

from hub.console.visit import LoginNeeded, Visit
from hub.errors import HubError, InputRefused, NotGranted, Temporary
from hub.fhir.outcome import status_of
from hub.model.party import Viewer
from hub.services.denied import audit_refusal

STATIC: Final = "/console/static"

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Page(APIRoute):
    """A route whose answer is a page, whatever happens."""

    def get_route_handler(self) -> Handler:
        """The route's handler with the console's headers and errors."""
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                answer = await inner(request)
            except LoginNeeded as e:
                answer = _to_login(request, e)
            except RequestValidationError:
                wrong = InputRefused("The address is not of the right form")
                answer = await run_in_threadpool(_told, request, wrong)
            except HubError as e:
                answer = await run_in_threadpool(_told, request, e)
            for name, value in HEADERS.items():
                answer.headers.setdefault(name, value)
            return answer

        return handle


def _told(request: Request, error: HubError) -> Response:
    try:
        visit = Visit.of(request)
    except Temporary:
        # Nobody can say now who is logged in; the page tells why.
        visit = Visit.of_nobody(request)
    error = _audited(visit, request, error)
    return visit.page("error.html", status_of(error), error=error)


def _audited(visit: Visit, request: Request, error: HubError) -> HubError:
    """A refused look is in the audit trail before it is told; else that it could not be written."""
    if visit.session is None or isinstance(error, NotGranted):
        # The second is written down where it is raised, with the person's name.
        return error
    viewer = Viewer(visit.session.area, visit.session.name)
    address = f"{request.method} {getattr(request.scope.get('route'), 'path', '')}"
    named = {k: str(v) for k, v in request.path_params.items()}
    try:
        audit_refusal(visit.hub, viewer, "console", address, named, error)
    except Temporary as e:
        return e
    return error


def _to_login(request: Request, needed: LoginNeeded) -> Response:
    if request.headers.get("HX-Request"):
        # A refresh in the background cannot follow to another page; htmx obeys this instead.
        return Response(status_code=401, headers={"HX-Redirect": needed.address})
    return RedirectResponse(needed.address, 303)

"""Puts the console beside the API in one application."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from hub.console.actions import ROUTER as ACTIONS
from hub.console.acts import ROUTER as ACTS
from hub.console.audit import ROUTER as AUDIT
from hub.console.dead_letters import ROUTER as DEAD_LETTERS
from hub.console.dead_many import ROUTER as DEAD_MANY
from hub.console.decisions import ROUTER as DECISIONS
from hub.console.deliveries import ROUTER as DELIVERIES
from hub.console.letters import ROUTER as LETTERS
from hub.console.login import ROUTER as LOGIN
from hub.console.messages import ROUTER as MESSAGES
from hub.console.numbers import ROUTER as NUMBERS
from hub.console.overview import ROUTER as OVERVIEW
from hub.console.page import STATIC, Page
from hub.console.parties import ROUTER as PARTIES
from hub.console.plans import ROUTER as PLANS
from hub.console.proposals import ROUTER as PROPOSALS
from hub.console.reasons import ROUTER as REASONS
from hub.console.rejection import ROUTER as REJECTION
from hub.console.subscriptions import ROUTER as SUBSCRIPTIONS
from hub.console.tasks import ROUTER as TASKS
from hub.console.visit import Console, Demo, Visitor
from hub.errors import NotFound
from hub.services.hub import Hub

_FOLDER: Final = Path(__file__).parent / "static"


class _Static(StaticFiles):
    """The style sheet, the icon and two scripts; addresses carry a version."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        found = await super().get_response(path, scope)
        found.headers["X-Content-Type-Options"] = "nosniff"
        found.headers["Cache-Control"] = "public, max-age=3600"
        return found


def mount(app: FastAPI, hub: Hub, *, demo: Demo | None = None) -> None:
    """Add the console's pages to ``app``.

    With ``demo`` the login pages offer to log in as the demo's operator or as one of its units, to
    a browser on this machine only; the credentials themselves never leave this process.
    """
    app.state.console = Console(hub, demo)
    app.mount(STATIC, _Static(directory=_FOLDER), name="console-static")
    for router in (
        OVERVIEW, LOGIN, DELIVERIES, PLANS, PARTIES, SUBSCRIPTIONS, MESSAGES, TASKS, DECISIONS,
        PROPOSALS, LETTERS, ACTS, AUDIT, REJECTION, ACTIONS, DEAD_MANY, DEAD_LETTERS,
        NUMBERS, REASONS,
    ):  # fmt: skip
        app.router.routes.extend(router.routes)
    app.router.routes.extend(_LAST.routes)


_LAST = APIRouter(route_class=Page, include_in_schema=False)


@_LAST.get("/console/{path:path}")
@_LAST.get("/decisions/{path:path}")
def nothing_here(path: str, request: Request, visit: Visitor) -> Response:
    """Addresses below the console that are no page."""
    raise NotFound

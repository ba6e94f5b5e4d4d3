"""Log in and out, and choose a language; operators here, a party's people apart from them."""

from __future__ import annotations

import ipaddress
from typing import Final

import structlog
from fastapi import APIRouter, Response

from hub.console.page import Page
from hub.console.visit import FormDep, Visit, Visitor, own_path
from hub.errors import Invalid, NotFound
from hub.fhir.language import LANGUAGES
from hub.services.login import operator_of, party_of

ROUTER = APIRouter(route_class=Page, include_in_schema=False)
LOG = structlog.get_logger()
_LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@ROUTER.get("/login")
@ROUTER.get("/decisions/login")
def ask(visit: Visitor, next: str = "") -> Response:
    """The login page; with ``next``, the page to see afterwards."""
    return _page(visit, next)


@ROUTER.post("/login")
@ROUTER.post("/decisions/login")
def log_in(visit: Visitor, form: FormDep) -> Response:
    """Check the credential; an unknown one is told beside the field, with status 401."""
    name = _name(visit, form.one("credential"))
    if name is None:
        LOG.warning("console.login_refused", area=visit.area)
        return _page(visit, form.one("next"), refused=True)
    LOG.info("console.login", area=visit.area)
    return visit.log_in(name, own_path(form.one("next"), _first(visit)))


@ROUTER.post("/login/demo")
def log_in_to_demo(visit: Visitor, form: FormDep) -> Response:
    """The demo's operator, with a credential that only this process holds."""
    name = _name(visit, visit.console.demo_credential or "") if _demo(visit) else None
    if name is None:
        raise NotFound
    return visit.log_in(name, own_path(form.one("next"), _first(visit)))


@ROUTER.post("/logout")
@ROUTER.post("/decisions/logout")
def log_out(visit: Visitor, form: FormDep) -> Response:
    """End the session."""
    return visit.log_out()


@ROUTER.post("/language")
@ROUTER.post("/decisions/language")
def choose_language(visit: Visitor, form: FormDep) -> Response:
    """Remember the language and go back."""
    chosen = next((x for x in LANGUAGES if x == form.one("language")), None)
    if chosen is None:
        raise Invalid("No such language")
    return visit.remember_language(chosen, own_path(form.one("next"), _first(visit)))


def _page(visit: Visit, path: str, *, refused: bool = False) -> Response:
    return visit.page(
        "login.html",
        401 if refused else 200,
        next=own_path(path, ""),
        refused=refused,
        demo=visit.area == "operator" and _demo(visit),
    )


def _name(visit: Visit, secret: str) -> str | None:
    if not secret:
        return None
    if visit.area == "operator":
        return operator_of(visit.hub, secret)
    party = party_of(visit.hub, secret)
    return party.id if party else None


def _first(visit: Visit) -> str:
    return "/" if visit.area == "operator" else "/decisions"


def _demo(visit: Visit) -> bool:
    """Offered to a browser on this machine that also calls it by a name of this machine.

    The name matters: a foreign page can make its own host name point here.
    """
    client, named = visit.request.client, visit.request.url.hostname
    if visit.console.demo_credential is None or client is None or named not in _LOOPBACK_NAMES:
        return False
    try:
        return ipaddress.ip_address(client.host).is_loopback
    except ValueError:
        return False

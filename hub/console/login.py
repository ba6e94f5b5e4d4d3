"""Log in and out, and choose a language; operators here, a party's people apart from them."""

from __future__ import annotations

import ipaddress
from typing import Final

import structlog
from fastapi import APIRouter, Response

from hub.console.page import Page
from hub.console.roles import OPERATING, UNIT, first_page
from hub.console.visit import Demo, FormDep, Login, Visit, Visitor, cookie, own_path
from hub.errors import Invalid, NotFound, NotPermitted
from hub.fhir.language import LANGUAGES
from hub.model.party import SYSTEM, Viewer
from hub.model.session import Area
from hub.ports import Person
from hub.services import overview
from hub.services.denied import audit_denied, refuse_stranger
from hub.services.login import operator_of, party_of

ROUTER = APIRouter(route_class=Page, include_in_schema=False)
LOG = structlog.get_logger()
LOGGING_IN: Final = "ki_hub_login"
"""Names a login that has gone to the provider. Lax: the provider's page sends the browser back."""
_LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_MINUTES: Final = 10 * 60


@ROUTER.get("/login")
@ROUTER.get("/decisions/login")
def ask(visit: Visitor, next: str = "") -> Response:
    """The login page; with ``next``, the page to see afterwards."""
    return _page(visit, next)


@ROUTER.post("/login")
@ROUTER.post("/decisions/login")
def log_in(visit: Visitor, form: FormDep) -> Response:
    """Check the credential; an unknown one is told beside the field, with status 401."""
    login = _login(visit, form.one("credential")) if visit.hub.door.static else None
    if login is None:
        _refused(visit, visit.area, "The credential is not known")
        return _page(visit, form.one("next"), fault="login.refused")
    return _logged_in(visit, login, form.one("next"))


@ROUTER.post("/login/demo")
@ROUTER.post("/decisions/login/demo")
def log_in_to_demo(visit: Visitor, form: FormDep) -> Response:
    """The demo's operator or one of its units, with a credential that only this process holds."""
    demo = _demo(visit)
    if demo is None:
        raise NotFound
    own = demo.operator if visit.area == "operator" else demo.units.get(form.one("unit"), "")
    login = _login(visit, own)
    if login is None:
        raise NotFound
    return _logged_in(visit, login, form.one("next"))


@ROUTER.get("/login/provider")
@ROUTER.get("/decisions/login/provider")
def to_provider(visit: Visitor, next: str = "") -> Response:
    """On to the OpenID provider."""
    people = visit.hub.door.people
    if people is None:
        raise NotFound
    begun = people().begin()
    answer = visit.go(begun.url)
    kept = visit.console.pending.keep(begun, visit.area, own_path(next, ""))
    https = visit.hub.door.https
    answer.set_cookie(
        cookie(LOGGING_IN, https=https), kept, max_age=_MINUTES, path="/", httponly=True,
        samesite="lax", secure=https,
    )  # fmt: skip
    return answer


@ROUTER.get("/login/callback")
def back_from_provider(visit: Visitor, state: str = "", code: str = "") -> Response:
    """Who came back; the page that says so leads on, for a browser sends no strict cookie on a
    redirect that began at another site."""
    people = visit.hub.door.people
    name = cookie(LOGGING_IN, https=visit.hub.door.https)
    waiting = visit.console.pending.take(visit.request.cookies.get(name), state)
    if people is None or waiting is None or not code:
        _refused(visit, visit.area, "No login is under way from here")
        return _page(visit, "", fault="login.not-begun")
    try:
        person = people().finish(waiting.begun, code)
    except NotPermitted as e:
        LOG.warning("console.not_confirmed", why=getattr(e, "why", ""))
        _refused(visit, waiting.area, "The provider did not confirm the person")
        return _page(visit, "", fault="login.not-known")
    login = _as(visit, person, waiting.area)
    if login is None:
        reason = "The person has no role for these pages"
        audit_denied(visit.hub, person.name, "login", f"login/{waiting.area}", reason=reason)
        return _page(visit, "", fault="login.no-role")
    LOG.info("console.login", area=login.area)
    there = waiting.path or first_page(login.roles)
    return visit.log_in(visit.page("login_done.html", there=there), login)


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


def _page(visit: Visit, path: str, *, fault: str = "") -> Response:
    door = visit.hub.door
    return visit.page(
        "login.html",
        401 if fault else 200,
        next=own_path(path, ""),
        fault=fault,
        demo=_demo(visit) is not None,
        units=_units_of_demo(visit) if visit.area == "party" else (),
        static=door.static,
        provider=door.people is not None,
    )


def _logged_in(visit: Visit, login: Login, path: str) -> Response:
    LOG.info("console.login", area=login.area)
    return visit.log_in(visit.go(own_path(path, _first(visit))), login)


def _refused(visit: Visit, area: Area, reason: str) -> None:
    """Nobody's name is known, and what was typed is kept nowhere."""
    LOG.warning("console.login_refused", area=area)
    refuse_stranger(visit.hub, f"login/{area}", reason=reason)


def _login(visit: Visit, secret: str) -> Login | None:
    """Whose credential it is: an operator's opens all of the operator's pages."""
    if not secret:
        return None
    if visit.area == "operator":
        name = operator_of(visit.hub, secret)
        return Login("operator", name, OPERATING) if name else None
    party = party_of(visit.hub, secret)
    return Login("party", party.id, UNIT) if party else None


def _as(visit: Visit, person: Person, area: Area) -> Login | None:
    """What the person's roles open of these pages; a unit's people need a unit that is known."""
    if area == "operator":
        roles = person.roles & OPERATING
        return Login("operator", person.name, frozenset(roles), person.name) if roles else None
    roles = person.roles & UNIT
    unit = person.unit
    if not roles or not unit or not overview.parties(visit.hub, Viewer("party", unit)):
        return None
    return Login("party", unit, frozenset(roles), person.name)


def _first(visit: Visit) -> str:
    return "/" if visit.area == "operator" else "/decisions"


def _units_of_demo(visit: Visit) -> list[tuple[str, str]]:
    """Id and name of each that can be logged in as."""
    demo = _demo(visit)
    if demo is None:
        return []
    known = overview.parties(visit.hub, SYSTEM)
    return [(p.party.id, p.party.name) for p in known if p.party.id in demo.units]


def _demo(visit: Visit) -> Demo | None:
    """Offered to a browser on this machine that also calls it by a name of this machine.

    The name matters: a foreign page can make its own host name point here.
    """
    client, named = visit.request.client, visit.request.url.hostname
    if client is None or named not in _LOOPBACK_NAMES:
        return None
    try:
        return visit.console.demo if ipaddress.ip_address(client.host).is_loopback else None
    except ValueError:
        return None

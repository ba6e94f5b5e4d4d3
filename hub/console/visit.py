"""One request to the console: whose it is, in which language, and how a page is made for it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from hub.console.fields import Fields, posted
from hub.console.render import environment
from hub.console.roles import may
from hub.console.session import form_token, form_token_holds
from hub.console.words import choose
from hub.contract import Party
from hub.errors import NotGranted, NotPermitted
from hub.fhir.language import Language
from hub.model.party import Viewer
from hub.model.session import Area, Session
from hub.services import overview
from hub.services.denied import audit_denied
from hub.services.hub import Hub
from hub.services.logins import Pending, Sessions

COOKIES: Final[dict[Area, str]] = {"operator": "ki_hub_operator", "party": "ki_hub_party"}
ROOTS: Final[dict[Area, str]] = {"operator": "", "party": "/decisions"}
VISITOR: Final = "ki_hub_visitor"
LANGUAGE: Final = "ki_hub_language"
_YEAR: Final = 365 * 24 * 3600


class LoginNeeded(Exception):
    """Log in first, at this address."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


class FormRefused(NotPermitted):
    """The form is not from a page of this session; open the page again and send it once more."""


@dataclass(frozen=True)
class Demo:
    """Credentials that only the demo's own process holds."""

    operator: str
    units: Mapping[str, str]
    """Party id to its credential."""


class Console:
    """What the pages share; one in a process."""

    def __init__(self, hub: Hub, demo: Demo | None) -> None:
        self.hub = hub
        self.demo = demo
        self.sessions = Sessions(hub)
        self.pending = Pending(hub)
        self.environment = environment()


@dataclass(frozen=True)
class Visit:
    """One request."""

    console: Console
    request: Request
    area: Area
    language: Language
    visitor: str
    """A random id from before any login; half of what a form's token is made from."""
    new: bool
    """The visitor has no cookie yet."""
    session: Session | None

    @classmethod
    def of(cls, request: Request) -> Visit:
        """The visit that the request's cookies and address tell, asked of the database once;
        raises Temporary where it does not answer."""
        known = getattr(request.state, "visit", None)
        if isinstance(known, Visit):
            return known
        visit = cls.of_nobody(request)
        by_hand = "HX-Request" not in request.headers
        session = visit.console.sessions.find(visit.area, visit.session_id, used=by_hand)
        request.state.visit = visit = replace(visit, session=session)
        return visit

    @classmethod
    def of_nobody(cls, request: Request) -> Visit:
        """The same, without asking who is logged in."""
        console = request.app.state.console
        assert isinstance(console, Console)
        area: Area = "party" if request.url.path.startswith("/decisions") else "operator"
        known = request.cookies.get(cookie(VISITOR, https=console.hub.door.https))
        accept = request.headers.get("Accept-Language", "")
        return cls(
            console,
            request,
            area,
            choose(request.cookies.get(LANGUAGE), accept),
            known or secrets.token_urlsafe(16),
            known is None,
            None,
        )

    @property
    def hub(self) -> Hub:
        """The hub that this console shows."""
        return self.console.hub

    @property
    def session_id(self) -> str | None:
        """The cookie's value, whether or not it is (still) a login."""
        return self.request.cookies.get(cookie(COOKIES[self.area], https=self.hub.door.https))

    @property
    def token(self) -> str:
        """For the forms of this page."""
        return form_token(self.visitor, self.session_id)

    @property
    def here(self) -> str:
        """This page's own address, path and query."""
        query = self.request.url.query
        return self.request.url.path + (f"?{query}" if query else "")

    def page(self, template: str, status: int = 200, **values: Any) -> Response:
        """The template as a page in the visitor's language."""
        text = self.console.environment.get_template(template).render(
            visit=self, root=ROOTS[self.area], **values
        )
        answer = HTMLResponse(text, status, {"Content-Language": self.language})
        answer.headers["Vary"] = "Accept-Language, Cookie"
        if self.new:
            self.set_cookie(answer, VISITOR, self.visitor)
        return answer

    def go(self, path: str) -> RedirectResponse:
        """After a form: see the page at that path of this site."""
        return RedirectResponse(path, 303)

    def set_cookie(
        self, answer: Response, name: str, value: str, *, age: int | None = None
    ) -> None:
        """HttpOnly, SameSite=Strict; with https, Secure and for this host alone (``__Host-``)."""
        https = self.hub.door.https
        answer.set_cookie(
            cookie(name, https=https), value, max_age=age, path="/", httponly=True,
            samesite="strict", secure=https,
        )  # fmt: skip

    def log_in(self, answer: Response, login: Login) -> Response:
        """A new session in place of any before it, under a new visitor id."""
        old = self.request.cookies.get(cookie(COOKIES[login.area], https=self.hub.door.https))
        made = self.console.sessions.open(
            login.area, login.name, login.roles, login.person, instead_of=old
        )
        self.set_cookie(answer, VISITOR, secrets.token_urlsafe(16))
        self.set_cookie(answer, COOKIES[login.area], made)
        return answer

    def log_out(self) -> Response:
        """End the session; the login page is next."""
        self.console.sessions.close(self.session_id)
        answer = self.go(f"{ROOTS[self.area]}/login")
        https = self.hub.door.https
        answer.delete_cookie(
            cookie(COOKIES[self.area], https=https), path="/", httponly=True, samesite="strict",
            secure=https,
        )  # fmt: skip
        return answer

    def may(self, path: str) -> bool:
        """The person may see that page."""
        return self.session is not None and may(self.session.roles, "GET", path)

    def remember_language(self, language: Language, path: str) -> Response:
        """The visitor's own choice, for a year."""
        answer = self.go(path)
        self.set_cookie(answer, LANGUAGE, language, age=_YEAR)
        return answer


@dataclass(frozen=True)
class Login:
    """Who logged in, and as what."""

    area: Area
    name: str
    """The operator's name, or the party's id."""
    roles: frozenset[str]
    person: str = ""


def cookie(name: str, *, https: bool) -> str:
    """A cookie's name: with https one that a browser takes from this host alone."""
    return f"__Host-{name}" if https else name


def own_path(path: str, otherwise: str) -> str:
    """A path of this site to go back to, and never another site's address."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if plain else otherwise


def _visitor(request: Request) -> Visit:
    return Visit.of(request)


def _operator(visit: Visitor) -> Viewer:
    return Viewer("operator", _session(visit).name)


def _party(visit: Visitor) -> Party:
    name = _session(visit).name
    found = overview.parties(visit.hub, Viewer("party", name))
    if not found:
        raise LoginNeeded(f"{ROOTS['party']}/login")
    return found[0].party


def _session(visit: Visit) -> Session:
    if visit.session is None:
        address = f"{ROOTS[visit.area]}/login"
        if visit.request.method == "GET" and visit.here != "/":
            address += f"?next={quote(visit.here, safe='/')}"
        raise LoginNeeded(address)
    path = visit.request.scope["route"].path
    if not may(visit.session.roles, visit.request.method, path):
        refusal = NotGranted("Your role does not cover this page")
        party = visit.session.name if visit.area == "party" else None
        audit_denied(
            visit.hub, visit.session.person or visit.session.name, "console",
            f"{visit.request.method} {path}", reason=refusal.text, party=party,
        )  # fmt: skip
        raise refusal
    return visit.session


async def _form(visit: Visitor, request: Request) -> Fields:
    fields = await posted(request)
    if not form_token_holds(fields.one("token"), visit.visitor, visit.session_id):
        raise FormRefused
    return fields


Visitor = Annotated[Visit, Depends(_visitor)]
OperatorDep = Annotated[Viewer, Depends(_operator)]
"""The logged-in operator; without one the answer is the way to the login page."""
PersonDep = Annotated[Party, Depends(_party)]
"""The party whose person is logged in to record decisions."""
FormDep = Annotated[Fields, Depends(_form)]
"""A form with the right token. Put it after the dependency that asks for the login."""

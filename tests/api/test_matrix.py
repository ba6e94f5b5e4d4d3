"""Every route × everyone who may not: the same answer as for what does not exist.

The routes are asked of the application: a new one is in here by itself, or a test fails until it is
in the table of scopes (hub/api/scopes.py) or roles (hub/console/roles.py) and has a body below.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
import pytest

from hub.access.embedded import EmbeddedIssuer
from hub.access.keys import Published
from hub.api.scopes import ANY, NEEDS
from hub.console import mount
from hub.console.roles import PAGES, ROLES
from hub.console.session import form_token
from hub.console.visit import Console
from hub.contract import Party
from hub.fhir import names
from hub.model.party import SYSTEM, Viewer
from hub.model.session import Area
from hub.ports import InboundMessage
from hub.runtime.bootstrap import close
from hub.services import queries
from hub.services.admin import credential_hash
from hub.services.operate import dead_letters, many
from hub.services.worker import receive
from hub.store.operating import Wanted
from tests.api.clients import ASSERTION, Machine, register
from tests.api.fhir.subscription_world import subscription
from tests.api.fhir.test_access import decisions, denied
from tests.api.routes import LOGIN, OPEN, Route, is_page, routes_of
from tests.api.world import GP, KOORD_OTHER, OPERATOR, PSYK, RUS, Clock, World
from tests.console.seed import KARLA, Seeded, seed

STRANGER = "fremmed"
PERSON = {"person": "Signe Prøve"}
BODIES: Final[dict[Route, dict[str, Any]]] = {
    ("POST", "/fhir/$process-message"): {"json": {"resourceType": "Bundle", "type": "message"}},
    ("POST", "/fhir/{kind}"): {"json": {"resourceType": "Consent"}},
    ("POST", "/fhir/{kind}/$validate"): {"json": {"resourceType": "Goal"}},
    ("POST", "/fhir/{kind}/{resource_id}/$validate"): {"json": {"resourceType": "Goal"}},
    ("POST", "/fhir"): {"json": {"resourceType": "Bundle", "type": "batch"}},
    ("POST", "/deliveries/{delivery}/hand-over"): {"json": PERSON},
    ("POST", "/deliveries/{delivery}/forward"): {"json": PERSON},
    ("POST", "/deliveries/{delivery}/not-sent"): {"json": PERSON | {"postscript": "Nej"}},
    ("POST", "/deliveries/{delivery}/accept-losses"): {"json": PERSON | {"reason": "Ja"}},
    ("POST", "/mailbox/{delivery}/receipt"): {"json": {"outcome": "ok"}},
    ("POST", "/plans/{plan}/missed"): {"json": {"after": 1}},
    ("POST", "/plans/{plan}/letters/{message}/seen-to"): {"json": PERSON},
    ("POST", "/plans/{plan}/answer-no"): {
        "json": PERSON | {"consent_holds": True, "new_meeting": False}
    },
    ("POST", "/citizens/link-number"): {
        "json": PERSON | {"known": {"system": names.CPR, "value": KARLA},
                          "new": {"system": names.CPR, "value": "020160" + "9999"}}
    },
    ("POST", "/tasks/{task}/seen-to"): {"json": PERSON},
    ("POST", "/messages/{message}/entered-in-error"): {"json": PERSON | {"reason": "Nej"}},
    ("POST", "/operations/deliveries/preview"): {"json": {"act": "resend", "state": "dead"}},
    ("POST", "/operations/deliveries/act"): {
        "json": {"act": "resend", "state": "dead", "reason": "Se efter", "token": "x"}
    },
    ("POST", "/operations/dead-letters/preview"): {"json": {"act": "replay", "way": "document"}},
    ("POST", "/operations/dead-letters/act"): {
        "json": {"act": "discard", "way": "document", "reason": "Se efter", "token": "x"}
    },
    ("POST", "/operations/endpoints/reset"): {"json": {"endpoint": "file:/x", "reason": "Ja"}},
    ("POST", "/proposals/{proposal}/accept"): {"json": PERSON | {"reason": "Ja"}},
    ("POST", "/proposals/{proposal}/reject"): {"json": PERSON | {"reason": "Nej"}},
    ("POST", "/proposals/{proposal}/reword"): {"json": PERSON | {"reason": "Ja", "text": "x"}},
}  # fmt: skip
REASON = {"json": {"reason": "Se efter"}}
_ID = re.compile(r"\b[0-9a-f]{8}((-[0-9a-f]{4}){3}-[0-9a-f]{12})?\b")
"""Whole, or the beginning that a page shows."""


@dataclass
class Hall:
    """A busy hub, and the ids of what is in it."""

    world: World
    seeded: Seeded
    ids: dict[str, str] = field(default_factory=dict)
    """Path parameter to the id of something there."""
    keys: list[str] = field(default_factory=list)
    """``Type/id`` of resources in the first plan."""
    versions: dict[str, str] = field(default_factory=dict)
    """Key to the version of it that the plan's first one has."""

    @property
    def routes(self) -> list[Route]:
        return [r for r in routes_of(self.world.app) if r not in OPEN and not LOGIN.fullmatch(r[1])]

    def urls(self, path: str, *, real: bool) -> list[str]:
        """The path filled in: with ids of what is there, or guessed ones."""
        keys = self.keys if "{kind}" in path and "_id}" in path else self.keys[:1]
        found = []
        for key in keys:
            kind, _, resource_id = key.partition("/")
            own = "CarePlan" if "/CarePlan/" in path else "Patient" if "/Patient/" in path else ""
            for named in self.keys:
                if own and named.startswith(f"{own}/"):
                    resource_id = named.partition("/")[2]
            if "/Subscription/" in path:
                resource_id = self.ids["subscription"]
            values = self.ids | {"resource_id": resource_id, "plan_id": self.ids["plan"]}
            if not real:
                values = {k: str(uuid.uuid4()) for k in values}
            values |= {"kind": kind, "version": self.versions.get(key, "1"), "format": "fhir"}
            found.append(re.sub(r"\{(\w+)(:path)?\}", lambda m, v=values: v[m[1]], path))
        return found

    def ask(self, route: Route, url: str, who: str | None, token: str = "") -> httpx.Response:
        operating = route[1].startswith("/operations") and route[0] == "POST"
        more = dict(BODIES.get(route, REASON if operating else {}))
        if route[0] == "PUT":
            _, _, kind, resource_id = url.split("/")
            more["json"] = {"resourceType": kind, "id": resource_id}
        if token:
            more["headers"] = {"Authorization": f"Bearer {token}"}
        return self.world.request(route[0], url, who, **more)

    def told(self, answer: httpx.Response) -> tuple[int, str]:
        """Status and body, whatever ids the request named, and without a form's own random id."""
        text = re.sub(r'name="form" value="[^"]*"', "", answer.text)
        return answer.status_code, _ID.sub("ID", text.replace(f"/{PSYK}/", "/ID/"))


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    seeded = seed(tmp_path_factory.mktemp("matrix"))
    # The consent is denied by a test's helper that sends it by today's date.
    made = Hall(World(seeded.hub, seeded.secrets, Clock(datetime.now(UTC))), seeded)
    plan = seeded.plans[KARLA]
    with seeded.hub.store.writing() as work:
        known = work.parties.get(RUS)
        assert known is not None
        party = Party(STRANGER, "Fremmed enhed", "psychiatry", "Region Anden")
        work.parties.save(replace(known, party=party, subscriptions=()), datetime.now(UTC))
        work.parties.set_credential(STRANGER, credential_hash(STRANGER))
        seeded.secrets[STRANGER] = STRANGER
        manifest = work.plans.versions(plan)[0].manifest
        found = {t: f"{t}/{i}" for keys in manifest.values() for t, i, _ in keys}
        made.versions = {f"{t}/{i}": str(v) for keys in manifest.values() for t, i, v in keys}
        made.keys = sorted(found.values()) + sorted(decisions(work, plan))[:1]
        work.commit()
    made.keys = [k for k in made.keys if made.world.get(f"/fhir/{k}", RUS).status_code == 200]
    assert len(made.keys) > 8
    asked = {"content": json.dumps(subscription("http://127.0.0.1:9/told")).encode()}
    answer = made.world.request("POST", "/fhir/Subscription", PSYK, **asked)
    assert answer.status_code == 201, answer.text
    (letter,) = made.world.get(f"/plans/{plan}/letters", RUS).json()[:1]
    (sent, *_) = queries.deliveries(seeded.hub, SYSTEM, receiver=GP)
    dead = InboundMessage("dead", PSYK, "vum", "m", "text/plain", b"x", "expired in ki.inbound")
    receive(seeded.hub, dead)
    by, wanted = Viewer("operator", "Drift Demo"), Wanted(state="dead")
    made.ids = {
        "letter": dead_letters.letters(seeded.hub, by)[0].key,
        "action": many.begin(seeded.hub, by, "skip", wanted, reason="Se efter"),
        "plan": plan, "delivery": sent.id, "message": letter["message"], "party": PSYK,
        "proposal": seeded.proposal, "subscription": answer.json()["id"],
        "task": made.world.get("/tasks", RUS).json()[0]["id"],
    }  # fmt: skip
    yield made
    close(seeded.hub)


def operating(route: Route) -> bool:
    return route[1].startswith(("/operations", "/metrics"))


def test_every_route_is_in_the_table_of_scopes(hall: Hall) -> None:
    assert {r for r in hall.routes if not is_page(r)} <= NEEDS.keys()


def test_those_who_may_do_reach_what_is_there(hall: Hall) -> None:
    """What follows would hold in an empty hub too; this says that it is not one."""
    for route in hall.routes:
        if route[0] == "GET" and "_id}" in route[1] and "Subscription" not in route[1]:
            for url in hall.urls(route[1], real=True):
                assert hall.ask(route, url, RUS).status_code == 200, url
    for path, who in (
        ("/proposals/{proposal}", RUS), ("/plans/{plan}/letters", RUS),
        ("/operations/messages/{message}", OPERATOR), ("/operations/plans/{plan}", OPERATOR),
        ("/operations/dead-letters/{letter}", OPERATOR), ("/operations/actions/{action}", OPERATOR),
        ("/fhir/Subscription/{resource_id}", PSYK),
    ):  # fmt: skip
        (url,) = hall.urls(path, real=True)
        assert hall.ask(("GET", path), url, who).status_code == 200, url


def test_without_a_credential_every_route_says_so_and_nothing_else(hall: Hall) -> None:
    past = datetime.now(UTC) - timedelta(hours=1)
    machine = Machine("udloebet")
    register(hall.world, machine.registered(PSYK, "system/*.cruds"))
    issuer = EmbeddedIssuer(
        hall.world.hub.store, lambda: past, hall.world.hub.base_url,
        Published(None, lambda: past), None,  # type: ignore[arg-type]
    )  # fmt: skip
    form = {
        "grant_type": "client_credentials", "scope": "system/*.cruds",
        "client_assertion_type": ASSERTION,
        "client_assertion": machine.assertion(exp=int(past.timestamp()) + 200),
    }  # fmt: skip
    expired = issuer.issue(form, None)["access_token"]
    for route in hall.routes:
        if not is_page(route):
            (url, *_) = hall.urls(route[1], real=True)
            for token in ("", "unknown", expired):
                answer = hall.ask(route, url, None, token)
                assert answer.status_code == 401, (route, token, answer.text)


def test_the_wrong_kind_of_credential_opens_nothing(hall: Hall) -> None:
    for route in hall.routes:
        if not is_page(route):
            (url, *_) = hall.urls(route[1], real=True)
            answer = hall.ask(route, url, PSYK if operating(route) else OPERATOR)
            assert answer.status_code == 401, (route, answer.text)


def test_the_wrong_scope_gets_one_answer_whatever_is_there(hall: Hall) -> None:
    party, operator = Machine("intet"), Machine("intet-drift")
    register(hall.world, party.registered(PSYK, "system/Basic.d"))
    register(hall.world, operator.registered(OPERATOR, "system/Basic.d", kind="operator"))
    tokens = [m.token(hall.world, "system/Basic.d") for m in (party, operator)]
    for route in hall.routes:
        if is_page(route) or NEEDS[route] == ANY:
            continue
        token = tokens[operating(route)]
        answers = {
            hall.told(hall.ask(route, url, None, token))
            for real in (True, False)
            for url in hall.urls(route[1], real=real)
        }
        assert len(answers) == 1, (route, answers)
        assert answers.pop()[0] == 403


@pytest.mark.parametrize("who", [STRANGER, KOORD_OTHER])
def test_the_wrong_unit_finds_nothing(hall: Hall, who: str) -> None:
    """A unit that was never in, and one whose consent was withdrawn after it had the plan."""
    if who == KOORD_OTHER:
        denied(hall.world, hall.ids["plan"], KOORD_OTHER)
    secret = {hall.ids[k] for k in ("plan", "delivery", "message", "proposal", "subscription")}
    secret |= {key.partition("/")[2] for key in hall.keys if not key.startswith("Organization")}
    for route in hall.routes:
        if is_page(route) or operating(route):
            continue
        for url, guess in zip(
            hall.urls(route[1], real=True), hall.urls(route[1], real=False), strict=True
        ):
            real = hall.ask(route, url, who)
            assert hall.told(real) == hall.told(hall.ask(route, guess, who)), (route, url)
            if re.search(r"\{(?!kind|format)", route[1]) and "$validate" not in route[1]:
                assert real.status_code in {404, 405, 428}, (route, real.text)
            named = {one for one in secret if one in real.text and one not in url}
            if (route, who) == (("GET", "/tasks"), KOORD_OTHER):
                # A coordinator who had the plan is asked to see to the withdrawal itself.
                named -= {hall.ids["plan"]}
            assert named == set(), (route, url)


# The console


@dataclass
class Visitor:
    """A browser with a session that was opened here."""

    hall: Hall
    console: Console
    area: Area
    session: str

    def ask(self, route: Route, url: str, *, form: bool = True) -> httpx.Response:
        cookie = {"operator": "ki_hub_operator", "party": "ki_hub_party"}[self.area]
        headers = {"Cookie": f"{cookie}={self.session}; ki_hub_visitor=v; ki_hub_language=da"}
        more: dict[str, Any] = {}
        if route[0] == "POST" and form:
            token = form_token("v", self.session)
            more["data"] = {"token": token, "reason": "Se efter", "act": "accept"} | PERSON
        return self.hall.world.request(*(route[0], url), None, headers=headers, **more)


@pytest.fixture(scope="module")
def console(hall: Hall) -> Console:
    mount(hall.world.app, hall.world.hub)
    found: Console = hall.world.app.state.console
    return found


def area_of(route: Route) -> Area:
    return "party" if route[1].startswith("/decisions") else "operator"


def pages(hall: Hall) -> list[Route]:
    return [r for r in hall.routes if is_page(r)]


def test_every_page_is_in_the_table_of_roles(hall: Hall, console: Console) -> None:
    assert len(pages(hall)) > 25
    assert set(pages(hall)) <= PAGES.keys()
    assert {role for roles in PAGES.values() for role in roles} == set(ROLES)


def test_each_role_opens_its_own_pages_alone(hall: Hall, console: Console) -> None:
    for role in ROLES:
        for route in pages(hall):
            area = area_of(route)
            name = RUS if area == "party" else "Drift Demo"
            made = console.sessions.open(area, name, frozenset({role}))
            visitor = Visitor(hall, console, area, made)
            if role not in PAGES[route]:
                answers = [
                    visitor.ask(route, url)
                    for real in (True, False)
                    for url in hall.urls(route[1], real=real)
                ]
                assert {a.status_code for a in answers} == {403}, (role, route)
                assert len({hall.told(a) for a in answers}) == 1, (role, route)
            elif route[0] == "GET":
                (url, *_) = hall.urls(route[1], real=True)
                # The message is a letter of the GP's: its bytes are opened by no operator, its
                # answer is for the GP alone, it was not set aside; nothing left of the delivery yet
                # and nobody must do anything about it, nor answer after a no never said.
                closed = (
                    "/bytes",
                    "/done/",
                    "/decisions/deliveries/",
                    "/decisions/no/",
                    "{delivery}/in-error",
                    "/release",
                )
                wanted = 404 if any(part in route[1] for part in closed) else 200
                assert visitor.ask(route, url).status_code == wanted, (role, route)


def test_without_a_session_every_page_leads_to_the_login(hall: Hall, console: Console) -> None:
    for route in pages(hall):
        area = area_of(route)
        ended = console.sessions.open(area, RUS, frozenset(ROLES))
        console.sessions.close(ended)
        other: Area = "operator" if area == "party" else "party"
        elsewhere = console.sessions.open(other, RUS, frozenset(ROLES))
        (url, *_) = hall.urls(route[1], real=True)
        for session in ("", "guessed", ended, elsewhere):
            answer = Visitor(hall, console, area, session).ask(route, url)
            assert answer.status_code == 303, route
            assert "/login" in answer.headers["location"]


def test_another_units_person_finds_nothing(hall: Hall, console: Console) -> None:
    made = console.sessions.open("party", STRANGER, frozenset({"lead", "coordinator"}))
    visitor = Visitor(hall, console, "party", made)
    for route in pages(hall):
        if area_of(route) == "party" and "{" in route[1]:
            (url,), (guess,) = (hall.urls(route[1], real=r) for r in (True, False))
            real = visitor.ask(route, url)
            assert real.status_code == 404, route
            assert hall.told(real) == hall.told(visitor.ask(route, guess)), route


def test_every_page_has_the_headers_that_keep_it_safe(hall: Hall, console: Console) -> None:
    every = [r for r in routes_of(hall.world.app) if is_page(r) and "static" not in r[1]]
    for route in every:
        (url, *_) = hall.urls(route[1], real=False) if "path:" not in route[1] else ["/console/x"]
        for roles in (frozenset(ROLES), frozenset[str]()):
            area = area_of(route)
            made = console.sessions.open(area, RUS, roles)
            headers = Visitor(hall, console, area, made).ask(route, url, form=False).headers
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "same-origin"
            assert headers["cache-control"] == "no-store"
            assert "strict-transport-security" not in headers


def test_with_https_cookies_are_for_this_host_alone_and_browsers_are_told(hall: Hall) -> None:
    hub = replace(hall.world.hub, door=replace(hall.world.hub.door, https=True))
    world = World(hub, hall.world.secrets, hall.world.clock)
    mount(world.app, hub)
    page = world.get("/login")
    assert page.headers["strict-transport-security"].startswith("max-age=")
    assert world.get("/health/live").headers["strict-transport-security"]
    token = page.text.split('name="token" value="', 1)[1].split('"', 1)[0]
    cookies = {c.split("=")[0]: c for c in page.headers.get_list("set-cookie")}
    visitor = cookies["__Host-ki_hub_visitor"].split(";")[0]
    sent = {"token": token, "credential": world.secrets[OPERATOR]}
    answer = world.request("POST", "/login", data=sent, headers={"Cookie": visitor})
    (kept,) = [c for c in answer.headers.get_list("set-cookie") if "_operator=" in c]
    assert kept.startswith("__Host-ki_hub_operator=")
    for part in ("Secure", "HttpOnly", "SameSite=strict", "Path=/"):
        assert part in kept
    assert "Domain" not in kept

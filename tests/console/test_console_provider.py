"""People log in at an OpenID provider (Authlib's server), and get what their roles open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser

from hub.runtime.bootstrap import close
from hub.runtime.web import Running, listen, make_server
from tests.api.conftest import Template, empty_template  # noqa: F401  (a fixture)
from tests.api.world import PSYK, World, opened
from tests.console.conftest import token_in
from tests.servers.issuer import Issuer, running


@dataclass
class Site:
    """A hub whose people log in at the issuer."""

    base: str
    issuer: Issuer
    world: World
    other: str
    """Another server on the same database, behind the same balancer."""

    def begun(self, client: httpx.Client, path: str = "/login/provider") -> str:
        """Where the provider sends the browser back to, once it knows who it is."""
        asked = client.get(path)
        assert asked.status_code == 303, asked.text
        question = parse_qs(urlsplit(asked.headers["location"]).query)
        assert question["code_challenge_method"] == ["S256"]
        back = httpx.get(asked.headers["location"])
        assert back.status_code == 302, back.text
        return str(back.headers["location"])

    def visitor(self) -> httpx.Client:
        return httpx.Client(base_url=self.base, headers={"Accept-Language": "en"}, timeout=20)

    def logged_in(self, client: httpx.Client, path: str = "/login/provider", **user: Any) -> Any:
        self.issuer.tell(user={"sub": "u-1", "name": "Signe Prøve"} | user)
        return client.get(self.begun(client, path))


@pytest.fixture(scope="module")
def site(
    empty_template: Template,  # noqa: F811
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("provider") / "data"
    first = empty_template.copy(folder)
    close(first.hub)
    with running() as issuer, listen("127.0.0.1", 0) as listening:
        base = f"http://127.0.0.1:{listening.getsockname()[1]}"
        issuer.tell(authorize=issuer.url.replace("127.0.0.1", "localhost") + "/authorize")
        settings = {
            "base_url": f"{base}/fhir", "static_credentials": False,
            "oidc_issuer": issuer.url, "oidc_client_id": "console",
            "oidc_client_secret": "console-secret", "oidc_roles_claim": "realm_access.roles",
        }  # fmt: skip
        worlds = [opened(folder, first.secrets, **settings) for _ in range(2)]
        servers = [
            Running(make_server(worlds[0].hub), listening),
            Running(make_server(worlds[1].hub), listen("127.0.0.1", 0)),
        ]
        _, other = [server.start() for server in servers]
        yield Site(base, issuer, worlds[0], other)
        for server, world in zip(servers, worlds, strict=True):
            server.finish()
            close(world.hub)


def roles(*named: str) -> dict[str, Any]:
    return {"realm_access": {"roles": [*named, "offline_access"]}}


def test_an_operator_logs_in_and_out(site: Site) -> None:
    with site.visitor() as client:
        before = client.get("/login")
        assert 'name="credential"' not in before.text
        client.cookies.set("ki_hub_operator", "chosen by another", domain="127.0.0.1")
        done = site.logged_in(client, "/login/provider?next=/console/plans", **roles("operator"))
        assert done.status_code == 200
        assert 'content="0; url=/console/plans"' in done.text
        kept = [c for c in done.headers.get_list("set-cookie") if c.startswith("ki_hub_operator")]
        assert all("HttpOnly" in c and "SameSite=strict" in c for c in kept)
        assert "chosen by another" not in kept[0]
        page = client.get("/console/plans")
        assert page.status_code == 200
        assert "Signe Prøve" in page.text
        out = client.post("/logout", data={"token": token_in(page.text)})
        assert out.status_code == 303
        assert client.get("/console/plans").status_code == 303


@pytest.mark.parametrize(
    ("way", "user", "page"),
    [
        ("/login/provider", roles("operator"), "/console/plans"),
        ("/decisions/login/provider", roles("coordinator") | {"unit": PSYK}, "/decisions"),
    ],
)
def test_the_provider_is_asked_for_the_roles_within_the_hour(
    site: Site, way: str, user: dict[str, Any], page: str
) -> None:
    began = site.world.clock.now
    with site.visitor() as client:
        site.logged_in(client, way, **user)
        for _ in range(5):
            assert client.get(page).status_code == 200
            site.world.clock.advance(minutes=10)
        assert client.get(page).status_code == 200
        site.world.clock.advance(minutes=11)
        ended = client.get(page)
    site.world.clock.now = began
    assert ended.status_code == 303


def test_an_administrator_sees_to_parties_and_nothing_else(site: Site) -> None:
    with site.visitor() as client:
        done = site.logged_in(client, **roles("administrator"))
        assert 'url=/console/parties"' in done.text
        page = client.get("/console/parties")
        assert page.status_code == 200
        assert 'href="/console/messages"' not in page.text
        refused = client.get("/console/messages")
        assert (refused.status_code, "Your role does not" in refused.text) == (403, True)
    with site.world.hub.store.reading() as work:
        row = work.journal.audit_of("GET /console/messages")[-1]
    assert (row["actor"], row["outcome"]) == ("Signe Prøve", "denied")


def test_a_coordinator_sees_their_own_unit_alone(site: Site) -> None:
    with site.visitor() as client:
        way = "/decisions/login/provider"
        done = site.logged_in(client, way, unit=PSYK, **roles("coordinator"))
        assert 'url=/decisions"' in done.text
        page = client.get("/decisions")
        assert page.status_code == 200
        assert "Psykiatrisk Center Nordstrand, Signe Prøve" in page.text
        assert client.get("/console/plans").status_code == 303


@pytest.mark.parametrize(
    ("way", "user"),
    [
        ("/login/provider", roles("coordinator", "lead")),
        ("/login/provider", {}),
        ("/login/provider", {"roles": ["operator"]}),
        ("/decisions/login/provider", roles("lead")),
        ("/decisions/login/provider", roles("lead") | {"unit": "ukendt"}),
        ("/decisions/login/provider", roles("operator") | {"unit": PSYK}),
    ],
)
def test_without_a_role_of_these_pages_nobody_gets_in(
    site: Site, way: str, user: dict[str, Any]
) -> None:
    with site.visitor() as client:
        done = site.logged_in(client, way, **user)
        assert (done.status_code, "have no role" in done.text) == (401, True)
        assert client.get("/").status_code == 303
        assert client.get("/decisions").status_code == 303
    area = "operator" if way == "/login/provider" else "party"
    with site.world.hub.store.reading() as work:
        row = work.journal.audit_of(f"login/{area}")[-1]
    assert (row["actor"], row["outcome"]) == ("Signe Prøve", "denied")


def test_an_answer_is_taken_once_by_the_browser_that_asked(site: Site) -> None:
    with site.visitor() as client, site.visitor() as other:
        site.issuer.tell(user={"sub": "u-1", "name": "Signe Prøve"} | roles("operator"))
        back = site.begun(client)
        assert other.get(back).status_code == 401
        wrong = back.replace("state=", "state=x")
        assert client.get(wrong).status_code == 401
        # The login under way was used up by the wrong answer.
        assert client.get(back).status_code == 401
        back = site.begun(client)
        assert client.get(back).status_code == 200
        assert other.get(back).status_code == 401
        assert client.get("/login/callback?error=access_denied&state=x").status_code == 401


def test_the_answer_may_come_to_another_server_than_asked(site: Site) -> None:
    with site.visitor() as client, site.visitor() as thief:
        site.issuer.tell(user={"sub": "u-1", "name": "Signe Prøve"} | roles("operator"))
        back = site.begun(client).replace(site.base, site.other)
        assert thief.get(back).status_code == 401
        done = client.get(back)
        assert done.status_code == 200, done.text
        assert client.get(back).status_code == 401, "once, at whichever"
        for base in (site.base, site.other):
            assert "Signe Prøve" in client.get(f"{base}/console/plans").text


def test_a_code_of_another_login_is_none(site: Site) -> None:
    with site.visitor() as client, site.visitor() as thief:
        site.issuer.tell(user={"sub": "u-1", "name": "Signe Prøve"} | roles("operator"))
        mine, stolen = site.begun(thief), site.begun(client)
        code = parse_qs(urlsplit(stolen).query)["code"][0]
        own = parse_qs(urlsplit(mine).query)["state"][0]
        answer = thief.get(f"/login/callback?code={code}&state={own}")
        assert (answer.status_code, "could not confirm" in answer.text) == (401, True)


def test_credentials_do_not_count_where_they_are_turned_off(site: Site) -> None:
    with site.visitor() as client:
        token = token_in(client.get("/login").text)
        sent = {"token": token, "credential": site.world.secrets["drift"]}
        assert client.post("/login", data=sent).status_code == 401


def test_a_browser_comes_in_from_the_providers_own_page(site: Site, browser: Browser) -> None:
    """The provider is another site to it: a strict cookie is not sent on a way that began there."""
    user = {"sub": "u-1", "name": "Signe Prøve"} | roles("operator")
    site.issuer.tell(ask=True, user=user)
    context = browser.new_context(locale="en")
    page = context.new_page()
    page.goto(f"{site.base}/login")
    page.get_by_role("link", name="Log in at your organisation").click()
    page.get_by_role("button", name="Log ind").click()
    page.wait_for_url(f"{site.base}/")
    assert "Signe Prøve" in page.content()
    context.close()
    site.issuer.tell(ask=False)

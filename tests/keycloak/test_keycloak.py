"""The hub beside Keycloak, set up as docs/security.md says: machines' tokens, people's logins."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from hub.runtime.bootstrap import close
from hub.runtime.web import Running, listen, make_server
from tests.api.clients import Machine, register
from tests.api.conftest import Template, empty_template, plan_template  # noqa: F401  (fixtures)
from tests.api.world import PSYK, World, opened
from tests.keycloak.server import SECRET, Keycloak, running

PASSWORD = "kodeord-til-proeve-7"
MACHINE = Machine("psyk-ehr")
pytestmark = pytest.mark.timeout(600)


@dataclass
class Site:
    """A hub, and the Keycloak that it trusts."""

    base: str
    world: World
    keycloak: Keycloak

    def call(self, path: str, token: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.get(f"{self.base}{path}", headers=headers, timeout=20)

    def token(self, scope: str, machine: Machine = MACHINE) -> httpx.Response:
        return self.keycloak.token(
            machine.assertion(aud=self.keycloak.issuer, iat=int(time.time())), scope
        )


@pytest.fixture(scope="module")
def site(
    plan_template: Template,  # noqa: F811
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("keycloak")
    first = plan_template.copy(folder / "data")
    close(first.hub)
    with listen("127.0.0.1", 0) as listening:
        base = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with running(folder, base) as keycloak:
            world = opened(
                folder / "data", first.secrets, base_url=f"{base}/fhir", issuer=keycloak.issuer,
                static_credentials=False, oidc_issuer=keycloak.issuer,
                oidc_client_id="ki-hub-console", oidc_client_secret=SECRET,
                oidc_roles_claim="realm_access.roles",
            )  # fmt: skip
            register(world, MACHINE.registered(PSYK, "system/CarePlan.rs system/Mailbox.rus"))
            keycloak.client(MACHINE.id, MACHINE.jwk)
            server = Running(make_server(world.hub), listening)
            server.start()
            yield Site(base, world, keycloak)
            server.finish()
            close(world.hub)


def test_a_machine_s_token_opens_what_it_asked_for_and_the_register_grants(site: Site) -> None:
    answer = site.token("system/CarePlan.rs system/Document.cru")
    assert answer.status_code == 200, answer.text
    assert answer.json()["expires_in"] == 300
    shown = str(answer.json()["access_token"])
    found = site.call("/fhir/CarePlan", shown)
    assert found.status_code == 200, found.text
    assert found.json()["total"] > 0
    assert site.call("/mailbox", shown).status_code == 403, "granted, and not asked for"
    other = str(site.token("system/Document.cru").json()["access_token"])
    assert site.call("/fhir/CarePlan", other).status_code == 403


def test_another_s_key_gets_no_token(site: Site) -> None:
    assert site.token("system/CarePlan.rs", Machine(MACHINE.id)).status_code in {400, 401}


def test_a_client_of_keycloak_s_that_the_register_does_not_know_is_nobody(site: Site) -> None:
    stranger = Machine("stranger")
    site.keycloak.client("stranger", stranger.jwk)
    shown = str(site.token("system/CarePlan.rs", stranger).json()["access_token"])
    assert site.call("/fhir/CarePlan", shown).status_code == 401


@contextmanager
def visit(browser: Browser, url: str, name: str) -> Iterator[Page]:
    """The page after Keycloak's form is filled in."""
    context = browser.new_context(locale="en")
    try:
        page = context.new_page()
        page.goto(url)
        page.get_by_label("Username").fill(name)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign In").click()
        page.wait_for_url(lambda at: urlsplit(at).netloc == urlsplit(url).netloc)
        yield page
    finally:
        context.close()


def test_an_operator_logs_in(site: Site, browser: Browser) -> None:
    site.keycloak.person("drift", PASSWORD, "operator")
    with visit(browser, f"{site.base}/login/provider?next=/console/plans", "drift") as page:
        page.wait_for_url("**/console/plans")
        expect(page.get_by_text("Signe Prøve").first).to_be_visible()
        refused = page.goto(f"{site.base}/console/audit")
        assert refused is not None
        assert refused.status == 403


def test_a_lead_sees_their_own_unit(site: Site, browser: Browser) -> None:
    site.keycloak.person("leder", PASSWORD, "lead", unit=PSYK)
    with visit(browser, f"{site.base}/decisions/login/provider", "leder") as page:
        page.wait_for_url("**/decisions")
        expect(page.get_by_text("Psykiatrisk Center Nordstrand, Signe Prøve")).to_be_visible()


def test_without_a_role_nobody_gets_in(site: Site, browser: Browser) -> None:
    site.keycloak.person("gaest", PASSWORD)
    with visit(browser, f"{site.base}/login/provider", "gaest") as page:
        expect(page.get_by_text("have no role")).to_be_visible()
        page.goto(f"{site.base}/console/plans")
        assert page.url.startswith(f"{site.base}/login")

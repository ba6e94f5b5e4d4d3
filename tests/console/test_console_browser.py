"""The pages in a real Chromium: accessible, by keyboard alone, and without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from hub.console.acts import ACTS
from hub.model.party import SYSTEM, Viewer
from hub.services import admin, overview, queries, received
from tests import accessibility
from tests.console.conftest import Site
from tests.console.seed import BO, GP, KARLA, RUS
from tests.forms import FULL, first

LANGUAGES = {"da": "da-DK", "en": "en-GB"}


@contextmanager
def opened(
    browser: Browser, site: Site, **options: object
) -> Iterator[tuple[BrowserContext, Page]]:
    """A fresh browser; a word on its console (a refused script, an error) fails the test."""
    context = browser.new_context(base_url=site.base, **options)  # type: ignore[arg-type]
    said: list[str] = []
    page = context.new_page()
    page.on("console", lambda m: said.append(m.text) if m.type in {"error", "warning"} else None)
    page.on("pageerror", lambda e: said.append(str(e)))
    try:
        yield context, page
    finally:
        context.close()
    # A page shown with 401, 404 or 422 is told on the console by Chromium itself.
    assert [s for s in said if "the server responded with a status of 4" not in s] == []


def log_in(page: Page, path: str, credential: str) -> None:
    page.goto(path)
    page.locator("#credential").fill(credential)
    page.locator("#credential").press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)


def pages_of(site: Site) -> list[str]:
    hub = site.seeded.hub
    dead = queries.deliveries(hub, SYSTEM, state="dead")[0].id
    delivered = queries.deliveries(hub, SYSTEM, state="delivered", receiver="social-havneby")[0].id
    held = queries.deliveries(hub, SYSTEM, state="held")[0].id
    answer = next(d.id for d in queries.deliveries(hub, SYSTEM, state="delivered") if not d.plan_id)
    letter = next(m.id for m in received.received(hub, SYSTEM) if m.sender == GP)
    refused = received.received(hub, SYSTEM, "refused")[0].id
    sealed = received.received(hub, SYSTEM, "sealed")[0].id
    return [
        "/", "/console/deliveries", "/console/deliveries?state=nothing",
        f"/console/deliveries/{dead}", f"/console/deliveries/{delivered}",
        f"/console/deliveries/{held}", f"/console/deliveries/{answer}", "/console/plans",
        *(f"/console/plans/{p.id}" for p in queries.plans(hub, SYSTEM)), "/console/parties",
        "/console/messages", f"/console/messages/{refused}", f"/console/messages/{sealed}",
        f"/console/messages/{letter}", "/console/subscriptions", "/console/tasks",
        "/console/nothing",
    ]  # fmt: skip


def pages_of_a_unit(site: Site) -> list[str]:
    """What a person of the first plan's lead can look at."""
    seeded = site.seeded
    return [
        "/decisions", "/decisions/consent", "/decisions/approval", "/decisions/proposals",
        f"/decisions/proposals/{seeded.proposal}", f"/decisions/proposals/{seeded.conflict}",
        "/decisions/proposals/nothing", *acts_of(site), f"/decisions/letters/{seeded.plans[KARLA]}",
    ]  # fmt: skip


def acts_of(site: Site, who: str = RUS) -> list[str]:
    """The pages where a person of the unit does something about a delivery, one of each kind."""
    tasks = queries.tasks(site.seeded.hub, Viewer("party", who))
    found = {t.kind: t.delivery_id for t in tasks if t.kind in ACTS and t.delivery_id}
    return [f"/decisions/deliveries/{found[kind]}" for kind in sorted(found)]


def one_of_each(paths: list[str]) -> list[str]:
    """All of them; in the short form one page of each template."""
    kinds = {re.sub("/[^/]*[0-9][^/]*$", "/one", path).partition("?")[0]: path for path in paths}
    return paths if FULL else list(kinds.values())


def violations(page: Page) -> list[str]:
    """axe-core's findings, with everything folded out."""
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    return accessibility.violations(page)


@pytest.mark.parametrize(("language", "scheme"), [("da", "light"), ("en", "dark")])
def test_no_page_has_an_accessibility_fault(
    browser: Browser, site: Site, language: str, scheme: str
) -> None:
    with opened(browser, site, locale=LANGUAGES[language], color_scheme=scheme) as (_, page):
        page.goto("/login")
        assert violations(page) == []
        page.locator("#credential").fill("not-a-credential")
        page.locator("#credential").press("Enter")
        page.wait_for_selector("#credential-fault")
        assert violations(page) == []
        log_in(page, "/login", site.seeded.operator)
        for path in pages_of(site) if language == "da" else one_of_each(pages_of(site)):
            page.goto(path)
            assert page.locator("html").get_attribute("lang") == language
            assert page.locator("h1").count() == 1
            assert violations(page) == [], path
        log_in(page, "/decisions/login", site.seeded.secrets[RUS])
        for path in pages_of_a_unit(site):
            page.goto(path)
            assert page.locator("h1").count() == 1
            assert violations(page) == [], path
        proposal = f"/decisions/proposals/{site.seeded.proposal}"
        for path in ("/decisions/consent", "/decisions/approval", proposal):
            page.goto(path)
            page.locator("button.main").click()
            page.wait_for_selector(".summary")
            assert violations(page) == [], f"{path} with faults"


@pytest.mark.parametrize("width", first([320, 390], 1))
def test_nothing_is_wider_than_a_phone(browser: Browser, site: Site, width: int) -> None:
    view = {"width": width, "height": 700}
    with opened(browser, site, locale="da-DK", viewport=view) as (_, page):
        log_in(page, "/login", site.seeded.operator)
        for path in pages_of(site):
            page.goto(path)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, path
        log_in(page, "/decisions/login", site.seeded.secrets[RUS])
        for path in pages_of_a_unit(site):
            page.goto(path)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, path
        page.goto("/console/deliveries")
        assert violations(page) == []


def tab_to(page: Page, selector: str, most: int = 60) -> None:
    """Press Tab until the element has the focus."""
    for _ in range(most):
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none"
            return
        page.keyboard.press("Tab")
    pytest.fail(f"Tab never reached {selector}")


def test_by_keyboard_from_login_to_a_delivery(browser: Browser, site: Site) -> None:
    with opened(browser, site, locale="en-GB") as (_, page):
        page.goto("/login")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        tab_to(page, "#credential")
        page.keyboard.type(site.seeded.operator)
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("Overview")
        tab_to(page, "nav a[href='/console/deliveries']")
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("Deliveries")
        tab_to(page, ".skip")
        page.keyboard.press("Enter")
        tab_to(page, ".quick a[href$='state=blocked']")
        page.keyboard.press("Enter")
        page.wait_for_url("**state=blocked")
        tab_to(page, "tbody a.id")
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_contain_text("Delivery ")
        expect(page.locator(".verdict .state")).to_have_text("Blocked")
        assert page.locator("ol.timeline li").count() >= 1


def test_everything_works_without_javascript(browser: Browser, own_site: Site) -> None:
    hub = own_site.seeded.hub
    with opened(browser, own_site, locale="en-GB", java_script_enabled=False) as (_, page):
        page.goto("/")
        page.get_by_role("button", name="Log in as the demo's operator").click()
        expect(page.locator("h1")).to_have_text("Overview")
        expect(page.locator("[data-refresh]")).to_be_hidden()
        page.get_by_role("link", name="Deliveries", exact=True).click()
        page.locator("#f-state").select_option("dead")
        page.get_by_role("button", name="Show").click()
        assert page.locator("tbody tr").count() == 1
        page.get_by_role("link", name="Parties").click()
        card = page.locator("#laege-havnegade")
        card.get_by_role("textbox").fill("Summer closing")
        card.get_by_role("button").click()
        expect(card).to_contain_text("Summer closing")
        card.get_by_role("textbox").fill("Open again")
        card.get_by_role("button").click()
        expect(card.get_by_role("button")).to_have_text(re.compile("^Pause"))
        page.get_by_role("button", name="Dansk").click()
        expect(page.locator("h1")).to_have_text("Aktører")
        page.get_by_role("button", name="Log ud").click()
        expect(page.locator("#credential")).to_be_visible()
    assert [p.party.id for p in overview.parties(hub, SYSTEM) if p.paused] == ["koord-nordstrand"]


def test_a_person_records_a_consent(browser: Browser, own_site: Site) -> None:
    with opened(browser, own_site, locale="en-GB") as (_, page):
        log_in(page, "/decisions/login", own_site.seeded.secrets["psyk-nordstrand"])
        page.goto("/decisions/consent")
        page.get_by_role("button", name="Register").click()
        page.get_by_role("link", name="Choose at least one unit").click()
        assert page.url.endswith("#unit")
        page.get_by_label("CPR").fill("0101809995")
        page.get_by_label("To make the coordinated plan").check()
        page.get_by_label("Yes, consents").check()
        page.get_by_label("Havneby Rusmiddelcenter", exact=True).check()
        page.get_by_label("The citizen", exact=True).check()
        page.get_by_label("Written", exact=True).check()
        page.locator("#date").fill("2026-01-15")
        page.get_by_label("Where is the evidence?").fill("In the case file")
        page.get_by_label("Your name").fill("Nurse")
        page.get_by_role("button", name="Register").click()
        expect(page.locator("h1")).to_have_text("Registered")
        assert "0101809995" not in page.content() + page.url


def test_the_page_refreshes_until_it_is_paused(browser: Browser, own_site: Site) -> None:
    hub = own_site.seeded.hub
    with opened(browser, own_site, locale="en-GB") as (_, page):
        page.clock.install()
        log_in(page, "/login", own_site.seeded.operator)
        paused = page.locator(".flow .box.paused")
        expect(paused).to_have_count(1)
        admin.pause(hub, "laege-havnegade", by="test", reason="test")
        page.locator("a[href^='/console/tasks']").first.focus()
        page.clock.run_for(5_500)
        expect(paused).to_have_count(2)
        assert page.evaluate("document.activeElement.getAttribute('href')") == "/console/tasks"
        button = page.get_by_role("button", name="Pause refreshing")
        button.click()
        assert button.get_attribute("aria-pressed") == "true"
        expect(page.locator("[data-refresh]")).to_contain_text("Refreshing is paused")
        admin.pause(hub, "rus-havneby", by="test", reason="test")
        page.clock.run_for(30_000)
        expect(paused).to_have_count(2)
        page.reload()
        expect(button).to_have_attribute("aria-pressed", "true")
        button.click()
        page.clock.run_for(5_500)
        expect(paused).to_have_count(3)


def test_a_refresh_after_the_session_ended_leads_to_the_login(
    browser: Browser, own_site: Site
) -> None:
    with opened(browser, own_site, locale="en-GB") as (context, page):
        page.clock.install()
        log_in(page, "/login", own_site.seeded.operator)
        context.clear_cookies()
        page.clock.run_for(5_500)
        page.wait_for_url(re.compile("/login$"))


def test_the_delivery_page_tells_the_whole_story(browser: Browser, site: Site) -> None:
    hub = site.seeded.hub
    with opened(browser, site, locale="da-DK") as (_, page):
        log_in(page, "/login", site.seeded.operator)
        found, *_ = queries.deliveries(hub, SYSTEM, state="delivered", receiver="social-havneby")
        page.goto(f"/console/deliveries/{found.id}")
        history = queries.delivery_detail(hub, SYSTEM, found.id).history
        assert page.locator("ol.timeline li").count() == len(history)
        expect(page.locator(".facts")).to_contain_text("Borgerens samtykke")
        losses = queries.delivery_detail(hub, SYSTEM, found.id).losses
        assert losses
        paths = page.locator("code.path").all_text_contents()
        assert sorted(paths) == sorted(x.path for x in losses)
        blocked = queries.deliveries(
            hub, SYSTEM, state="blocked", receiver="laege-havnegade",
            plan_id=site.seeded.plans[BO],
        )[0]  # fmt: skip
        page.goto(f"/console/deliveries/{blocked.id}")
        expect(page.locator(".verdict")).to_contain_text(
            "Venter på borgerens godkendelse af planen"
        )
        expect(page.locator(".verdict")).to_contain_text("Hvis tur: Psykiatrisk Center Nordstrand")

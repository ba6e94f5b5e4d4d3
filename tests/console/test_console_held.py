"""A held delivery in the operator's browser: a reason first, then it goes."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from hub.model.party import SYSTEM
from hub.services import queries
from tests.console.conftest import Site
from tests.console.seed import SOCIAL
from tests.console.test_console_browser import LANGUAGES, log_in, opened, violations


def held(site: Site) -> str:
    """The municipality accepts no dropped loss, and there is a new version for it."""
    (found,) = queries.deliveries(site.seeded.hub, SYSTEM, receiver=SOCIAL, state="held")
    return found.id


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_goes_when_the_operator_says_why(
    browser: Browser, own_site: Site, language: str
) -> None:
    path = f"/console/deliveries/{held(own_site)}"
    with opened(browser, own_site, locale=LANGUAGES[language]) as (_, page):
        log_in(page, "/login", own_site.seeded.operator)
        page.goto(path)
        assert violations(page) == []
        button = page.locator("form.card button")
        expect(button).to_have_text(
            "Send det med de tab" if language == "da" else "Send it with those losses"
        )
        page.locator("#why").evaluate("e => e.removeAttribute('required')")
        button.click()
        expect(page.locator(".fault")).to_be_visible()
        expect(page.locator("#why")).to_be_focused()
        page.locator("#why").fill("Aftalt i telefon")
        page.keyboard.press("Enter")
        expect(button).to_have_count(0)
        expect(page.locator(".verdict .state")).to_have_text(
            "Skal afsted" if language == "da" else "Due"
        )
    own_site.seeded.deliver()
    (sent, *_) = queries.deliveries(own_site.seeded.hub, SYSTEM, receiver=SOCIAL)
    assert sent.state.value == "sent"


@pytest.mark.parametrize(("language", "says"), [("da", "ikke accepteret"), ("en", "not accepted")])
def test_the_losses_that_hold_it_stand_first_with_their_places(
    browser: Browser, site: Site, language: str, says: str
) -> None:
    delivery = held(site)
    losses = queries.delivery_detail(site.seeded.hub, SYSTEM, delivery).losses
    dropped = {x.reason for x in losses if x.kind == "dropped"}
    others = {(x.kind, x.reason) for x in losses if x.kind != "dropped"}
    assert dropped
    assert others
    with opened(browser, site, locale=LANGUAGES[language]) as (_, page):
        log_in(page, "/login", site.seeded.operator)
        page.goto(f"/console/deliveries/{delivery}")
        rows = page.locator("section[aria-labelledby=losses] tbody tr")
        told = [says in text for text in rows.all_inner_texts()]
        assert told == [True] * len(dropped) + [False] * len(others)
        assert page.locator("main [lang=en]").count() == 0


def test_what_is_unfolded_stays_so_when_the_page_refreshes(browser: Browser, site: Site) -> None:
    with opened(browser, site, locale="da-DK") as (_, page):
        page.clock.install()
        log_in(page, "/login", site.seeded.operator)
        page.goto(f"/console/deliveries/{held(site)}")
        first = page.locator("#losses ~ .scroll details").first
        first.locator("summary").click()
        with page.expect_response(lambda answer: "hx-request" in answer.request.headers):
            page.clock.run_for(5_500)
        expect(page.locator("#live:not(.htmx-swapping)")).to_be_visible()
        page.clock.run_for(500)
        expect(first.locator("code")).to_be_visible()

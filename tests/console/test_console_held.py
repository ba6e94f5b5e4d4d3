"""A held delivery in the operator's browser: a reason first, then it goes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.sync_api import Browser, expect

from hub.contract import Receipt
from hub.model.party import SYSTEM, Subscription
from hub.services import mailbox, queries
from hub.services.admin import PartyEntry, apply_parties
from tests.console.conftest import Site
from tests.console.seed import as_json, example
from tests.console.test_console_browser import LANGUAGES, log_in, opened, violations

SOCIAL = "social-havneby"


def held(site: Site) -> str:
    """The municipality accepts no dropped loss, and there is a new version for it."""
    seeded = site.seeded
    with seeded.hub.store.reading() as work:
        known = work.parties.get(SOCIAL)
    assert known is not None
    wanted = replace(known, subscriptions=(Subscription("vum", unacceptable=("dropped",)),))
    apply_parties(seeded.hub, [PartyEntry(wanted)], [], "pdf", by="test")
    for letter in mailbox.waiting(seeded.hub, known.party):
        mailbox.receipt(seeded.hub, known.party, Receipt(of=letter.id, outcome="ok"))
    bundle = example("plan-1.json")
    bundle["entry"][0]["resource"]["title"] = "Plan med en ny titel"
    seeded.send("rus-havneby", "fhir", as_json(bundle))
    seeded.deliver()
    (found,) = queries.deliveries(seeded.hub, SYSTEM, receiver=SOCIAL, state="held")
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

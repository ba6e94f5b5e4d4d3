"""What went wrong, in the operator's browser: looked at, acted on by keyboard alone, and told."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from hub.model.party import SYSTEM, Viewer
from hub.ports import InboundMessage, deliveries_queue
from hub.services import queries
from hub.services.operate import dead_letters, many
from hub.services.worker import receive
from tests.console.conftest import Site, token_in
from tests.console.seed import KARLA, PSYK, RUS
from tests.console.test_console_browser import LANGUAGES, log_in, opened, tab_to, violations

OPERATOR = Viewer("operator", "Drift Demo")
WORDS = {"da": ("Færdig", "4 gjort"), "en": ("Done", "4 done")}


def dies(site: Site, message_id: str = "m-1") -> str:
    """A document of the psychiatry's dies on the broker; its dead letter."""
    xml = b"<behandlingsplan/>"
    message = InboundMessage(
        "dead", PSYK, "behandlingsplan", message_id, "application/xml", xml,
        "delivery-limit in ki.inbound",
    )  # fmt: skip
    receive(site.seeded.hub, message)
    return dead_letters.letters(site.seeded.hub, OPERATOR)[0].key


def narrow(page: Page) -> bool:
    """The page needs no sidewards scrolling on a phone."""
    size = page.viewport_size
    page.set_viewport_size({"width": 320, "height": 700})
    wide = page.evaluate("document.documentElement.scrollWidth")
    page.set_viewport_size(size or {"width": 1280, "height": 720})
    return bool(wide <= 320)


@pytest.mark.parametrize("language", LANGUAGES)
def test_many_are_acted_on_by_keyboard_alone(
    browser: Browser, own_site: Site, language: str
) -> None:
    hub = own_site.seeded.hub
    with opened(browser, own_site, locale=LANGUAGES[language]) as (_, page):
        log_in(page, "/login", own_site.seeded.operator)
        page.goto("/console/deliveries?state=blocked")
        tab_to(page, "main a[href^='/console/actions/new']")
        page.keyboard.press("Enter")
        page.wait_for_url("**/console/actions/new?act=resend&state=blocked")
        assert violations(page) == []
        tab_to(page, "input[type=radio]:checked")
        for _ in range(3):
            page.keyboard.press("ArrowDown")
        tab_to(page, "form.choose button")
        page.keyboard.press("Enter")
        page.wait_for_url("**act=cancel**")
        assert violations(page) == []
        assert narrow(page)
        tab_to(page, "#reason")
        page.keyboard.type("Aftalt på driftsmødet")
        tab_to(page, "button.main")
        page.keyboard.press("Enter")
        page.wait_for_url("**/console/actions/*-*")
        assert violations(page) == []
        (row,) = many.action_rows(hub, OPERATOR)
        many.advance(hub, row["action"])
        page.reload()
        done, counted = WORDS[language]
        expect(page.locator(".verdict")).to_contain_text(done)
        expect(page.locator(".verdict")).to_contain_text(counted)
        assert queries.deliveries(hub, SYSTEM, state="blocked") == []
        page.goto("/console/actions")
        assert violations(page) == []
        assert narrow(page)


def test_many_dead_letters_are_seen_counted_and_let_go(own_site: Site) -> None:
    hub = own_site.seeded.hub
    for one in ("m-1", "m-2", "m-3"):
        dies(own_site, one)
    path = "/console/dead-letters/many"
    with own_site.operator("en") as client:
        assert path in client.get("/console/dead-letters").text
        assert "Choose at least one" in client.get(f"{path}?act=discard").text
        page = client.get(f"{path}?act=discard&queue=ki.inbound").text
        assert "Let go: 3 dead letters" in page
        seen = re.search(r'name="seen" value="([0-9a-f]+)"', page)
        assert seen is not None
        form = {"token": token_in(page), "act": "discard", "queue": "ki.inbound", "seen": seen[1]}
        assert client.post(path, data=form | {"reason": ""}).status_code == 422
        dies(own_site, "m-4")
        stale = client.post(path, data=form | {"reason": "Se efter"})
        assert stale.status_code == 422
        assert "no longer what you saw" in stale.text
        assert len(dead_letters.letters(hub, OPERATOR)) == 4
        again = re.search(r'name="seen" value="([0-9a-f]+)"', stale.text)
        assert again is not None
        done = client.post(path, data=form | {"seen": again[1], "reason": "Se efter"})
        assert done.status_code == 200
        assert "4 done, 0 not" in done.text
    assert dead_letters.letters(hub, OPERATOR) == []


def test_a_dead_letter_is_put_back_by_keyboard_alone(browser: Browser, own_site: Site) -> None:
    dies(own_site)
    with opened(browser, own_site, locale="en-GB") as (_, page):
        log_in(page, "/login", own_site.seeded.operator)
        page.goto("/console/dead-letters/many?act=replay&way=document")
        expect(page.locator("#would")).to_be_visible()
        assert violations(page) == []
        assert narrow(page)
        page.goto("/console/dead-letters")
        assert violations(page) == []
        assert narrow(page)
        tab_to(page, "tbody a.id")
        page.keyboard.press("Enter")
        page.wait_for_url("**/console/dead-letters/*-*")
        assert violations(page) == []
        tab_to(page, "button.main")
        page.keyboard.press("Enter")
        expect(page.locator(".summary")).to_be_visible()
        assert violations(page) == []
        tab_to(page, "input[value=replay]")
        page.keyboard.press("Space")
        tab_to(page, "#reason")
        page.keyboard.type("Rettet")
        page.keyboard.press("Enter")
        page.wait_for_url("**/console/messages/*")
    assert dead_letters.letters(own_site.seeded.hub, OPERATOR) == []


def test_without_a_reason_or_of_another_set_nothing_is_done(own_site: Site) -> None:
    hub = own_site.seeded.hub
    with own_site.operator("en") as client:
        page = client.get("/console/actions/new?act=cancel&state=blocked").text
        seen = page.split('name="seen" value="', 1)[1].split('"', 1)[0]
        form = {"token": token_in(page), "seen": seen, "act": "cancel", "state": "blocked"}
        answer = client.post("/console/actions", data=form | {"reason": " "})
        assert answer.status_code == 422
        assert "Say why, in at most" in answer.text
        other = client.post("/console/actions", data=form | {"reason": "x", "state": "held"})
        assert other.status_code == 422
        assert "no longer what you saw" in other.text
        numbered = client.post("/console/actions", data=form | {"reason": f"Om {KARLA}"})
        assert numbered.status_code == 422
    assert many.action_rows(hub, OPERATOR) == []


def test_the_delivery_says_what_can_be_done_and_why_not(own_site: Site) -> None:
    (dead,) = queries.deliveries(own_site.seeded.hub, SYSTEM, state="dead")
    with own_site.operator("en") as client:
        page = client.get(f"/console/deliveries/{dead.id}").text
        assert f"/console/actions/new?act=skip&amp;delivery={dead.id}" in page
        assert "cancel: The matter is closed".lower() in page.lower()
        one = client.get(f"/console/actions/new?act=skip&delivery={dead.id}").text
        assert "Do not send: 1 delivery" in one


def test_the_wrong_receiver_is_told_and_the_page_says_so(own_site: Site) -> None:
    hub = own_site.seeded.hub
    sent = queries.deliveries(hub, SYSTEM, state="delivered", receiver="social-havneby")[0]
    path = f"/console/deliveries/{sent.id}/in-error"
    with own_site.operator() as client:
        token = token_in(client.get(path).text)
        assert client.post(path, data={"token": token, "reason": ""}).status_code == 422
        assert client.post(path, data={"token": token, "reason": KARLA}).status_code == 422
        done = client.post(path, data={"token": token, "reason": "Forkert kommune"})
        assert (done.status_code, done.headers["Location"]) == (
            303, f"/console/deliveries/{sent.id}",
        )  # fmt: skip
        (own, *_) = queries.deliveries(hub, SYSTEM, receiver="citizen")
        assert client.get(f"/console/deliveries/{own.id}/in-error").status_code == 404
    notices = [d for d in queries.deliveries(hub, SYSTEM, receiver="social-havneby") if d.about]
    assert [d.about for d in notices][:1] == ["notice/correction"]


def test_a_dead_delivery_s_letter_leads_to_it_and_its_content_is_a_file(own_site: Site) -> None:
    hub = own_site.seeded.hub
    (dead,) = queries.deliveries(hub, SYSTEM, state="dead")
    reason = f"expired in {deliveries_queue(dead.receiver)}"
    receive(hub, InboundMessage("dead", "", "", dead.id, "application/pdf", b"%PDF-", reason))
    (letter,) = dead_letters.letters(hub, OPERATOR)
    path = f"/console/dead-letters/{letter.key}"
    with own_site.operator("en") as client:
        page = client.get(path).text
        assert f"/console/deliveries/{dead.id}" in page
        form = {"token": token_in(page), "reason": "Se efter"}
        refused = client.post(path, data=form | {"do": "replay"})
        assert refused.status_code == 422
        assert "waits or is on its way" in refused.text
        assert client.post(path, data=form | {"do": "bytes"}).content == b"%PDF-"
        gone = client.post(path, data=form | {"do": "discard"})
        assert gone.headers["Location"] == "/console/dead-letters"
        assert client.get(path).status_code == 404


def test_a_unit_links_a_number_and_it_is_not_shown_again(browser: Browser, own_site: Site) -> None:
    new = "020160" + "9999"
    with opened(browser, own_site, locale="da-DK") as (_, page):
        log_in(page, "/decisions/login", own_site.seeded.secrets[RUS])
        page.goto("/decisions/number")
        assert violations(page) == []
        assert narrow(page)
        page.locator("button.main").click()
        expect(page.locator(".summary")).to_be_visible()
        assert violations(page) == []
        page.locator("#known").fill(KARLA)
        page.locator("#new").fill(new)
        page.locator("#person").fill("Tove, tovholder")
        page.locator("button.main").click()
        expect(page.locator("[role=status]")).to_be_visible()
        assert KARLA not in page.content() + page.url
        page.locator("#known").fill("0101809995")
        page.locator("#new").fill(new)
        page.locator("#person").fill("Tove, tovholder")
        page.locator("button.main").click()
        expect(page.locator(".summary")).to_be_visible()
        assert new not in page.content()

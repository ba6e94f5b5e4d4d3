"""What a delivery's task asks, done at the console by a person of the unit."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from hub.model.party import SYSTEM, Viewer
from hub.model.records import Task
from hub.services import queries
from tests.console.conftest import Site, token_in
from tests.console.seed import KARLA, PSYK, RUS, SOCIAL
from tests.console.test_console_browser import LANGUAGES, log_in, opened, tab_to, violations


def asked(site: Site, who: str, kind: str) -> Task:
    tasks = queries.tasks(site.seeded.hub, Viewer("party", who))
    return next(t for t in tasks if t.kind == kind and t.delivery_id)


def state(site: Site, delivery: str | None) -> str:
    found = queries.delivery_detail(site.seeded.hub, SYSTEM, delivery or "")
    return found.delivery.state.value


@pytest.mark.parametrize(("language", "words"), [
    ("da", ("Send det med de tab", "Hvad er afgjort?", "Skriv hvorfor")),
    ("en", ("Send it with those losses", "What is decided?", "Say why")),
])  # fmt: skip
def test_by_keyboard_a_held_document_is_let_go(
    browser: Browser, own_site: Site, language: str, words: tuple[str, ...]
) -> None:
    task = asked(own_site, RUS, "losses")
    path = f"/decisions/deliveries/{task.delivery_id}"
    with opened(browser, own_site, locale=LANGUAGES[language]) as (_, page):
        log_in(page, "/decisions/login", own_site.seeded.secrets[RUS])
        tab_to(page, f"a[href='{path}']")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{path}")
        assert violations(page) == []
        assert page.locator("main [lang=en]").count() == 0 or language == "en"
        expect(page.locator("legend")).to_have_text(words[1])
        tab_to(page, "input[name=act]")
        page.keyboard.press("Space")
        tab_to(page, "#person")
        page.keyboard.type("Mette, kontaktperson")
        page.keyboard.press("Enter")
        expect(page.locator(".summary a")).to_have_text([words[2]])
        assert violations(page) == []
        assert state(own_site, task.delivery_id) == "held"
        page.locator(".summary a").click()
        expect(page.locator("#reason")).to_be_focused()
        page.keyboard.type("Aftalt i telefon")
        page.keyboard.press("Enter")
        page.wait_for_url("**/decisions")
        expect(page.locator(f"a[href='{path}']")).to_have_count(0)
    assert state(own_site, task.delivery_id) in {"due", "sending", "sent"}
    history = queries.delivery_detail(own_site.seeded.hub, SYSTEM, task.delivery_id or "").history
    assert f"{RUS}: Mette, kontaktperson" in {e.actor for e in history}


def test_each_act_is_its_unit_s_and_what_its_task_asks(own_site: Site) -> None:
    hub = own_site.seeded.hub
    held = asked(own_site, RUS, "losses").delivery_id or ""
    copy = asked(own_site, RUS, "hand-over").delivery_id or ""
    with own_site.person(PSYK) as other:
        for delivery in (held, copy, "nothing"):
            page = f"/decisions/deliveries/{delivery}"
            assert other.get(page).status_code == 404
            token = token_in(other.get("/decisions/consent").text)
            sent = {"token": token, "act": "not-sent", "person": "x", "reason": "x"}
            assert other.post(page, data=sent).status_code == 404
    with own_site.person(RUS) as client:
        page = f"/decisions/deliveries/{copy}"
        assert f'href="{page}"' in client.get("/decisions").text
        token = token_in(client.get(page).text)
        said = {"token": token, "person": "Mette", "reason": "x"}
        assert client.post(page, data=said | {"act": "let-go"}).status_code == 422
        assert client.post(page, data=said | {"act": "hand-over", "person": ""}).status_code == 422
        assert state(own_site, copy) == "sent"
        assert client.post(page, data=said | {"act": "hand-over"}).status_code == 303
        assert state(own_site, copy) == "delivered"
        assert client.get(page).status_code == 404, "it is done"
        page = f"/decisions/deliveries/{held}"
        assert "/activity[" not in client.get(page).text, "where in others' parts is not told"
        done = client.post(page, data=said | {"act": "not-sent", "reason": "Sagt i telefonen"})
        assert done.status_code == 303
        assert state(own_site, held) == "not_sent"
    read = queries.read_plan(hub, Viewer("party", RUS), own_site.seeded.plans[KARLA])
    assert "Sagt i telefonen" in str(read.resources)
    assert queries.deliveries(hub, SYSTEM, receiver=SOCIAL)

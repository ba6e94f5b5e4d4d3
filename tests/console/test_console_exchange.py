"""Proposals, conflicts and letters in a real Chromium, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from playwright.sync_api import Browser, Page, expect

from hub.console.words import word
from hub.fhir.language import Language
from hub.model.party import Viewer
from hub.services import letters, overview, proposals
from tests.api.copies import says_of
from tests.console.conftest import Site, token_in
from tests.console.seed import GP, KARLA, NOTED, NOTED_BY_LEAD, PROPOSED, PSYK, RUS, WRITTEN
from tests.console.test_console_browser import LANGUAGES, log_in, opened, tab_to, violations
from tests.forms import combined

AGREED = "Karla vælger med Mette.\nMødet holdes hos Karla."
PERSON = "Mette, kontaktperson"
REASON = "Aftalt med Karla"
CHOICES: Mapping[str, tuple[str, str]] = {
    "accept": ("accepted", PROPOSED), "reject": ("rejected", ""), "reword": ("replaced", AGREED),
}  # fmt: skip
"""To the state it leads to, and what the plan says then."""


def state_of(site: Site, proposal: str) -> str:
    found = proposals.proposals(site.seeded.hub, Viewer("party", RUS), waiting=False)
    return next(p.state for p in found if p.id == proposal)


def cards(page: Page) -> list[str]:
    return page.locator("main .doors .card").all_inner_texts()


@pytest.mark.parametrize(("choice", "language"), combined(CHOICES, LANGUAGES))
def test_a_person_decides_by_keyboard(
    browser: Browser, own_site: Site, language: Language, choice: str
) -> None:
    proposal, (state, says) = own_site.seeded.proposal, CHOICES[choice]
    with opened(browser, own_site, locale=LANGUAGES[language]) as (_, page):
        log_in(page, "/decisions/login", own_site.seeded.secrets[RUS])
        page.goto("/decisions/proposals")
        tab_to(page, f"a[href$='{proposal}']")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/{proposal}")
        tab_to(page, "input[name=choice]")
        # An arrow key chooses among radio buttons; space takes the first.
        page.keyboard.press("Space")
        for _ in range(list(CHOICES).index(choice)):
            page.keyboard.press("ArrowDown")
        expect(page.locator("input[name=choice]:checked")).to_have_value(choice)
        for name, text in (("text", AGREED), ("person", PERSON), ("reason", REASON)):
            tab_to(page, f"#{name}")
            if name != "text" or choice == "reword":
                page.keyboard.insert_text(text)
        tab_to(page, "button.main")
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_contain_text(REASON)
        assert page.locator("input[name=choice]").count() == 0
        told = word(language, f"proposal.state.{state}").capitalize()
        expect(page.locator("main")).to_contain_text(told)
        expect(page.locator("main")).to_contain_text(f"Havneby Rusmiddelcenter, {PERSON}")
        assert violations(page) == []
    assert state_of(own_site, proposal) == state
    found = says_of(own_site.seeded.hub, own_site.seeded.plans[KARLA])
    assert says.replace("\n", "\\n") in found
    assert (PROPOSED in found) is (choice == "accept")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_conflict_shows_three_texts_and_whose_move_it_is(
    browser: Browser, site: Site, language: Language
) -> None:
    path = f"/decisions/proposals/{site.seeded.conflict}"
    with opened(browser, site, locale=LANGUAGES[language]) as (_, page):
        log_in(page, "/decisions/login", site.seeded.secrets[RUS])
        page.goto(path)
        base, theirs, stands = cards(page)
        assert NOTED_BY_LEAD in theirs
        assert "Havneby Rusmiddelcenter" in theirs
        assert NOTED in stands
        assert "Samtale hver anden uge" in base
        main = page.locator("main")
        waits = f"{word(language, 'proposal.waits')} Havneby Rusmiddelcenter"
        expect(main).to_contain_text(waits)
        expect(main).to_contain_text("08.09.2026" if language == "da" else "08 Sep 2026")
        for raw in (
            "section: psychiatry",
            "lifecycleStatus",
            "effectiveDateTime",
            "actor-label",
            "performer",
        ):
            expect(main).not_to_contain_text(raw)
        # The page of a unit shows what the plan says: it must not promise that it never does.
        expect(page.locator("footer")).to_have_text(word(language, "footer.party"))
        current = page.locator("nav a[aria-current]")
        expect(current).to_have_attribute("href", "/decisions/proposals")


@pytest.mark.parametrize("language", LANGUAGES)
def test_its_author_sees_whom_it_waits_for(
    browser: Browser, site: Site, language: Language
) -> None:
    waits = f"{word(language, 'proposal.waits')} Havneby Rusmiddelcenter"
    with opened(browser, site, locale=LANGUAGES[language]) as (_, page):
        log_in(page, "/decisions/login", site.seeded.secrets[PSYK])
        page.goto("/decisions/proposals")
        row = page.locator("li", has=page.locator(f"a[href$='{site.seeded.proposal}']"))
        expect(row).to_contain_text(waits)
        row.locator("a").click()
        expect(page.locator("main")).to_contain_text(waits)
        assert page.locator("input[name=choice]").count() == 0
        assert violations(page) == []


def test_what_is_missing_is_told_and_nothing_written_is_lost(
    browser: Browser, own_site: Site
) -> None:
    """Without JavaScript, from the list to the decision, on a phone."""
    proposal = own_site.seeded.proposal
    phone = {"width": 320, "height": 700}
    with opened(browser, own_site, locale="da-DK", java_script_enabled=False, viewport=phone) as (
        _,
        page,
    ):
        log_in(page, "/decisions/login", own_site.seeded.secrets[RUS])
        page.goto("/decisions/proposals")
        page.locator(f"a[href$='{proposal}']").click()
        page.get_by_label("Andre ord").last.fill(AGREED)
        page.get_by_role("button", name="Registrér").click()
        summary = page.get_by_role("alert")
        expect(summary.get_by_role("link")).to_have_text(
            ["Vælg, hvad der skal stå i planen", "Skriv, hvem der afgør det", "Skriv hvorfor"]
        )
        assert page.locator("textarea").input_value() == AGREED
        assert state_of(own_site, proposal) == "open"
        page.get_by_role("radio", name="Andre ord").check()
        page.get_by_label("Hvem afgør det").fill(PERSON)
        page.get_by_label("Hvorfor").fill(REASON)
        page.get_by_role("button", name="Registrér").click()
        expect(page.locator("main")).to_contain_text("Afgjort med andre ord")
        page.get_by_role("link", name="Tilbage til forslagene").click()
        expect(page.locator("h1")).to_have_text("Forslag")
    assert state_of(own_site, proposal) == "replaced"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_plan_tells_that_a_letter_came_and_never_what_it_says(
    browser: Browser, own_site: Site, language: Language
) -> None:
    seeded = own_site.seeded
    plan = seeded.plans[KARLA]
    with opened(browser, own_site, locale=LANGUAGES[language]) as (_, page):
        log_in(page, "/login", seeded.operator)
        page.goto(f"/console/plans/{plan}")
        section = page.locator("section[aria-labelledby=letters]")
        expect(section).to_contain_text(word(language, "letter.reply"))
        expect(section).to_contain_text(seeded.party(GP).name)
        waits = f"{word(language, 'letters.waits')} Havneby Rusmiddelcenter"
        expect(section).to_contain_text(waits)
        assert WRITTEN not in page.content()
        section.locator("a.id").click()
        expect(page.locator(".verdict")).to_contain_text(word(language, "inbox.applied"))
        assert WRITTEN not in page.content()
        (letter,) = letters.letters(seeded.hub, seeded.party(RUS), plan)
        letters.seen_to(seeded.hub, seeded.party(RUS), plan, letter.id, PERSON)
        page.goto(f"/console/plans/{plan}")
        expect(section).to_contain_text(word(language, "letters.seen"))
        expect(section).not_to_contain_text(waits)


@pytest.mark.parametrize(("scripted", "language"), combined([True, False], LANGUAGES))
def test_a_person_reads_a_letter_and_says_that_it_is_seen_to(
    browser: Browser, own_site: Site, language: Language, scripted: bool
) -> None:
    with opened(browser, own_site, locale=LANGUAGES[language], java_script_enabled=scripted) as (
        _,
        page,
    ):
        log_in(page, "/decisions/login", own_site.seeded.secrets[RUS])
        page.get_by_role("link", name=word(language, "decisions.letters")).click()
        letter = page.locator("article")
        expect(letter).to_contain_text(WRITTEN)
        expect(letter).to_contain_text(own_site.seeded.party(GP).phone or "no telephone")
        button = page.get_by_role("button", name=word(language, "letters.button"))
        button.click()
        expect(letter.get_by_role("alert")).to_contain_text(word(language, "fault.person"))
        expect(letter.locator("[aria-invalid]")).to_be_focused()
        letter.get_by_role("textbox").fill(PERSON)
        letter.get_by_role("textbox").press("Enter")
        expect(button).to_have_count(0)
        expect(letter).to_contain_text(word(language, "letters.seen"))
        expect(letter).to_contain_text(WRITTEN)
        page.goto("/decisions")
        link = page.get_by_role("link", name=word(language, "decisions.letters"))
        expect(link).to_have_count(0)


def test_a_letter_is_for_those_who_may_read_it(own_site: Site) -> None:
    plan = own_site.seeded.plans[KARLA]
    path = f"/decisions/letters/{plan}"
    with own_site.person(PSYK) as client:
        answer = client.get(path)
        assert answer.status_code == 200
        assert WRITTEN not in answer.text
        assert client.get("/decisions/letters/none").status_code == 404
        history = overview.plan_history(own_site.seeded.hub, Viewer("operator", "test"), plan)
        (letter,) = history.letters
        said = {"token": token_in(answer.text), "person": PERSON}
        assert client.post(f"{path}/{letter.id}", data=said).status_code == 404
    with own_site.person(RUS) as client:
        assert WRITTEN in client.get(path).text
        assert client.post(f"{path}/{letter.id}", data={"person": PERSON}).status_code == 403
    with own_site.operator() as client:
        assert client.get(path).status_code == 303
    with own_site.seeded.hub.store.reading() as work:
        rows = work.journal.audit_of(f"CarePlan/{plan}")
    assert (RUS, "read") in [
        (r["actor"], r["action"]) for r in rows if r["detail"] == f"letter/{letter.id}"
    ]

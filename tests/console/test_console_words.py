"""Catalogs: the same keys in both languages, and every key the pages use exists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hub.console
from hub.console import (
    acts,
    approval_form,
    audit,
    consent_form,
    dead_letters,
    filled,
    flow,
    proposals,
    reasons,
    rejection,
    subscriptions,
)
from hub.console.words import catalog, choose, word
from hub.contract import LossKind
from hub.fhir.language import LANGUAGES, said
from hub.fhir.names import SECTIONS
from hub.model.approval import HELD_BACK_ROLES
from hub.model.breaker import Circuit
from hub.model.dead_letter import Way
from hub.model.delivery import State
from hub.model.operate import ACTS
from hub.model.party import SYSTEM
from hub.model.subscription import TOPICS
from hub.model.withdrawal import CORRECTION, How, Loss
from hub.services import queries
from hub.services.numbers import KINDS
from hub.services.operate.dead_many import LETTER_ACTS
from hub.services.received import INBOX_STATES
from hub.store.operating import Outcome
from tests.console.conftest import Site

FOLDER = Path(hub.console.__file__).parent
TEMPLATES = sorted(p for p in (FOLDER / "templates").iterdir())
STATES = tuple(s.value for s in State)
GROUPS = {
    "nav.": ("overview", "deliveries", "plans", "parties", "subscriptions", "messages", "tasks",
             "audit", "decisions", "consent", "approval", "proposals"),
    "state.": STATES,
    "means.": STATES,
    "inbox.": INBOX_STATES,
    "inbox.means.": INBOX_STATES,
    "flow.": (*flow.GROUPS, "paused", "received", "turned-away"),
    "ready.": ("database", "broker"),
    "severity.": ("fatal", "error", "warning", "information"),
    "whose.": ("hub", "operator", "nobody"),
    "decision.": approval_form.DECISIONS,
    "purpose.": consent_form.PURPOSES,
    "mode.": filled.MODES,
    "giver.": consent_form.CONSENTERS,
    "answer.": consent_form.ANSWERS,
    "ground.": consent_form.GROUNDS,
    "rejection.consent.": rejection.CONSENT,
    "rejection.meeting.": rejection.MEETING,
    "section.": SECTIONS,
    "login.title.": ("operator", "party"),
    "login.demo.text.": ("operator", "party"),
    "login.demo.button.": ("operator", "party"),
    "login.lead.": ("operator", "party"),
    "audit.outcome.": audit.OUTCOMES,
    "letter.": ("new", "reply", "forward"),
    "loss.": get_args(LossKind),
    "withdrawals.lost.": (*get_args(Loss), CORRECTION),
    "withdrawals.how.": get_args(How),
    "versions.": ("latest", "every-version"),
    "act.": sorted({act for offered in acts.ACTS.values() for act in offered}),
    "proposal.kind.": proposals.KINDS,
    "proposal.lead.": (*proposals.KINDS, "own"),
    "proposal.state.": proposals.STATES,
    "choice.": proposals.CHOICES,
    "about.piece.": proposals.ABOUT,
    "gate.": sorted(HELD_BACK_ROLES - {"coordinator"}),
    "party.": ("pause", "resume"),
    "party.reason.": ("pause", "resume"),
    "endpoint.state.": tuple(s.value for s in Circuit),
    "subscription.status.": subscriptions.STATES,
    **{f"reason.{part}.": reasons.ASKED for part in ("title", "back", "text", "button")},
    "operate.": ACTS,
    "operate.means.": ACTS,
    "outcome.": get_args(Outcome),
    "dead.act.": LETTER_ACTS,
    "dead.do.": dead_letters.DONE,
    "dead.way.": get_args(Way),
    "number.kind.": tuple(KINDS),
    "subscription.topic.": tuple(t.rpartition("/")[2] for t in TOPICS),
}  # fmt: skip
"""Keys that a page makes from data: the group, and every name the data may have."""


def test_both_languages_have_the_same_keys() -> None:
    da, en = catalog("da"), catalog("en")
    assert da.keys() == en.keys()
    assert all(v.strip() for c in (da, en) for v in c.values())


def test_placeholders_are_the_same() -> None:
    def holes(text: str) -> list[str]:
        return sorted(re.findall(r"\{\w+\}", text))

    assert {k: holes(v) for k, v in catalog("da").items()} == {
        k: holes(v) for k, v in catalog("en").items()
    }


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: p.name)
def test_every_key_of_a_template_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    whole = re.findall(r"\btn?\('([a-z0-9.-]+)'(?:,|\))", text)
    whole += [f"{k}.one" for k in re.findall(r"\btn\('([a-z0-9.-]+)'", text)]
    whole += re.findall(r"'((?:field|hint|fault)\.[a-z-]+)'", text)
    assert [k for k in whole if k not in catalog("en")] == []
    made = re.findall(r"\bt\('([a-z0-9.-]+\.)' \+", text)
    assert [g for g in made if g not in GROUPS] == []


@pytest.mark.parametrize("group", GROUPS)
def test_every_key_made_from_data_exists(group: str) -> None:
    assert [n for n in GROUPS[group] if f"{group}{n}" not in catalog("en")] == []


def test_every_key_of_the_code_exists() -> None:
    text = "".join(p.read_text(encoding="utf-8") for p in FOLDER.glob("*.py"))
    keys = re.findall(r"\"(fault\.[a-z-]+)\"", text)
    assert len(keys) > 20
    assert [k for k in keys if k not in catalog("en")] == []


def test_no_key_is_left_over() -> None:
    used = "".join(p.read_text(encoding="utf-8") for p in (*TEMPLATES, *FOLDER.glob("*.py")))
    made = {f"{g}{n}" for g, names in GROUPS.items() for n in names}
    by_data = ("kind.", "part.", "plan.", "basis.", "error.title.", "line.", "coded.")
    left = [k for k in catalog("en")
            if f"'{k.removesuffix('.one')}'" not in used and f'"{k}"' not in used
            and k not in made and not k.startswith(by_data)]  # fmt: skip
    assert left == []


def test_a_missing_key_is_an_error() -> None:
    with pytest.raises(KeyError):
        word("da", "no.such.key")


@given(st.integers(min_value=0, max_value=10**6))
def test_numbers_survive_the_translation(number: int) -> None:
    assert said("da", f"Version {number} took its place") == f"Version {number} tog dens plads"


@given(st.uuids(), st.integers(min_value=1, max_value=999))
def test_ids_and_numbers_survive_in_their_places(plan: object, number: int) -> None:
    english = f"The decision on version {number} of CarePlan/{plan} is registered"
    danish = f"Beslutningen om version {number} af CarePlan/{plan} er registreret"
    assert said("da", english) == danish


def test_what_is_not_known_is_not_translated() -> None:
    assert said("da", "Nobody has said this before") is None
    assert said("en", "Nobody has said this before") == "Nobody has said this before"


def test_every_reason_loss_and_task_of_a_busy_day_has_danish(site: Site) -> None:
    hub = site.seeded.hub
    told = {t.text for t in queries.tasks(hub, SYSTEM)}
    for delivery in queries.deliveries(hub, SYSTEM):
        detail = queries.delivery_detail(hub, SYSTEM, delivery.id)
        told |= {e.reason for e in detail.history} | {x.reason for x in detail.losses}
    assert len(told) > 10
    assert sorted(t for t in told if said("da", t) is None) == []


@pytest.mark.parametrize(
    ("cookie", "header", "wanted"),
    [
        (None, "", "da"),
        (None, "de-DE,de;q=0.9", "da"),
        (None, "en-GB,en;q=0.9,da;q=0.8", "en"),
        (None, "de,en;q=0.5,da;q=0.7", "da"),
        (None, "en;q=0,da;q=0.1", "da"),
        ("en", "da", "en"),
        ("xx", "en", "en"),
    ],
)
def test_the_language_is_the_visitors(cookie: str | None, header: str, wanted: str) -> None:
    assert choose(cookie, header) == wanted


@given(st.text(max_size=60))
def test_any_header_gives_a_language(header: str) -> None:
    assert choose(None, header) in LANGUAGES

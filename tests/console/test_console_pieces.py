"""A piece of a plan in the reader's language: no name or code of FHIR's is left."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.console.pieces import apart, told
from hub.console.words import catalog
from hub.fhir.language import LANGUAGES, Language
from hub.model.pieces import split
from hub.model.wording import lines, text_of
from tests.console.conftest import Site
from tests.views import ROOT

CODED = (
    "lifecycleStatus",
    "status",
    "anchoring",
    "data-absent-reason",
    "active",
    "coordination",
    "use",
)
ROLES = ROOT / "fhir_profiles" / "CodeSystem-ki-role.json"
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\n"), min_size=1, max_size=40)


def said(site: Site) -> Iterator[tuple[str, list[str]]]:
    """Every piece of both plans, sector plans too: what it says beside its own text."""
    with site.seeded.hub.store.reading() as work:
        for plan in site.seeded.plans.values():
            for part in work.plans.parts(plan):
                resources = work.plans.resources(part.members)
                pieces = split(resources, f"CarePlan/{part.id}")
                for piece, value in pieces.values.items():
                    found = lines(piece, value, resources, pieces)
                    yield piece, found[1:] if text_of(piece, value) else found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_name_and_code_in_a_plan_has_a_word(site: Site, language: Language) -> None:
    known = catalog(language)
    missing = set()
    for piece, found in said(site):
        for line in found:
            name, colon, value = line.partition(": ")
            if colon and f"line.{name}" not in known:
                missing.add((piece, name))
            if colon and name in CODED and f"coded.{name}.{value}" not in known:
                missing.add((name, value))
    assert missing == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_role_has_a_word_and_no_word_is_for_nothing(language: Language) -> None:
    known = catalog(language)
    roles = {c["code"] for c in json.loads(ROLES.read_text("utf-8"))["concept"]}
    assert [r for r in roles if f"coded.code.{r}" not in known] == []
    coded = {k.split(".")[1] for k in known if k.startswith("coded.")}
    assert [n for n in coded if f"line.{n}" not in known] == []


@pytest.mark.parametrize(
    ("language", "line", "wanted"),
    [
        ("da", "section: substance-use", "område: Rusmidler"),
        ("da", "lifecycleStatus: accepted", "status: aftalt"),
        ("da", "effectiveDateTime: 2026-09-08", "dato: 08.09.2026"),
        ("en", "effectiveDateTime: 2026-09-08", "date: 08 Sep 2026"),
        # UTC in the plan, Danish clocks on the page.
        ("da", "start: 2026-10-06T11:00:00Z", "fra: 06.10.2026 kl. 13.00"),
        ("en", "end: 2026-12-06T14:15:00+01:00", "until: 06 Dec 2026 14:15"),
        ("da", "2. code: lead", "2. slags: tovholder"),
        ("da", "Alternativ: et ophold", "Alternativ: et ophold"),
        ("da", "start: 2026-99-99", "fra: 2026-99-99"),
    ],
)
def test_a_line_is_told(language: Language, line: str, wanted: str) -> None:
    assert told(language, "goal/1", [line], text=False) == [wanted]


@given(st.sampled_from(LANGUAGES), WORDS, st.sampled_from(["", "status: ", "code: ", "1. goal: "]))
def test_what_a_person_wrote_is_left_alone(language: Language, words: str, before: str) -> None:
    assert told(language, "goal/1", [before + words], text=True) == [before + words]


@given(st.sampled_from(LANGUAGES), WORDS, WORDS)
def test_a_value_that_is_no_code_is_kept(language: Language, name: str, value: str) -> None:
    (found,) = told(language, "goal/1", [f"{name}: {value}"], text=False)
    dated = re.fullmatch(r"\d{4}-.*", value)
    known = any(f"{g}.{value}" in catalog(language) for g in (f"coded.{name}", "section"))
    assert dated or known or found.endswith(value)


def test_a_field_of_the_plan_itself_has_no_name_on_its_line() -> None:
    assert told("da", "plan/status", ["active"], text=False) == ["aktiv"]
    assert told("da", "plan/title", ["active"], text=True) == ["active"]


def test_what_is_the_same_in_all_is_told_once() -> None:
    texts = (["a", "x", "y"], ["b", "x", "z"], ["a", "x", "y"])
    assert apart(*texts) == ([["a", "y"], ["b", "z"], ["a", "y"]], ["x"])
    assert apart(["a", "x"], [], ["a", "x"]) == ([["a", "x"], [], ["a", "x"]], [])

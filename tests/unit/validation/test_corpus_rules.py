"""Every rule of R4 that our types can meet: kept by a legal instance, found when broken."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from hub.errors import Issue
from hub.fhir.validation import EmbeddedValidator, Profiles
from hub.fhir.validation.definitions import Level, Rule
from hub.fhir.validation.natives import NATIVE
from hub.fhir.validation.rule_texts import RULES
from hub.fhir.validation.tables import BaseTables
from tests.unit.validation.instances import PROFILED, minimal
from tests.unit.validation.rule_defects import BEST_PRACTICE, DEFECTS, SAID_OTHERWISE, Case

IMPOSSIBLE: dict[str, str] = {}
"""Rules that no JSON can break, with the reason. There are none among those our types meet."""

TABLES = BaseTables()


@cache
def validator(best_practice: bool) -> EmbeddedValidator:
    return EmbeddedValidator(Profiles(), best_practice=best_practice)


def reachable() -> dict[str, Rule]:
    """The rules of the profiled types and of every data type inside them."""
    found: dict[str, Rule] = {}
    todo, seen = list(PROFILED), set[str]()
    while todo:
        name = todo.pop()
        shape = TABLES.shape(name)
        if name in seen or shape is None:
            continue
        seen.add(name)
        found |= {r.key: r for r in shape.rules}
        for inner, rules in _inside(shape.level):
            found |= {r.key: r for r in rules}
            todo += [n for n in inner if not TABLES.resource(n) and n != "Resource"]
    return found


def _inside(level: Level) -> Iterator[tuple[list[str], tuple[Rule, ...]]]:
    for element in level.elements.values():
        yield [n for t in element.types for n in (t.code, *t.profiles)], element.rules
        if element.own is not None:
            yield from _inside(element.own)


def instances(case: Case) -> tuple[dict[str, Any], dict[str, Any]]:
    kind, good, bad = case
    return minimal(kind, **good), minimal(kind, **bad)


def names(issue: Issue, key: str) -> bool:
    return f"({key})" in issue.text or f" {key} " in issue.text


def test_the_corpus_has_every_rule() -> None:
    # ele-1 is in the tables but no rule to the walk, which finds whatever is empty by itself.
    assert set(DEFECTS) | set(IMPOSSIBLE) == set(reachable()) | {"ele-1"}
    assert len(DEFECTS) == 72


@pytest.mark.parametrize("key", sorted(DEFECTS))
def test_a_legal_instance_keeps_the_rule(key: str) -> None:
    good, _ = instances(DEFECTS[key])
    assert validator(False).check([good]) == []
    assert not any(names(i, key) for i in validator(True).check([good]))


@pytest.mark.parametrize("key", sorted(DEFECTS))
def test_breaking_the_rule_is_found(key: str) -> None:
    _, bad = instances(DEFECTS[key])
    found = validator(key in BEST_PRACTICE).check([bad])
    wanted = "warning" if key in BEST_PRACTICE else "error"
    said = [i for i in found if names(i, key)]
    assert said, found
    if key not in SAID_OTHERWISE:
        assert {i.code for i in said} == {"invariant"}
        assert {i.severity for i in said} == {wanted}
    assert not any(i.code == "exception" for i in found)


@pytest.mark.parametrize("key", sorted(set(DEFECTS) - BEST_PRACTICE - set(SAID_OTHERWISE)))
def test_only_that_rule_is_broken(key: str) -> None:
    """The defect is one."""
    _, bad = instances(DEFECTS[key])
    # What is contained in a contained resource cannot be referred to either.
    same = {"dom-2": "dom-3"}.get(key, key)
    found = validator(False).check([bad])
    assert [i for i in found if not names(i, key) and not names(i, same)] == []


@pytest.mark.parametrize("key", sorted(BEST_PRACTICE))
def test_best_practice_is_said_only_when_asked_for(key: str) -> None:
    _, bad = instances(DEFECTS[key])
    assert validator(False).check([bad]) == []


def test_best_practice_is_what_r4_marks_so() -> None:
    assert {r.key for r in reachable().values() if r.best_practice} == BEST_PRACTICE


def test_an_id_alone_is_no_content() -> None:
    """ele-1 in JSON: an id is not a child, so an element with nothing else has no content."""
    found = validator(False).check([minimal("Patient", name=[{"id": "a"}])])
    assert [(i.code, i.expression) for i in found] == [("structure", "Patient.name[0]")]


def test_native_rules_are_rules_of_r4_that_our_types_meet() -> None:
    assert set(NATIVE) <= set(reachable())


def test_rules_in_this_projects_words_are_rules_of_r4() -> None:
    assert set(RULES) <= set(reachable())
    for english, danish in RULES.values():
        assert english != danish


@pytest.mark.parametrize("key", sorted(set(DEFECTS) - set(NATIVE) - {"ele-1"}))
def test_the_engine_is_needed_for_the_rest(key: str) -> None:
    """Without FHIRPath these pass: the native list says all that is done without it."""
    _, bad = instances(DEFECTS[key])
    quick = EmbeddedValidator(Profiles(), by_fhirpath=False, best_practice=True)
    assert not any(names(i, key) for i in quick.check([bad]))

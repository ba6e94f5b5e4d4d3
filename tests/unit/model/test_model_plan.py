"""The digest of the shared part, the team, attaching, and finding units."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_facts import GP, KOORD_OTHER, KOORD_OWN, PARTIES, PSYK, RUS, SOCIAL

from hub.contract import Identifier, Resource
from hub.fhir import names
from hub.fhir.codec import dump_json, parse_json
from hub.model.attach import Attachment, attach
from hub.model.party import Directory
from hub.model.plan import canonical, digest_of, team
from hub.model.records import Part, Plan
from tests.views import PLAN_1, find_party, resources_of

BUNDLE = json.loads(PLAN_1.read_text(encoding="utf-8"))
RESOURCES = resources_of(BUNDLE)
SHARED_PART = [*RESOURCES.values()]
DIGEST = digest_of(SHARED_PART)
NOT_COUNTED = {"meta", "text", "status"}
"""Of each resource: what servers write, what retells it, and whether it is still in force."""


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value that is neither object nor list."""
    if isinstance(value, dict):
        return [p for k, v in value.items() for p in places(v, (*path, k))]
    if isinstance(value, list):
        return [p for i, v in enumerate(value) for p in places(v, (*path, i))]
    return [path]


COUNTED = [
    p for p in places(SHARED_PART) if p[1] not in NOT_COUNTED and p[1] not in {"resourceType", "id"}
]


def shuffled(value: Any, seed: random.Random) -> Any:
    """Equal content, keys in another order."""
    if isinstance(value, dict):
        keys = [*value]
        seed.shuffle(keys)
        return {k: shuffled(value[k], seed) for k in keys}
    if isinstance(value, list):
        return [shuffled(v, seed) for v in value]
    return value


@settings(max_examples=15)
@given(st.integers(0, 2**32))
def test_order_of_keys_and_of_resources_does_not_matter(seed: int) -> None:
    order = random.Random(seed)
    again = shuffled(SHARED_PART, order)
    order.shuffle(again)
    assert digest_of(again) == DIGEST


@settings(max_examples=40)
@given(st.sampled_from(COUNTED))
def test_any_other_change_matters(place: tuple[Any, ...]) -> None:
    changed = copy.deepcopy(SHARED_PART)
    holder: Any = changed
    for step in place[:-1]:
        holder = holder[step]
    old = holder[place[-1]]
    holder[place[-1]] = (not old) if isinstance(old, bool) else f"{old}x"
    assert digest_of(changed) != DIGEST


@settings(max_examples=25)
@given(st.sampled_from([i for i, r in enumerate(SHARED_PART) if len(r) > 3]), st.data())
def test_what_is_left_out_matters(which: int, data: st.DataObject) -> None:
    changed = copy.deepcopy(SHARED_PART)
    names_of = [k for k in changed[which] if k not in {*NOT_COUNTED, "resourceType", "id"}]
    del changed[which][data.draw(st.sampled_from(names_of))]
    assert digest_of(changed) != DIGEST


@pytest.mark.parametrize("name", ["addresses", "goal", "activity"])
def test_the_order_of_the_lists_matters(name: str) -> None:
    changed = copy.deepcopy(SHARED_PART)
    changed[0][name].reverse()
    assert digest_of(changed) != DIGEST


def test_a_postscript_and_meta_do_not_undo_an_approval() -> None:
    changed = copy.deepcopy(SHARED_PART)
    text = {"url": "text", "valueString": "Efterskrift: aftalt på mødet"}
    changed[0]["extension"].append({"url": names.POSTSCRIPT, "extension": [text]})
    changed[0]["meta"]["versionId"] = "7"
    changed[1]["meta"] = {"lastUpdated": "2026-09-20T10:00:00Z"}
    assert digest_of(changed) == DIGEST


def test_a_number_keeps_its_lexeme() -> None:
    one, two = (parse_json(f'{{"value":{n}}}'.encode()) for n in ("1.0", "1.00"))
    assert canonical(one) != canonical(two)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=12,
    )
)
def test_canonical_json_is_json_and_says_the_same(value: Any) -> None:
    assert json.loads(canonical(value)) == json.loads(dump_json(value))


def test_the_team_is_the_parties_with_all_their_roles() -> None:
    members, strangers = team(RESOURCES, find_party)
    roles = {m.party.id: m.roles for m in members}
    assert roles == {
        RUS: {"lead", "chair", "professional"},
        PSYK: {"professional"},
        SOCIAL: {"professional"},
        KOORD_OWN: {"coordinator"},
        KOORD_OTHER: {"coordinator"},
        GP: {"gp"},
    }
    assert len(strangers) == 2
    assert all(s.startswith("CareTeam/") for s in strangers)


def test_the_citizen_and_relatives_are_no_units() -> None:
    members, _ = team(RESOURCES, find_party)
    assert not any(m.roles & {"citizen", "relative"} for m in members)


# Attaching

OPEN = Plan("p-1", "citizen-1", RUS, "active", 1, 1)
OTHER = Plan("p-2", "citizen-1", PSYK, "active", 1, 1)


def known_part(plan_id: str | None) -> Part:
    return Part("part-1", "citizen-1", plan_id, PSYK, "behandlingsplan", "case", (), None)


@pytest.mark.parametrize(
    ("named", "known", "open_plans", "expected"),
    [
        ("p-2", None, (OPEN, OTHER), Attachment("p-2")),
        ("p-2", known_part("p-1"), (OPEN, OTHER), Attachment("p-2")),
        (None, known_part("p-1"), (OPEN, OTHER), Attachment("p-1")),
        (None, None, (OPEN,), Attachment("p-1")),
        (None, known_part(None), (OPEN,), Attachment("p-1")),
        (None, None, (OPEN, OTHER), Attachment(None, ambiguous=True)),
        (None, known_part(None), (OPEN, OTHER), Attachment(None, ambiguous=True)),
        (None, None, (), Attachment(None)),
        ("p-9", None, (), Attachment(None)),
        ("p-9", None, (OPEN, OTHER), Attachment(None, ambiguous=True)),
    ],
)
def test_a_document_finds_its_plan_or_a_person_is_asked(
    named: str | None,
    known: Part | None,
    open_plans: tuple[Plan, ...],
    expected: Attachment,
) -> None:
    assert attach(named, known, open_plans) == expected


# Finding units

DIRECTORY = Directory(PARTIES.values())


@pytest.mark.parametrize("party_id", [*PARTIES])
def test_each_unit_identifier_finds_its_unit(party_id: str) -> None:
    party = PARTIES[party_id]
    for identifier in party.identifiers:
        found = DIRECTORY.find((identifier,))
        expected = party if identifier.system in names.UNIT_SYSTEMS else None
        assert found == expected
    assert DIRECTORY.find((Identifier(names.LOCAL_UNIT, party_id),)) == party
    assert DIRECTORY.get(party_id) == party


def test_an_organisation_number_finds_nobody_even_if_one_unit_has_it() -> None:
    alone = Directory([PARTIES[PSYK]])
    cvr = Identifier(names.CVR, "99990007")
    assert alone.find((cvr,)) is None
    sor = Identifier(names.SOR, "999000000101")
    assert alone.find((cvr, sor)) == PARTIES[PSYK]


@pytest.mark.parametrize("system", names.GLN_ALIASES)
def test_a_gln_has_several_spellings(system: str) -> None:
    assert DIRECTORY.find((Identifier(system, "5790009900016"),)) == PARTIES[PSYK]


def test_the_right_number_in_the_wrong_system_finds_nobody() -> None:
    assert DIRECTORY.find((Identifier(names.GLN, "999000000101"),)) is None
    assert DIRECTORY.find((Identifier(names.SOR, ""),)) is None
    assert DIRECTORY.find(()) is None
    assert DIRECTORY.get("nobody") is None


def test_the_digest_needs_no_optional_elements() -> None:
    bare: Resource = {"resourceType": "Goal", "id": "g-1"}
    assert digest_of([bare]) == digest_of([dict(bare)])
    assert digest_of([bare]) != digest_of([])

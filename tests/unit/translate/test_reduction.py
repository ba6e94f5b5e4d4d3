"""What may leave: only what its owner marked, only to who is permitted for its section."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hub.contract import Resource
from hub.fhir import names
from hub.fhir.bundles import references
from hub.fhir.extract import extension_value, sections
from hub.fhir.reading import PlanReader
from hub.model.reduction import permitted, shareable
from tests.views import PLAN_1, view_of

SECRET = "hemmeligt"


def _mark(on: bool | None) -> dict[str, Any]:
    if on is None:
        return {}
    return {"extension": [{"url": names.COORDINATION, "valueBoolean": on}]}


def _link(key: str) -> dict[str, str]:
    return {"reference": key}


def sector(
    plan: bool | None, goals: list[bool | None], activities: list[bool | None]
) -> dict[str, Resource]:
    """A sector plan whose every unmarked text holds the word SECRET."""
    word = {True: "til fælles brug", False: SECRET, None: SECRET}
    made: dict[str, Resource] = {
        "Patient/p": {"resourceType": "Patient", "id": "p"},
        "Organization/o": {"resourceType": "Organization", "id": "o", "name": "Centret"},
        "Condition/c": {
            "resourceType": "Condition", "id": "c", "subject": _link("Patient/p"),
            "code": {"text": SECRET},
        },
        "DocumentReference/d": {
            "resourceType": "DocumentReference", "id": "d", "description": SECRET,
        },
    }  # fmt: skip
    if not all(activities):
        role = {"resourceType": "PractitionerRole", "id": "hidden"}
        made["PractitionerRole/hidden"] = role | {"practitioner": {"display": SECRET}}
    for i, on in enumerate(goals):
        made[f"Goal/g{i}"] = {
            "resourceType": "Goal", "id": f"g{i}", "subject": _link("Patient/p"),
            "description": {"text": word[on]}, "addresses": [_link("Condition/c")],
            "text": {"status": "generated", "div": SECRET},
        } | _mark(on)  # fmt: skip
    care_plan: Resource = {
        "resourceType": "CarePlan", "id": "s", "subject": _link("Patient/p"),
        "category": [names.concept(names.SECTOR_KIND, "behandlingsplan")],
        "author": _link("Organization/o"), "title": SECRET, "description": word[plan],
        "text": {"status": "generated", "div": SECRET}, "addresses": [_link("Condition/c")],
        "supportingInfo": [_link("DocumentReference/d")],
        "identifier": [{"system": "https://ehr.test", "value": SECRET}],
    } | _mark(plan)  # fmt: skip
    if goals:
        care_plan["goal"] = [_link(f"Goal/g{i}") for i in range(len(goals))]
    if activities:
        care_plan["activity"] = [
            {
                "id": f"a{i}",
                "detail": {
                    "status": "in-progress",
                    "description": word[on],
                    "goal": [_link(f"Goal/g{j}") for j in range(len(goals))],
                    "performer": [] if on else [_link("PractitionerRole/hidden")],
                },
            }
            | _mark(on)
            for i, on in enumerate(activities)
        ]
    return {"CarePlan/s": care_plan} | made


_MARKS = st.lists(st.sampled_from([True, False, None]), max_size=4)


@given(st.sampled_from([True, False, None]), _MARKS, _MARKS)
def test_nothing_unmarked_leaves(
    plan: bool | None, goals: list[bool | None], activities: list[bool | None]
) -> None:
    whole = sector(plan, goals, activities)
    before = copy.deepcopy(whole)
    kept, losses = shareable(whole, lambda _: False)
    assert whole == before
    assert SECRET not in json.dumps(kept, ensure_ascii=False)
    assert all(r in kept for x in kept.values() for _, r in references(x, ""))
    lost = {x.path for x in losses}
    if plan is not True and True not in [*goals, *activities]:
        assert "CarePlan/s" not in kept
        assert "CarePlan/s" in lost
        return
    assert {f"Goal/g{i}" for i, on in enumerate(goals) if on} == {k for k in kept if "Goal" in k}
    assert {f"Goal/g{i}" for i, on in enumerate(goals) if not on} <= lost
    hidden = {f"CarePlan/s#activity.a{i}" for i, on in enumerate(activities) if not on}
    assert hidden == {p for p in lost if "#activity" in p}
    assert ("description" in kept["CarePlan/s"]) is (plan is True)
    assert {"Condition/c", "DocumentReference/d"} <= lost


@given(_MARKS, _MARKS)
def test_the_owner_sees_everything(goals: list[bool | None], activities: list[bool | None]) -> None:
    whole = sector(None, goals, activities)
    assert shareable(whole, lambda _: True) == (whole, ())


def test_the_shared_part_is_untouched_by_coordination() -> None:
    shared = dict(view_of(PLAN_1).resources)
    plan_key = next(iter(shared))
    own = sector(False, [False], [True])
    own["CarePlan/s"]["partOf"] = [_link(plan_key)]
    kept, _ = shareable(shared | own, lambda _: False)
    assert {k: kept[k] for k in shared} == shared
    assert "Goal/g0" not in kept
    assert len(kept["CarePlan/s"]["activity"]) == 1


def test_a_goal_that_the_shared_part_has_too_stays() -> None:
    whole = sector(True, [None], [])
    shared = dict(view_of(PLAN_1).resources)
    plan_key = next(iter(shared))
    shared[plan_key] = shared[plan_key] | {"goal": [_link("Goal/g0")]}
    kept, _ = shareable(shared | whole, lambda _: False)
    assert "Goal/g0" in kept
    assert kept["CarePlan/s"]["goal"] == [_link("Goal/g0")]


def ranks(plan: Resource) -> list[list[Any]]:
    lists = (plan.get(name, []) for name in ("addresses", "goal", "activity"))
    return [[extension_value(item, names.RANK) for item in items] for items in lists]


def test_no_rank_tells_that_something_is_left_out() -> None:
    whole = view_of(PLAN_1).resources
    plan = next(k for k, r in whole.items() if r["resourceType"] == "CarePlan")
    first = {s for items in ("goal", "activity") for s in sections_of_first(whole, plan, items)}
    kept, _ = permitted(whole, lambda item: not set(sections(item)) & first)
    before, after = ranks(whole[plan]), ranks(kept[plan])
    assert [len(x) for x in after] != [len(x) for x in before]
    assert all(sorted(x) == list(range(1, len(x) + 1)) for x in after), after
    # Nothing is left out, and nothing is touched.
    assert permitted(whole, lambda _: True)[0][plan].get("goal") == whole[plan]["goal"]


def sections_of_first(whole: Mapping[str, Resource], plan: str, name: str) -> tuple[str, ...]:
    item = whole[plan][name][0]
    return sections(whole.get(item.get("reference", ""), item))


@given(st.sets(st.sampled_from(names.SECTIONS)))
def test_only_permitted_sections_are_seen(allowed: set[str]) -> None:
    """Unlabelled items go only to a receiver permitted for everything."""

    def may_see(item: Any) -> bool:
        return set(sections(item) or names.SECTIONS) <= allowed

    whole = view_of(PLAN_1).resources
    kept, losses = permitted(whole, may_see)
    reader = PlanReader(kept)
    items = [
        *reader.goals(), *reader.challenges(), *reader.interventions(), *reader.status_notes(),
    ]  # fmt: skip
    assert all(set(i.sections or names.SECTIONS) <= allowed for i in items)
    everything = PlanReader(whole)
    total = sum(
        len(x)
        for x in (
            everything.goals(), everything.challenges(), everything.interventions(),
            everything.status_notes(),
        )
    )  # fmt: skip
    assert len(items) + len(losses) == total
    assert all(r in kept for x in kept.values() for _, r in references(x, ""))
    assert reader.contacts() == everything.contacts()
    if allowed == set(names.SECTIONS):
        assert kept == whole

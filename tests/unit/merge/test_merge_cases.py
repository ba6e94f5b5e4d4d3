"""Cases of merging that a person would ask about."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest

from hub.fhir import names
from hub.model.hidden import patched
from hub.model.matching import recognised
from hub.model.merge import merge, one_lead, restored
from hub.model.order import merged_order
from hub.model.pieces import joined, split
from tests.unit.merge.merge_plans import PLAN, Shared, taken
from tests.views import PLAN_1, view_of


def _link(reference: str, rank: int) -> dict[str, Any]:
    return {"extension": [{"url": names.RANK, "valuePositiveInt": rank}], "reference": reference}


@pytest.fixture
def plan() -> Shared:
    goals = {f"Goal/g{i}": _goal(f"g{i}", f"Mål {i}") for i in (1, 2, 3)}
    team = {
        "resourceType": "CareTeam", "id": "t",
        "participant": [
            {"role": [names.concept(names.ROLE, "lead")], "member": {"reference": "Role/r1"}},
            {"role": [names.concept(names.ROLE, "gp")], "member": {"reference": "Role/r2"}},
        ],
    }  # fmt: skip
    care_plan = {
        "resourceType": "CarePlan", "id": "p", "title": "Plan",
        "author": {"reference": "Role/r1"}, "careTeam": [{"reference": "CareTeam/t"}],
        "goal": [_link(f"Goal/g{i}", i) for i in (1, 2, 3)],
        "activity": [
            {"id": "a1", "detail": {"status": "unknown", "goal": [{"reference": "Goal/g3"}]}}
        ],
    }  # fmt: skip
    roles = {f"Role/r{i}": {"resourceType": "Role", "id": f"r{i}"} for i in (1, 2)}
    return {PLAN: care_plan, **goals, "CareTeam/t": team, **roles}


def _goal(own: str, text: str) -> dict[str, Any]:
    return {"resourceType": "Goal", "id": own, "description": {"text": text}}


def _conflicts(base: Shared, theirs: Shared, current: Shared) -> set[str]:
    return {c.piece for c in merge(taken(base), taken(theirs), taken(current)).conflicts}


def _saying(plan: Shared, text: str) -> Shared:
    return plan | {"Goal/g1": _goal("g1", text)}


def test_the_same_goal_by_two_is_a_conflict_and_the_current_text_stands(plan: Shared) -> None:
    merged = merge(taken(plan), taken(_saying(plan, "A")), taken(_saying(plan, "B")))
    (conflict,) = merged.conflicts
    texts = [
        v["resource"]["description"]["text"]
        for v in (conflict.base, conflict.theirs, conflict.current)
    ]
    assert (conflict.piece, texts) == ("goal/g1", ["Mål 1", "A", "B"])
    assert joined(merged.pieces) == _saying(plan, "B")


def test_the_same_words_by_two_are_no_conflict(plan: Shared) -> None:
    merged = merge(taken(plan), taken(_saying(plan, "A")), taken(_saying(plan, "A")))
    assert (merged.conflicts, joined(merged.pieces)) == ((), _saying(plan, "A"))


def _without(plan: Shared, goal: str) -> Shared:
    made = {k: v for k, v in copy.deepcopy(plan).items() if k != goal}
    made[PLAN]["goal"] = [g for g in made[PLAN]["goal"] if g["reference"] != goal]
    return made


def test_one_removes_what_the_other_changes(plan: Shared) -> None:
    removed, changed = _without(plan, "Goal/g1"), _saying(plan, "B")
    assert _conflicts(plan, removed, changed) == {"goal/g1"}
    assert _conflicts(plan, changed, removed) == {"goal/g1"}


def test_one_removes_what_the_other_now_refers_to(plan: Shared) -> None:
    removed = _without(plan, "Goal/g1")
    referring = copy.deepcopy(plan)
    referring[PLAN]["activity"][0]["detail"]["goal"].append({"reference": "Goal/g1"})
    merged = merge(taken(plan), taken(removed), taken(referring))
    assert [c.piece for c in merged.conflicts] == ["goal/g1"]
    assert joined(merged.pieces) == referring
    merged = merge(taken(plan), taken(referring), taken(removed))
    assert [c.piece for c in merged.conflicts] == ["intervention/a1"]
    assert joined(merged.pieces) == removed


def _led_by(plan: Shared, who: str) -> Shared:
    made = copy.deepcopy(plan)
    made[PLAN]["author"] = {"reference": who}
    for one in made["CareTeam/t"]["participant"]:
        if one["member"]["reference"] == who:
            one["role"] = [names.concept(names.ROLE, "lead")]
        elif "'lead'" in str(one):
            one["role"] = [names.concept(names.ROLE, "professional")]
    return made


def test_there_is_one_lead_after_merging(plan: Shared) -> None:
    plan = copy.deepcopy(plan)
    plan["Role/r3"] = {"resourceType": "Role", "id": "r3"}
    third = {"role": [names.concept(names.ROLE, "gp")], "member": {"reference": "Role/r3"}}
    plan["CareTeam/t"]["participant"].append(third)
    merged = merge(taken(plan), taken(_led_by(plan, "Role/r2")), taken(_led_by(plan, "Role/r3")))
    assert one_lead(merged.pieces)
    assert joined(merged.pieces) == _led_by(plan, "Role/r3")
    assert "plan/author" in {c.piece for c in merged.conflicts}


def test_together_they_do_not_empty_a_list(plan: Shared) -> None:
    first = _without(_without(plan, "Goal/g1"), "Goal/g2")
    second = copy.deepcopy(_without(plan, "Goal/g3"))
    second[PLAN]["activity"][0]["detail"].pop("goal")
    found = joined(merge(taken(plan), taken(first), taken(second)).pieces)
    assert found[PLAN]["goal"]


def _places(*keys: str) -> list[tuple[str, int | None]]:
    return [(k, i) for i, k in enumerate(keys, 1)]


@pytest.mark.parametrize(
    ("base", "theirs", "current", "expected", "conflict"),
    [
        ("abc", "cab", "abc", "cab", False),
        ("abc", "abc", "cab", "cab", False),
        ("abc", "cab", "cab", "cab", False),
        ("abc", "cab", "bac", "bac", True),
        ("abc", "abcx", "abcy", "abcyx", False),
        ("abc", "xabc", "yabc", "yxabc", False),
        ("abc", "axbc", "cab", "caxb", False),
        ("abc", "cab", "abyc", "caby", False),
        ("abc", "ac", "abc", "ac", False),
    ],
)
def test_orders(base: str, theirs: str, current: str, expected: str, conflict: bool) -> None:
    alive = {k for k in {*base, *theirs, *current} if not (k in base and k not in theirs)}
    b, t, c = (_places(*x) for x in (base, theirs, current))
    found, both = merged_order(b, t, c, alive)
    assert ("".join(k for k, _ in found), both) == (expected, conflict)
    assert [r for _, r in found] == list(range(1, len(found) + 1)) or expected == "ac"


def test_ranks_that_still_say_the_order_are_kept() -> None:
    tens = [("a", 10), ("b", 20), ("c", 30)]
    found, _ = merged_order(tens, [*tens, ("x", 40)], [("a", 5), *tens[1:]], set("abcx"))
    assert found == (("a", 5), ("b", 20), ("c", 30), ("x", 40))


def test_a_member_that_was_hidden_stays() -> None:
    whole = {"text": "Ja", "goal": [{"reference": "1"}, {"reference": "2"}], "note": "x"}
    seen = {"text": "Ja", "goal": [{"reference": "2"}]}
    assert patched(seen, seen | {"text": "Nej"}, whole) == whole | {"text": "Nej"}
    assert (
        patched(seen, {"text": "Ja"}, whole)
        == {"text": "Ja", "note": "x"} | {"goal": [{"reference": "1"}]}
        or patched(seen, {"text": "Ja"}, whole)["note"] == "x"
    )


def test_what_was_hidden_in_a_list_that_was_changed_stays() -> None:
    one, two, three, four = ({"n": i} for i in range(1, 5))
    assert patched([two], [three, four], [one, two]) == [one, three, four]
    assert patched([one], [one, three], [one, two]) == [one, two, three]


def test_inside_of_what_was_changed_the_hidden_stays_too() -> None:
    whole = {"list": [{"who": "Mette", "role": {"reference": "r"}}, {"who": "Bo"}]}
    seen = {"list": [{"who": "Mette"}, {"who": "Bo"}]}
    sent = {"list": [{"who": "Mette P."}, {"who": "Bo"}]}
    assert patched(seen, sent, whole) == {
        "list": [{"who": "Mette P.", "role": {"reference": "r"}}, {"who": "Bo"}]
    }


def test_what_a_format_adds_by_itself_is_no_change() -> None:
    given = {"status": "active", "text": "Ja"}
    assert patched(given, given, {"text": "Ja"}) == {"text": "Ja"}
    assert patched(given, given | {"text": "Nej"}, {"text": "Ja"}) == {"text": "Nej"}


def test_an_item_without_a_hub_id_is_known_by_its_exact_text() -> None:
    base = dict(view_of(PLAN_1).resources)
    old = next(iter(base))
    plan = {k: v for k, v in base.items() if not k.startswith("Consent/")}
    renamed, names_ = _renamed(plan)
    found = recognised(renamed, names_[old], plan, old)
    assert found == plan
    again = restored(*(_pieces(x, old) for x in (plan, found, plan)), complete=True, ordered=True)
    assert joined(again) == plan


def test_other_text_is_another_item(plan: Shared) -> None:
    sent = {("Goal/new" if k == "Goal/g1" else k): v for k, v in plan.items()}
    sent["Goal/new"] = _goal("new", "Mål 1 ")
    assert "Goal/new" in recognised(sent, PLAN, plan, PLAN)
    sent["Goal/new"] = _goal("new", "Mål 1")
    assert recognised(sent, PLAN, plan, PLAN)["Goal/g1"] == plan["Goal/g1"]


def _pieces(resources: Shared, plan: str) -> Any:
    return split(resources, plan)


def _renamed(plan: Shared) -> tuple[Shared, dict[str, str]]:
    """Every id another one, interventions too."""
    new = {k: f"{k.partition('/')[0]}/x{i}" for i, k in enumerate(plan)}

    def told(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                k: new.get(v, v) if k == "reference" and isinstance(v, str) else told(v)
                for k, v in value.items()
            }
        return [told(v) for v in value] if isinstance(value, list) else value

    made = {new[k]: told(r) | {"id": new[k].partition("/")[2]} for k, r in plan.items()}
    root = made[new[next(iter(plan))]]
    for i, activity in enumerate(root["activity"]):
        activity["id"] = f"egen-{i}"
    return made, new


def test_another_lexeme_is_another_value(plan: Shared) -> None:
    measured = {x: {**_goal("g1", "Mål 1"), "value": Decimal(x)} for x in ("1.5", "1.50")}
    one, other = (plan | {"Goal/g1": goal} for goal in measured.values())
    merged = merge(taken(one), taken(other), taken(one))
    assert str(joined(merged.pieces)["Goal/g1"]["value"]) == "1.50"
    assert str(patched([Decimal("1.5")], [Decimal("1.50")], [Decimal("1.5")])[0]) == "1.50"
    assert _conflicts(plan, one, other) == {"goal/g1"}

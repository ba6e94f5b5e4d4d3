"""The citizen's decision, and what it holds back from whom."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_facts import DAY, GP, KOORD_OTHER, NOW

from hub.errors import Invalid
from hub.fhir import names
from hub.fhir.decided import pointing_at
from hub.model.approval import Answer, Approval, Condition, gate, latest, read_approval, target
from tests.views import EXAMPLES

A, B = "digest-a", "digest-b"
ROLES = frozenset({"gp"})
PLAN = "53abeb7a-5abe-563e-bc73-83932e171b73"


def approval(
    decision: Answer = "yes", *conditions: Condition, digest: str = A, day: int = 0
) -> Approval:
    return Approval(f"a-{day}", PLAN, 1, digest, decision, "written", conditions, NOW + day * DAY)


def is_open(*approvals: Approval, digest: str = A, party: str = GP) -> bool:
    return gate(approvals, digest, party=party, roles=ROLES).open


def test_nothing_is_open_before_a_decision() -> None:
    assert not is_open()


@pytest.mark.parametrize(
    ("decision", "opens"), [("yes", True), ("no", False), ("undecided", False)]
)
def test_only_a_yes_opens(decision: Answer, opens: bool) -> None:
    assert is_open(approval(decision)) is opens


def test_a_decision_is_about_one_shared_part() -> None:
    assert not is_open(approval("yes", digest=B))


@given(st.permutations(range(3)))
def test_the_last_word_counts_whatever_the_order_they_are_read_in(order: list[int]) -> None:
    made = [approval("yes", day=0), approval("no", day=1), approval("yes", day=2)]
    assert is_open(*(made[i] for i in order))
    assert not is_open(*(made[i] for i in order if i != 2))


def test_of_two_at_one_moment_the_one_registered_last_counts() -> None:
    yes, no = approval("yes"), approval("no")
    assert latest((yes, no), A) is no
    assert not is_open(yes, no)


@pytest.mark.parametrize("held", ["gp", GP])
def test_an_unmet_condition_holds_back_the_role_or_the_unit_it_names(held: str) -> None:
    assert not is_open(approval("yes", Condition(held, met=False)))
    assert is_open(approval("yes", Condition(held, met=True)))


def test_a_condition_holds_back_nobody_else() -> None:
    assert is_open(approval("yes", Condition(KOORD_OTHER, met=False)))


def test_every_condition_must_be_met() -> None:
    both = (Condition("gp", met=True), Condition(GP, met=False))
    assert not is_open(approval("yes", *both))


@given(st.lists(st.builds(Condition, st.sampled_from(["gp", GP, "relative"]), st.booleans())))
def test_one_more_condition_never_opens(conditions: list[Condition]) -> None:
    more = is_open(approval("yes", *conditions, Condition("gp", met=False)))
    assert not more


def form(**changes: Any) -> dict[str, Any]:
    resource = json.loads((EXAMPLES / "approval-1.json").read_text(encoding="utf-8"))
    made: dict[str, Any] = (
        resource | {"id": "a-1", "provision": pointing_at(f"CarePlan/{PLAN}/_history/3")} | changes
    )
    return made


def extension(name: str, code: str) -> dict[str, str]:
    return {"url": names.extension(name), "valueCode": code}


def test_the_form_becomes_facts() -> None:
    found = read_approval(form(), digest=A, at=NOW)
    assert (found.plan_id, found.version, found.digest, found.decision, found.mode) == (
        PLAN, 3, A, "yes", "written",
    )  # fmt: skip


def test_conditions_are_read_with_what_they_hold_back_and_whether_they_are_met() -> None:
    url = names.extension("condition")
    text = {"url": "text", "valueString": "Lægen får den efter næste samtale"}
    held = {"url": "holds-back", "valueCode": KOORD_OTHER}
    met = {"url": "met", "valueDateTime": "2026-09-19T09:00:00+02:00"}
    resource = form()
    resource["extension"] += [
        {"url": url, "extension": [text]},
        {"url": url, "extension": [text, held, met]},
    ]
    found = read_approval(resource, digest=A, at=NOW)
    assert found.conditions == (Condition("gp", met=False), Condition(KOORD_OTHER, met=True))


def test_all_that_is_missing_is_said_at_once() -> None:
    with pytest.raises(Invalid) as caught:
        read_approval(form(extension=[extension("decision", "perhaps")]), digest=A, at=NOW)
    assert {i.expression for i in caught.value.issues} == {
        "Consent.extension(decision)",
        "Consent.extension(mode)",
    }


@pytest.mark.parametrize(
    "reference",
    [
        "",
        f"CarePlan/{PLAN}",
        f"CarePlan/{PLAN}/_history/",
        f"CarePlan/{PLAN}/_history/²",
        f"CarePlan/{PLAN}/versions/1",
        f"Goal/{PLAN}/_history/1",
    ],
)
def test_a_decision_points_at_one_version(reference: str) -> None:
    with pytest.raises(Invalid):
        target({"provision": pointing_at(reference)})


def test_an_absolute_reference_is_as_good() -> None:
    reference = f"https://ki-hub.example/fhir/CarePlan/{PLAN}/_history/12"
    assert target({"provision": pointing_at(reference)}) == (PLAN, 12)

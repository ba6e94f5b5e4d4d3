"""What the store promises, on SQLite and on PostgreSQL: who sees which proposal."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hub.model.party import SYSTEM, Viewer
from hub.model.records import Part, PlanVersion, Proposal
from hub.store.work import Store
from tests.contract.store_cases import (
    CITIZEN_1,
    HOUR,
    NOW,
    PSYK,
    RUS,
    SOCIAL,
    access,
    committed,
    plan,
)


def proposal(name: str = "p-1", **changes: Any) -> Proposal:
    made = Proposal(
        id=name, plan_id="plan-1", part_id="plan-1", piece="goal/g", kind="proposal", author=PSYK,
        decider=RUS, version=3, base={"list": "goal"}, theirs=None, state="open", created_at=NOW,
    )  # fmt: skip
    return replace(made, **changes)


def founded(store: Store, *made: Proposal) -> None:
    with committed(store) as work:
        work.plans.add(plan(), NOW)
        work.plans.save_part(Part("plan-1", CITIZEN_1, "plan-1", RUS, "shared", "c", (), None), NOW)
        work.plans.save_part(Part("own", CITIZEN_1, "plan-1", SOCIAL, "vum", "c", (), None), NOW)
        rows = [access(p, NOW - HOUR, NOW + HOUR) for p in (RUS, PSYK, SOCIAL)]
        work.plans.set_access("plan-1", rows)
        for one in made:
            work.proposals.add(one)


@pytest.mark.parametrize(
    ("changes", "seen_by"),
    [
        ({}, {RUS, PSYK}),
        ({"actor": SOCIAL}, {RUS, PSYK, SOCIAL}),
        ({"part_id": "own"}, {PSYK, SOCIAL}),
        ({"author": RUS}, {RUS}),
    ],
)
def test_those_it_concerns_see_it_while_they_may_know_of_the_plan(
    store: Store, changes: dict[str, Any], seen_by: set[str]
) -> None:
    founded(store, proposal(**changes))
    with store.reading() as work:
        for party in (RUS, PSYK, SOCIAL):
            viewer = Viewer("party", party)
            for at, there in ((NOW, party in seen_by), (NOW + 2 * HOUR, False)):
                assert (work.proposals.get("p-1", viewer, at) is not None) == there
                assert bool(work.proposals.listing(viewer, at)) == there
                assert bool(work.proposals.listing(viewer, at, plan_id="another")) is False


@pytest.mark.parametrize(
    "value",
    [None, "Titel", ["a", "b"], {"resource": {"resourceType": "Goal", "id": "g"}}, True, [], ""],
)
def test_a_proposal_comes_back_as_it_was(store: Store, value: Any) -> None:
    kept = proposal(
        base=value, theirs=value, carried={"Organization/o": {"resourceType": "Organization"}},
        base_version=2, inbox_id="i", actor=SOCIAL,
    )  # fmt: skip
    founded(store, kept)
    with store.reading() as work:
        assert work.proposals.get("p-1", SYSTEM, NOW) == kept
        other = work.proposals.of_piece("plan-1", PSYK, "goal/g")
        assert other == [kept]
        assert work.proposals.of_piece("plan-1", RUS, "goal/g") == []


def test_what_is_decided_says_by_whom_and_why(store: Store) -> None:
    founded(store, proposal(), proposal("p-2", created_at=NOW + HOUR))
    with committed(store) as work:
        work.proposals.close("p-1", "rejected", "rus: Mette", NOW, "Aftalt")
    with store.reading() as work:
        found = work.proposals.get("p-1", SYSTEM, NOW)
        assert found is not None
        assert (found.state, found.decided_by, found.decided_at, found.reason) == (
            "rejected", "rus: Mette", NOW, "Aftalt"
        )  # fmt: skip
        assert [p.id for p in work.proposals.listing(SYSTEM, NOW, state="open")] == ["p-2"]
        assert [p.id for p in work.proposals.listing(SYSTEM, NOW)] == ["p-2", "p-1"]


def test_a_version_says_what_it_was_written_on(store: Store) -> None:
    founded(store)
    with committed(store) as work:
        for number, base in ((1, None), (2, 1)):
            version = PlanVersion("plan-1", number, {}, "d", RUS, NOW, base)
            work.plans.add_version(version, None)
    with store.reading() as work:
        assert [v.written_on for v in work.plans.versions("plan-1")] == [None, 1]

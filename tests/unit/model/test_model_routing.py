"""Who must get what, who must not, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_facts import (
    DAY,
    GP,
    KOORD_OTHER,
    KOORD_OWN,
    NOW,
    PARTIES,
    PSYK,
    RUS,
    SOCIAL,
    UNITS,
    consent,
    consents,
    deny,
    party,
    permit,
)

from hub.model.agreement import GATED
from hub.model.approval import Answer, Approval, Condition
from hub.model.party import CITIZEN
from hub.model.plan import Member
from hub.model.routing import (
    PlanFacts,
    Route,
    Version,
    basis_for,
    forwarders,
    purpose_for,
    route,
)

V1, V2, V3 = Version(1, "a"), Version(2, "b"), Version(3, "b")
TEAM = {
    RUS: {"lead", "chair"},
    PSYK: {"professional"},
    SOCIAL: {"professional"},
    KOORD_OWN: {"coordinator"},
    KOORD_OTHER: {"coordinator"},
    GP: {"gp"},
}
EVERYONE = consent(*(permit(p) for p in UNITS))


def member(party_id: str, *roles: str) -> Member:
    return Member(party(party_id), frozenset(roles or TEAM[party_id]))


BASE = PlanFacts(
    versions=(V1,),
    lead=RUS,
    members=tuple(member(p) for p in TEAM),
    consents=(EVERYONE,),
    approvals=(),
    forwarded=frozenset(),
    settled={},
    now=NOW,
)


def approval(decision: Answer, digest: str, *conditions: Condition, day: int = 0) -> Approval:
    at = NOW - 2 * DAY + day * DAY
    return Approval(f"a-{day}", "p", 1, digest, decision, "written", conditions, at)


def routes(facts: PlanFacts, receiver: str) -> list[tuple[int, str]]:
    return [(r.version, r.verdict) for r in route(facts) if r.receiver == receiver]


def only(facts: PlanFacts, receiver: str) -> Route:
    (found,) = [r for r in route(facts) if r.receiver == receiver]
    return found


def test_the_citizen_comes_first_by_own_right() -> None:
    first = route(BASE)[0]
    assert (first.receiver, first.verdict, first.basis) == (CITIZEN, "send", "own-right")
    assert route(replace(BASE, consents=()))[0].verdict == "send"


def test_who_takes_part_gets_the_newest_version_without_approval() -> None:
    facts = replace(BASE, versions=(V1, V2))
    for unit in (RUS, PSYK, SOCIAL):
        found = only(facts, unit)
        assert (found.version, found.verdict, found.basis) == (2, "send", "consent/c-1")


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ((V1,), 1),
        ((V1, V2), 2),
        ((V1, V2, V3), 2),
        ((V1, V2, Version(3, "a")), 3),
        ((V1, Version(2, "a"), V3), 3),
    ],
)
def test_the_citizen_s_copy_is_of_the_first_version_with_the_shared_part_in_force(
    versions: tuple[Version, ...], expected: int
) -> None:
    assert only(replace(BASE, versions=versions), CITIZEN).version == expected


# The coordinators


def test_the_plan_goes_to_the_lead_s_own_coordinator_who_forwards_it() -> None:
    assert only(BASE, KOORD_OWN).verdict == "send"
    waiting = only(BASE, KOORD_OTHER)
    assert (waiting.verdict, waiting.task, waiting.task_for) == ("block", "forward", KOORD_OWN)
    done = replace(BASE, forwarded=frozenset({KOORD_OTHER}))
    assert only(done, KOORD_OTHER).verdict == "send"


def test_whose_coordinator_is_the_own_one_follows_the_lead() -> None:
    facts = replace(BASE, lead=PSYK)
    assert only(facts, KOORD_OTHER).verdict == "send"
    assert (only(facts, KOORD_OWN).verdict, only(facts, KOORD_OWN).task_for) == (
        "block",
        KOORD_OTHER,
    )


def test_without_an_own_coordinator_the_lead_forwards() -> None:
    facts = replace(BASE, members=tuple(m for m in BASE.members if m.party.id != KOORD_OWN))
    assert only(facts, KOORD_OTHER).task_for == RUS
    assert forwarders(facts) == {RUS}
    assert forwarders(BASE) == {KOORD_OWN}


def test_a_coordinator_that_also_treats_the_citizen_needs_no_hop() -> None:
    both = member(KOORD_OTHER, "coordinator", "professional")
    facts = replace(BASE, members=(member(RUS), both))
    assert only(facts, KOORD_OTHER).verdict == "send"


# The gate


def test_the_gp_waits_for_the_citizen_s_approval() -> None:
    waiting = only(BASE, GP)
    assert (waiting.verdict, waiting.task, waiting.task_for) == ("block", "approve", RUS)
    approved = replace(BASE, approvals=(approval("yes", "a"),))
    assert routes(approved, GP) == [(1, "send")]


def test_the_gp_keeps_the_newest_version_that_the_gate_admits() -> None:
    facts = replace(BASE, versions=(V1, V2), approvals=(approval("yes", "a"),))
    assert routes(facts, GP) == [(1, "send"), (2, "block")]
    sector_only = replace(BASE, versions=(V1, Version(2, "a")), approvals=(approval("yes", "a"),))
    assert routes(sector_only, GP) == [(2, "send")]


def test_a_condition_holds_the_gp_back_until_it_is_met() -> None:
    unmet = approval("yes", "a", Condition("gp", met=False))
    assert routes(replace(BASE, approvals=(unmet,)), GP) == [(1, "block")]
    met = approval("yes", "a", Condition("gp", met=True), day=1)
    assert routes(replace(BASE, approvals=(unmet, met)), GP) == [(1, "send")]


def test_a_gp_that_takes_part_waits_for_nobody() -> None:
    facts = replace(BASE, members=(member(RUS), member(GP, "gp", "professional")))
    assert only(facts, GP).verdict == "send"
    assert purpose_for(frozenset({"gp", "professional"})) == "exchange"
    assert purpose_for(frozenset({"gp", "receiver"})) == "copy-to-gp"


def test_a_unit_without_a_role_waits_too() -> None:
    facts = replace(BASE, members=(member(RUS), Member(party(SOCIAL), frozenset())))
    assert only(facts, SOCIAL).verdict == "block"


def test_a_no_stops_everyone_but_the_lead_and_the_coordinators() -> None:
    facts = replace(BASE, approvals=(approval("no", "a"),))
    verdicts = {r.receiver: r.verdict for r in route(facts)}
    assert verdicts == {
        CITIZEN: "send", RUS: "send", KOORD_OWN: "send",
        PSYK: "block", SOCIAL: "block", GP: "block", KOORD_OTHER: "block",
    }  # fmt: skip


def test_a_no_is_about_the_version_it_was_said_of() -> None:
    facts = replace(BASE, versions=(V1, V2), approvals=(approval("no", "a"),))
    assert only(facts, PSYK).verdict == "send"


# What a person settled


def test_a_no_to_the_newest_version_leaves_the_one_before_it() -> None:
    facts = replace(BASE, versions=(V1, V2), approvals=(approval("no", "b"),))
    assert routes(facts, PSYK) == [(1, "send"), (2, "block")]
    both = replace(facts, approvals=(approval("no", "a"), approval("no", "b")))
    assert routes(both, PSYK) == [(2, "block")]


def test_what_a_person_decided_not_to_send_is_not_routed_again() -> None:
    facts = replace(
        BASE,
        versions=(V2, V3),
        approvals=(approval("no", "b"),),
        settled={PSYK: frozenset({"b"}), GP: frozenset({"b"}), KOORD_OTHER: frozenset({"b"})},
    )
    assert [routes(facts, p) for p in (PSYK, GP, KOORD_OTHER)] == [[], [], []]
    assert routes(facts, SOCIAL) == [(3, "block")]


def test_a_new_shared_part_is_a_new_question() -> None:
    facts = replace(BASE, versions=(V1, V2), settled={p: frozenset({"a"}) for p in TEAM})
    assert routes(facts, PSYK) == [(2, "send")]
    assert routes(facts, GP) == [(2, "block")]


# Consent


def test_a_denied_unit_is_never_routed() -> None:
    facts = replace(BASE, consents=(EVERYONE, consent(deny(PSYK), deny(GP), name="no")))
    for unit in (PSYK, GP):
        found = only(facts, unit)
        assert (found.verdict, found.task, found.task_for) == ("deny", "consent", RUS)
    assert only(facts, SOCIAL).verdict == "send"


def test_the_lead_too_needs_the_citizen_s_consent() -> None:
    assert only(replace(BASE, consents=(consent(permit(PSYK)),)), RUS).verdict == "deny"


ROLES = st.sets(
    st.sampled_from(["lead", "professional", "coordinator", "gp", "receiver", "relative"])
).map(frozenset)
DIGESTS = st.sampled_from(["a", "b"])
UNIT_OF_TEAM = st.sampled_from(UNITS[:4])


@st.composite
def facts(draw: st.DrawFn) -> PlanFacts:
    """Any plan: team, consents, decisions and versions at will."""
    count = draw(st.integers(1, 4))
    return PlanFacts(
        versions=tuple(Version(i + 1, draw(DIGESTS)) for i in range(count)),
        lead=draw(st.sampled_from(UNITS)),
        members=tuple(Member(PARTIES[p], draw(ROLES)) for p in draw(st.sets(UNIT_OF_TEAM))),
        consents=tuple(draw(st.lists(consents(), max_size=4))),
        approvals=tuple(
            approval(draw(st.sampled_from(["yes", "no", "undecided"])), draw(DIGESTS), day=i)
            for i in range(draw(st.integers(0, 2)))
        ),
        forwarded=frozenset(draw(st.sets(UNIT_OF_TEAM))),
        settled=draw(st.dictionaries(UNIT_OF_TEAM, st.frozensets(DIGESTS), max_size=2)),
        now=draw(st.integers(-48, 48).map(lambda h: NOW + h * DAY / 24)),
    )


@given(facts())
def test_without_consent_nothing_is_ever_sent_or_kept_ready(plan: PlanFacts) -> None:
    basis = {m.party.id: basis_for(plan.consents, m, plan.now).permit for m in plan.members}
    for found in route(plan):
        if found.receiver == CITIZEN:
            continue
        assert (found.verdict == "deny") == (not basis[found.receiver])
        assert bool(found.basis) == basis[found.receiver]


@given(facts())
def test_every_answer_is_reasoned_and_about_a_version_of_the_plan(plan: PlanFacts) -> None:
    found = route(plan)
    assert found[0].receiver == CITIZEN
    assert {r.receiver for r in found[1:]} <= {m.party.id for m in plan.members}
    for one in found:
        assert one.version in {v.number for v in plan.versions}
        assert one.reason
        assert one.verdict == "send" or (one.task and one.task_for)


@given(facts())
def test_a_gated_unit_only_ever_gets_an_approved_shared_part(plan: PlanFacts) -> None:
    gated = {m.party.id for m in plan.members if m.roles <= GATED}
    digests = {v.number: v.digest for v in plan.versions}
    for found in route(plan):
        if found.receiver in gated and found.verdict == "send":
            said = [a for a in plan.approvals if a.digest == digests[found.version]]
            assert said
            assert max(said, key=lambda a: a.at).decision == "yes"


@given(facts())
def test_a_settled_shared_part_is_never_routed_again(plan: PlanFacts) -> None:
    digests = {v.number: v.digest for v in plan.versions}
    for found in route(plan):
        if found.receiver != CITIZEN and found.verdict != "deny":
            assert digests[found.version] not in plan.settled.get(found.receiver, frozenset())


def test_nothing_is_released_by_time() -> None:
    late: datetime = NOW + 20 * DAY
    assert only(replace(BASE, now=late), GP).verdict == "block"
    assert only(replace(BASE, now=late), KOORD_OTHER).verdict == "block"

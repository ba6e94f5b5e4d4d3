"""What an operator may do with a delivery, over every state and whatever surrounds it."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_facts import NOW

from hub.fhir.language import said
from hub.model import operate
from hub.model.delivery import FINAL, State, may_move, may_reopen
from hub.model.operate import ACTS, Act, Standing, objection
from hub.model.party import CITIZEN
from hub.model.records import Delivery

DELIVERY = Delivery("d", "p", "psyk", "fhir", 3, "x", State.DEAD, "why", "consent/c", NOW, NOW)
FREE = Standing(
    DELIVERY, "plan", has_bytes=True, refused="", busy=False, overtaken=None,
    every_version=False, refused_for_good=False, resends_left=True,
)  # fmt: skip
GOES: dict[Act, set[State]] = {
    "resend": {State.SENT, State.RETRY_AT, State.DELIVERED, State.DEAD},
    "send-anew": set(State),
    "skip": {State.DUE, State.BLOCKED, State.HELD, State.DEAD},
    "cancel": {State.DUE, State.BLOCKED, State.HELD, State.RETRY_AT},
}
"""By hand, a second time: where nothing surrounds it that stands in the way."""


def standing(state: State, **around: object) -> Standing:
    return replace(FREE, delivery=replace(DELIVERY, state=state), **around)  # type: ignore[arg-type]


@pytest.mark.parametrize(("act", "state"), [*product(ACTS, State)])
def test_where_nothing_stands_in_the_way_the_state_decides(act: Act, state: State) -> None:
    told = objection(act, standing(state))
    assert (told == "") == (state in GOES[act]), told


@pytest.mark.parametrize("state", [*State])
def test_what_is_done_is_a_move_of_the_machine(state: State) -> None:
    """Resend leads to retry_at, skip to not_sent (or leaves a dead one so), cancel to cancelled."""
    ends: list[tuple[Act, State]] = [
        ("resend", State.RETRY_AT), ("skip", State.NOT_SENT), ("cancel", State.CANCELLED),
    ]  # fmt: skip
    for act, end in ends:
        if objection(act, standing(state)) == "" and state is not end:
            assert may_move(state, end) or may_reopen(state, end)


def test_the_hub_itself_never_reopens_what_is_final() -> None:
    opened = {(s, e) for s, e in product(State, State) if may_reopen(s, e)}
    assert {s for s, _ in opened} == {State.DEAD, State.DELIVERED}
    assert not any(may_move(s, e) for s, e in opened)
    assert {e for _, e in opened} - FINAL == {State.RETRY_AT}


def test_an_overtaken_one_goes_only_to_whom_wants_every_version() -> None:
    for state in (State.DEAD, State.DELIVERED):
        told = objection("resend", standing(state, overtaken=4))
        assert told == "Version 4 has taken its place; send that one"
        assert objection("resend", standing(state, overtaken=4, every_version=True)) == ""
    # What is under way comes before the newer one anyway.
    for state in (State.SENT, State.RETRY_AT):
        assert objection("resend", standing(state, overtaken=4)) == ""


def test_two_messages_are_never_under_way_beside_each_other() -> None:
    for state in (State.DEAD, State.DELIVERED):
        assert objection("resend", standing(state, busy=True, every_version=True))


def test_medcom_s_rules_on_resends() -> None:
    dead = standing(State.DEAD)
    assert "for good" in objection("resend", replace(dead, refused_for_good=True))
    assert "as often as" in objection("resend", replace(dead, resends_left=False))
    # That one more transmission is due was decided when it was counted.
    assert objection("resend", standing(State.RETRY_AT, resends_left=False)) == ""


def test_the_gate_has_the_last_word_on_frozen_bytes() -> None:
    for state in GOES["resend"]:
        told = "The consent changed after it was made; these bytes are not sent again"
        assert objection("resend", standing(state, refused=told)) == told
    assert objection("resend", replace(FREE, has_bytes=False))


@pytest.mark.parametrize("state", [*State])
def test_the_citizen_s_own_copy_is_held_back_by_nobody(state: State) -> None:
    own = standing(state)
    own = replace(own, delivery=replace(own.delivery, receiver=CITIZEN))
    assert objection("cancel", own)
    assert (objection("skip", own) == "") == (state is State.DEAD)
    assert objection("resend", own)


@given(
    st.sampled_from(ACTS), st.sampled_from([*State]),
    st.sampled_from(["plan", "notice", "answer", "notification"]), st.booleans(), st.booleans(),
)  # fmt: skip
def test_every_objection_has_danish(
    act: Act, state: State, kind: str, has_bytes: bool, busy: bool
) -> None:
    told = objection(act, standing(state, kind=kind, has_bytes=has_bytes, busy=busy))
    assert told == "" or said("da", told)
    if kind == "notification":
        assert told == operate.NOTIFICATION


def test_what_was_made_anew_is_touched_no_more() -> None:
    gone = replace(FREE, delivery=replace(DELIVERY, ruling="anew"))
    assert {objection(act, gone) for act in ACTS} == {operate.REPLACED}

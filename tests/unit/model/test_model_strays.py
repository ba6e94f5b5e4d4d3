"""What each party should hold, beside what became of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_facts import NOW

from hub.model.delivery import FINAL, State
from hub.model.strays import ORDER, Held, Stray, Wanted, silent, strays, unscheduled

HOUR = timedelta(hours=1)
A, B = "enhed-a", "enhed-b"
SENT = Held("d-1", A, "fhir", 5, State.SENT, 1, NOW - 2 * HOUR, NOW, lies=True)
HAD = replace(SENT, state=State.DELIVERED)
NOTICE = Held("n", A, "ki-notice", 5, State.SENT, 2, NOW, NOW, notice=True, lies=True)


def found(
    *rows: Held, wanted: int = 0, denied: bool = False, heard: timedelta | None = None
) -> list[str]:
    wants = [Wanted(A, "fhir", wanted)] if wanted else []
    last = {A: NOW - heard} if heard is not None else {}
    made = strays(wants, {A} if denied else (), rows, last, NOW)
    assert all(s.receiver == A for s in made)
    return [s.kind for s in made]


def test_what_is_settled_on_its_way_or_a_person_s_is_well() -> None:
    for state in set(State) - {State.CANCELLED, State.SUPERSEDED}:
        row = replace(SENT, version=7, state=state, asked=state in {State.BLOCKED, State.HELD})
        assert found(row, wanted=7) == [], state


def test_what_a_person_ended_is_no_stray() -> None:
    row = replace(SENT, version=7, state=State.CANCELLED, stopped=True)
    assert found(HAD, row, wanted=7) == []
    assert found(HAD, row, wanted=8) == ["behind"]


def test_an_older_version_with_nothing_on_its_way() -> None:
    rows = (HAD, replace(SENT, id="d-2", version=7, state=State.CANCELLED))
    (stray,) = strays([Wanted(A, "fhir", 7)], (), rows, {}, NOW)
    said = f"{A}: should hold version 7, last delivered 5, nothing is on its way"
    assert stray == Stray(A, "fhir", "behind", said)
    (never,) = strays([Wanted(A, "fhir", 7)], (), (), {}, NOW)
    assert never.text == f"{A}: should hold version 7, nothing is on its way"
    assert found(NOTICE, wanted=1) == ["behind"], "a notice is no copy"


def test_a_copy_with_more_or_less_in_it_than_there_should_be() -> None:
    (stray,) = strays([Wanted(A, "fhir", 5, anew=True)], (), [HAD], {}, NOW)
    assert (stray.kind, "another copy of version 5" in stray.text) == ("behind", True)
    stopped = replace(HAD, state=State.CANCELLED)
    (none,) = strays([Wanted(A, "fhir", 5, anew=True)], (), [stopped], {}, NOW)
    assert none.text == f"{A}: should hold version 5, nothing is on its way"


@pytest.mark.parametrize("state", [State.BLOCKED, State.HELD])
def test_what_waits_for_a_person_needs_one_who_is_asked(state: State) -> None:
    assert found(replace(SENT, state=state)) == ["nobody"]
    assert found(replace(SENT, state=state, asked=True)) == []


def test_a_retry_without_a_time_is_nobody_s() -> None:
    assert found(replace(SENT, state=State.RETRY_AT, retry_at=None)) == ["nobody"]
    assert found(replace(SENT, state=State.RETRY_AT)) == []


def test_a_sent_one_that_lies_nowhere_and_nobody_looks_for() -> None:
    gone = replace(SENT, lies=False)
    assert found(gone) == [], "it is looked for now"
    assert found(replace(gone, retry_at=None)) == ["gone"]
    assert found(replace(gone, retry_at=NOW - HOUR - timedelta(seconds=1))) == ["gone"]
    assert found(replace(gone, retry_at=None, receipts=False)) == []
    assert found(replace(gone, retry_at=None, asked=True)) == []


def test_a_receiver_that_answers_others_but_not_this_one() -> None:
    assert found(SENT, heard=HOUR) == ["unanswered"]
    assert found(SENT, heard=2 * HOUR) == [], "it was not heard of since: silence is another's word"
    assert found(SENT) == []
    assert found(replace(SENT, wait=2 * HOUR), heard=HOUR) == [], "its time is not over"


def test_who_may_not_have_it_any_more_is_told() -> None:
    assert found(HAD, denied=True) == ["keeps"]
    assert found(HAD, NOTICE, denied=True) == []
    assert found(HAD, replace(NOTICE, state=State.CANCELLED), denied=True) == ["keeps"]
    again = replace(HAD, id="d-2", version=6, made=3)
    assert found(HAD, NOTICE, again, denied=True) == ["keeps"], "it was told before it had this"
    again = replace(again, version=5)
    assert found(HAD, NOTICE, again, denied=True) == ["keeps"], "the same version once more"
    cancelled = replace(HAD, state=State.CANCELLED)
    assert found(cancelled, denied=True) == [], "it never had it"
    assert found(replace(cancelled, had=True), denied=True) == ["keeps"], "it asked once more"


def test_nobody_looks_for_what_has_no_time() -> None:
    rows = (replace(SENT, retry_at=None), SENT, replace(SENT, id="x", retry_at=None, asked=True))
    assert unscheduled(rows) == ("d-1",)


HELD = st.builds(
    Held,
    id=st.sampled_from("abcd"),
    receiver=st.sampled_from([A, B]),
    format=st.sampled_from(["fhir", "vum"]),
    version=st.integers(1, 4),
    state=st.sampled_from(State),
    made=st.integers(1, 3),
    updated_at=st.sampled_from([NOW - 2 * HOUR, NOW]),
    retry_at=st.sampled_from([None, NOW - 2 * HOUR, NOW + HOUR]),
    notice=st.booleans(),
    asked=st.booleans(),
    receipts=st.booleans(),
    had=st.booleans(),
    lies=st.booleans(),
)
WANTED = st.builds(
    Wanted, receiver=st.sampled_from([A, B]), format=st.just("fhir"), version=st.integers(1, 4)
)


@given(
    st.lists(WANTED, max_size=2), st.sets(st.sampled_from([A, B])), st.lists(HELD, max_size=6),
    st.randoms(),
)  # fmt: skip
def test_one_of_a_receiver_and_format_whatever_the_order(
    wanted: list[Wanted], denied: set[str], rows: list[Held], random: object
) -> None:
    heard = {A: NOW - HOUR}
    first = strays(wanted, denied, rows, heard, NOW)
    keys = [(s.receiver, s.format) for s in first]
    assert len(keys) == len(set(keys))
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    again = strays(wanted, denied, shuffled, heard, NOW)
    assert [(s.receiver, s.format, s.kind) for s in again] == [
        (s.receiver, s.format, s.kind) for s in first
    ]
    assert {s.kind for s in first} <= set(ORDER)


@given(st.lists(WANTED, min_size=1, max_size=3), st.lists(HELD, max_size=6))
def test_delivering_what_is_wanted_ends_every_lag(wanted: list[Wanted], rows: list[Held]) -> None:
    now_had = [
        Held(f"new-{n}", w.receiver, w.format, w.version, State.DELIVERED, 9, NOW)
        for n, w in enumerate(wanted)
    ]
    left = strays(wanted, (), [*rows, *now_had], {}, NOW)
    assert "behind" not in {s.kind for s in left}


@given(st.lists(HELD.filter(lambda r: r.state in FINAL), max_size=6))
def test_what_is_final_alone_is_no_stray_of_its_own(rows: list[Held]) -> None:
    assert strays((), (), rows, {A: NOW}, NOW) == ()


@pytest.mark.parametrize(
    ("since", "heard", "hours", "is_silent"),
    [(None, None, 1, False), (2, None, 1, True), (2, None, 3, False), (9, 2, 3, False),
     (9, 4, 3, True), (2, 9, 3, False), (3, None, 3, True), (9, None, 0, False)],
)  # fmt: skip
def test_silence(since: int | None, heard: int | None, hours: int, is_silent: bool) -> None:
    began = None if since is None else NOW - since * HOUR
    last = None if heard is None else NOW - heard * HOUR
    assert silent(began, last, NOW, hours) is is_silent

"""A delivery's states and the retry policy."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_facts import NOW

from hub.model.delivery import FINAL, UNDER_WAY, WAITING, RetryPolicy, State, may_move, may_reopen

S = State
LEGAL = {
    S.DUE: {S.SENDING, S.BLOCKED, S.HELD, S.SUPERSEDED, S.CANCELLED, S.NOT_SENT, S.DEAD},
    S.SENDING: {S.SENT, S.RETRY_AT, S.DELIVERED, S.DEAD, S.CANCELLED},
    S.SENT: {S.DELIVERED, S.RETRY_AT, S.DEAD, S.CANCELLED, S.SUPERSEDED},
    S.RETRY_AT: {S.SENDING, S.DELIVERED, S.DEAD, S.CANCELLED},
    S.BLOCKED: {S.DUE, S.SUPERSEDED, S.CANCELLED, S.NOT_SENT},
    S.HELD: {S.DUE, S.SUPERSEDED, S.CANCELLED, S.NOT_SENT},
    S.DEAD: {S.DELIVERED},
}
"""The states of the design, written down a second time."""


@pytest.mark.parametrize(("before", "after"), [*product(State, State)])
def test_every_move_is_legal_or_refused(before: State, after: State) -> None:
    assert may_move(before, after) == (after in LEGAL.get(before, set()))


def test_a_state_is_waiting_under_way_or_final_and_never_two_of_them() -> None:
    assert set(State) == WAITING | UNDER_WAY | FINAL
    assert len(State) == len(WAITING) + len(UNDER_WAY) + len(FINAL)


def test_what_is_final_stays_and_what_is_waiting_has_sent_nothing() -> None:
    left = {(f, s) for f in FINAL for s in State if may_move(f, s)}
    # Its receiver has it after all.
    assert left == {(S.DEAD, S.DELIVERED)}
    assert not any(may_move(w, s) for w in WAITING for s in (S.SENT, S.RETRY_AT, S.DELIVERED))


def test_only_who_asks_for_it_opens_what_is_final() -> None:
    opened = {(f, s) for f in State for s in State if may_reopen(f, s)}
    assert opened == {
        (S.DELIVERED, S.RETRY_AT), (S.DEAD, S.RETRY_AT), (S.DEAD, S.NOT_SENT),
    }  # fmt: skip


POLICY = RetryPolicy(attempts=8, first=timedelta(seconds=2), longest=timedelta(minutes=30))


def wait(attempts: int, jitter: float, policy: RetryPolicy = POLICY) -> timedelta:
    at = policy.after_failure(attempts, NOW, jitter)
    assert at is not None
    return at.astimezone(NOW.tzinfo) - NOW


def test_the_wait_doubles() -> None:
    assert [wait(n, 0.5).total_seconds() for n in (1, 2, 3, 4)] == [2, 4, 8, 16]


def test_jitter_spreads_over_half_the_wait() -> None:
    assert [wait(3, j).total_seconds() for j in (0.0, 0.5)] == [6, 8]
    assert wait(3, 0.999).total_seconds() < 10


def test_the_budget_counts_sends_in_all() -> None:
    assert POLICY.after_failure(7, NOW, 0) is not None
    assert POLICY.after_failure(8, NOW, 0) is None
    assert POLICY.after_failure(9, NOW, 0) is None


@given(st.integers(0, 5000), st.floats(0, 1, exclude_max=True))
def test_any_budget_gives_a_wait_within_the_longest(attempts: int, jitter: float) -> None:
    patient = RetryPolicy(attempts=10_000)
    found = wait(attempts, jitter, patient)
    assert timedelta() < found <= patient.longest * 1.25


@given(st.integers(1, 60), st.floats(0, 1, exclude_max=True))
def test_a_later_attempt_never_waits_less(attempts: int, jitter: float) -> None:
    patient = RetryPolicy(attempts=100)
    assert wait(attempts, jitter, patient) <= wait(attempts + 1, jitter, patient)

"""The retry policy: whatever the numbers, it waits, within bounds, and it ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_facts import NOW

from hub.model.delivery import State
from hub.model.records import DeliveryEvent
from hub.model.retry import RetryPolicy, RetryWish, Spent, began

POLICY = RetryPolicy(attempts=8, first=timedelta(seconds=2), longest=timedelta(minutes=30))
HOUR = timedelta(hours=1)

seconds = st.floats(0.001, 1e8).map(lambda s: timedelta(seconds=s))
policies = st.builds(
    RetryPolicy,
    attempts=st.integers(1, 1000),
    first=seconds,
    longest=seconds,
    factor=st.floats(1, 10),
    jitter=st.floats(0, 1),
    within=st.none() | seconds,
)
randoms = st.floats(0, 1, exclude_max=True)


def wait(attempts: int, random: float, policy: RetryPolicy = POLICY) -> timedelta:
    at = policy.after_failure(attempts, NOW, random)
    assert isinstance(at, datetime)
    return at.astimezone(NOW.tzinfo) - NOW


def test_the_wait_grows_by_the_factor() -> None:
    assert [wait(n, 0.5).total_seconds() for n in (1, 2, 3, 4)] == [2, 4, 8, 16]
    slow = replace(POLICY, factor=1.5)
    assert [wait(n, 0.5, slow).total_seconds() for n in (1, 2, 3)] == [2, 3, 4.5]


def test_jitter_is_a_share_of_the_wait() -> None:
    assert [wait(3, j).total_seconds() for j in (0.0, 0.5)] == [6, 8]
    assert wait(3, 0.999).total_seconds() < 10
    assert wait(3, 0.9, replace(POLICY, jitter=0)) == timedelta(seconds=8)


def test_the_budget_counts_sends_in_all() -> None:
    assert isinstance(POLICY.after_failure(7, NOW, 0), datetime)
    assert POLICY.after_failure(8, NOW, 0) is Spent.ATTEMPTS
    assert POLICY.after_failure(9, NOW, 0) is Spent.ATTEMPTS


def test_the_time_counts_from_the_first_send_and_the_last_attempt_is_at_its_end() -> None:
    hourly = RetryPolicy(attempts=1000, first=HOUR, longest=HOUR, jitter=0, within=2.5 * HOUR)
    assert hourly.after_failure(1, NOW, 0, NOW) == NOW + HOUR
    assert hourly.after_failure(3, NOW + 2 * HOUR, 0, NOW) == NOW + 2.5 * HOUR
    assert hourly.after_failure(4, NOW + 2.5 * HOUR, 0, NOW) is Spent.TIME
    assert isinstance(hourly.after_failure(4, NOW + 9 * HOUR, 0), datetime), "nothing was sent"


@given(policies, st.integers(0, 999), randoms)
def test_never_before_now_and_never_past_the_bounds(
    policy: RetryPolicy, failed: int, random: float
) -> None:
    at = policy.after_failure(failed, NOW, random, NOW)
    if failed >= policy.attempts:
        assert at is Spent.ATTEMPTS
        return
    assert isinstance(at, datetime)
    base = policy.wait(failed)
    assert timedelta() < base <= policy.longest
    assert at >= NOW
    assert base * (1 - policy.jitter) - timedelta(seconds=1) <= at - NOW or at == NOW + (
        policy.within or timedelta()
    )
    assert at - NOW <= base * (1 + policy.jitter) + timedelta(microseconds=1)
    assert policy.within is None or at <= NOW + policy.within


@given(policies, st.integers(0, 999))
def test_the_wait_without_jitter_never_shrinks(policy: RetryPolicy, failed: int) -> None:
    assert policy.wait(failed) <= policy.wait(failed + 1)


@given(policies, randoms, st.floats(0, 1e6))
def test_it_ends(policy: RetryPolicy, random: float, slow: float) -> None:
    """However long each send takes; and with a time for it, that time bounds the last begin."""
    now, sends = NOW, 1
    while True:
        found = policy.after_failure(sends, now, random, NOW)
        if isinstance(found, Spent):
            break
        now = max(found, now) + timedelta(seconds=slow) / 1000
        sends += 1
        assert policy.within is None or found <= NOW + policy.within
        if now.year > 5000:
            return
    assert sends <= policy.attempts
    assert (found is Spent.ATTEMPTS) == (sends == policy.attempts)


@given(policies, seconds)
def test_a_clock_set_back_makes_it_no_longer(policy: RetryPolicy, back: timedelta) -> None:
    found = policy.after_failure(0, NOW, 0.5, NOW + back)
    assert isinstance(found, datetime)
    assert policy.within is None or found <= NOW + policy.within


@given(st.builds(RetryWish, attempts=st.none() | st.integers(1, 9), first=st.none() | seconds,
                 longest=st.none() | seconds, factor=st.none() | st.floats(1, 10),
                 jitter=st.none() | st.floats(0, 1), within=st.none() | seconds))  # fmt: skip
def test_a_wish_is_kept_as_it_is_and_leaves_the_rest(wish: RetryWish) -> None:
    assert RetryWish.read(wish.written()) == wish
    over = wish.over(POLICY)
    for name in ("attempts", "first", "factor", "jitter", "within"):
        wished = getattr(wish, name)
        assert getattr(over, name) == (getattr(POLICY, name) if wished is None else wished)
    assert over.longest == (wish.longest or max(POLICY.longest, over.first))


def test_what_another_version_wrote_is_left_out() -> None:
    assert RetryWish.read({"attempts": 3, "later": 1}) == RetryWish(attempts=3)
    assert RetryWish.read(None) == RetryWish()


@pytest.mark.parametrize(
    ("states", "hour"),
    [
        ([], None),
        ([State.DUE], None),
        ([State.DUE, State.SENDING, State.RETRY_AT, State.SENDING], 1),
        ([State.SENDING, State.DEAD, State.DUE, State.SENDING, State.SENDING], 3),
        ([State.SENDING, State.DEAD], None),
    ],
)
def test_the_first_send_is_read_from_the_history(states: list[State], hour: int | None) -> None:
    steps = [DeliveryEvent(NOW + n * HOUR, s, "", "hub") for n, s in enumerate(states)]
    assert began(steps) == (None if hour is None else NOW + hour * HOUR)

"""The circuit breaker, against what it promises and against a second account of it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from model_facts import NOW

from hub.model.breaker import Breaker, BreakerPolicy, Circuit, endpoint_of

POLICY = BreakerPolicy(3, timedelta(seconds=10), timedelta(seconds=60))
WAIT = timedelta(seconds=30)
HERE = Breaker("https://ehr.example:443")


def after(failures: int, policy: BreakerPolicy = POLICY) -> Breaker:
    found = HERE
    for n in range(failures):
        found = found.failed(f"d-{n}", "no answer", NOW, policy)
    return found


def test_it_opens_at_the_nth_failure_in_a_row() -> None:
    assert [after(n).state for n in (1, 2, 3)] == [Circuit.CLOSED, Circuit.CLOSED, Circuit.OPEN]
    assert after(2).worked(NOW).at_rest
    assert after(2).worked(NOW).failed("d", "x", NOW, POLICY).failures == 1


def test_without_a_number_it_never_opens() -> None:
    assert after(500, BreakerPolicy(failures=0)).state is Circuit.CLOSED


def test_one_probe_goes_when_the_pause_is_over() -> None:
    shut = after(3)
    over = NOW + timedelta(seconds=10)
    assert not shut.lets(over - timedelta(microseconds=1))
    assert shut.lets(over)
    probing = shut.probing("d-9", over, WAIT)
    assert not probing.lets(over + WAIT - timedelta(microseconds=1))
    assert probing.lets(over + WAIT), "its worker may be dead"


def test_each_failed_probe_doubles_the_pause_up_to_the_longest() -> None:
    shut, now, pauses = after(3), NOW, []
    for _ in range(6):
        assert shut.until is not None
        pauses.append((shut.until - now).total_seconds())
        now = shut.until
        shut = shut.probing("probe", now, WAIT).failed("probe", "x", now, POLICY)
    assert pauses == [10, 20, 40, 60, 60, 60]


def test_what_was_on_its_way_when_it_opened_changes_nothing_unless_it_worked() -> None:
    shut = after(3)
    assert shut.failed("late", "x", NOW, POLICY) == shut
    probing = shut.probing("probe", NOW, WAIT)
    assert probing.failed("late", "x", NOW, POLICY) == probing
    assert shut.worked(NOW).at_rest
    assert probing.worked(NOW).at_rest


def test_a_probe_that_did_not_leave_makes_room_for_another_at_once() -> None:
    probing = after(3).probing("probe", NOW, WAIT)
    assert probing.not_tried("other", NOW) == probing
    back = probing.not_tried("probe", NOW)
    assert (back.state, back.probes) == (Circuit.OPEN, 0)
    assert back.lets(NOW)


@given(st.integers(0, 100_000))
def test_any_number_of_probes_gives_a_pause(probes: int) -> None:
    assert POLICY.pause <= POLICY.pause_after(probes) <= POLICY.longest


@pytest.mark.parametrize(
    ("transport", "address", "endpoint"),
    [
        ("https", "https://EHR.example/unit/1?key=secret", "https://ehr.example:443"),
        ("hook", "https://ehr.example:443/other#part", "https://ehr.example:443"),
        ("https", "https://user:secret@ehr.example:8443/x", "https://ehr.example:8443"),
        ("https", "http://127.0.0.1:9/ki", "http://127.0.0.1:9"),
        ("https", "https://[::1]/x", "https://[::1]:443"),
        ("https", "https://ehr.example:nine/x", "https://ehr.example:443"),
        ("file", "/srv/parties/1", "file:/srv/parties/1"),
        ("amqp", "party.p-1.deliveries", "amqp:party.p-1.deliveries"),
    ],
)
def test_an_endpoint_is_a_server_a_folder_or_a_queue(
    transport: str, address: str, endpoint: str
) -> None:
    assert endpoint_of(transport, address) == endpoint


class Circuits(RuleBasedStateMachine):
    """Sends that begin and end in any order, against an account in plain words."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker, self.now, self.count = HERE, NOW, 0
        self.going: list[str] = []
        self.probe: str | None = None
        self.row = 0
        self.shut_until: datetime | None = None
        self.failed_probes = 0

    @rule(by=st.integers(1, 90))
    def time_passes(self, by: int) -> None:
        self.now += timedelta(seconds=by)

    @rule()
    def a_delivery_begins(self) -> None:
        expected = self.shut_until is None or self.shut_until <= self.now
        assert self.breaker.lets(self.now) == expected
        if not expected:
            return
        self.count += 1
        self.going.append(f"d-{self.count}")
        if self.shut_until is not None:
            self.probe = self.going[-1]
            self.breaker = self.breaker.probing(self.probe, self.now, WAIT)
            self.shut_until = self.now + WAIT

    @precondition(lambda self: self.going)
    @rule(which=st.randoms(use_true_random=False))
    def one_fails(self, which: object) -> None:
        one = which.choice(self.going)  # type: ignore[attr-defined]
        self.going.remove(one)
        self.breaker = self.breaker.failed(one, "x", self.now, POLICY)
        if self.shut_until is None:
            self.row += 1
            if self.row == POLICY.failures:
                self.shut_until, self.failed_probes = self.now + POLICY.pause, 0
        elif one == self.probe:
            self.probe, self.failed_probes = None, self.failed_probes + 1
            pause = min(POLICY.pause * 2**self.failed_probes, POLICY.longest)
            self.shut_until = self.now + pause

    @precondition(lambda self: self.going)
    @rule(which=st.randoms(use_true_random=False))
    def one_arrives(self, which: object) -> None:
        one = which.choice(self.going)  # type: ignore[attr-defined]
        self.going.remove(one)
        self.breaker = self.breaker.worked(self.now)
        self.row, self.shut_until, self.probe = 0, None, None

    @rule()
    def a_person_resets_it(self) -> None:
        self.breaker = self.breaker.worked(self.now)
        self.row, self.shut_until, self.probe = 0, None, None

    @invariant()
    def it_is_what_the_account_says(self) -> None:
        shut = self.breaker.state is not Circuit.CLOSED
        assert shut == (self.shut_until is not None)
        assert (self.breaker.until if shut else None) == self.shut_until
        assert (self.breaker.state is Circuit.HALF_OPEN) == (self.probe is not None)
        assert shut or self.breaker.failures == self.row < POLICY.failures


TestCircuits = Circuits.TestCase
TestCircuits.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)

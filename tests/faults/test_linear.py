"""The search for an order: registers on which operations overlap, with and without one."""

from __future__ import annotations

import itertools
import random

from tests.faults.linear import Call, linearizable

What = tuple[str, int]


def register(state: int, what: What) -> int | None:
    kind, value = what
    if kind == "write":
        return value
    return state if state == value else None


def call(kind: str, value: int, begin: float, end: float | None) -> Call[What]:
    return Call((kind, value), begin, end)


def test_one_after_the_other() -> None:
    calls = [call("write", 1, 0, 1), call("read", 1, 2, 3), call("write", 2, 4, 5)]
    assert linearizable(calls, 0, register) is None


def test_a_read_of_the_past_has_no_order() -> None:
    calls = [call("write", 1, 0, 1), call("write", 2, 2, 3), call("read", 1, 4, 5)]
    order = linearizable(calls, 0, register)
    assert order is not None
    assert order[-1].what == ("read", 1)


def test_of_two_that_overlap_either_may_be_first() -> None:
    both = [call("write", 1, 0, 10), call("write", 2, 1, 9)]
    for value in (1, 2):
        assert linearizable([*both, call("read", value, 11, 12)], 0, register) is None


def test_two_readers_may_not_see_it_go_back() -> None:
    writes = [call("write", 1, 0, 1), call("write", 2, 2, 20)]
    seen = [call("read", 2, 3, 4), call("read", 1, 5, 6)]
    assert linearizable([*writes, *seen], 0, register) is not None
    assert linearizable([*writes, *reversed([call("read", 1, 3, 4), call("read", 2, 5, 6)])], 0,
                        register) is None  # fmt: skip


def test_what_was_never_answered_may_have_happened_late_or_never() -> None:
    unknown = call("write", 2, 2, None)
    start = [call("write", 1, 0, 1), unknown]
    assert linearizable([*start, call("read", 1, 10, 11)], 0, register) is None
    assert linearizable([*start, call("read", 1, 3, 4), call("read", 2, 10, 11)], 0,
                        register) is None  # fmt: skip
    assert linearizable([*start, call("read", 2, 3, 4), call("read", 1, 10, 11)], 0,
                        register) is not None  # fmt: skip


def test_it_agrees_with_trying_every_order() -> None:
    """Small random histories, most of them without an order."""
    chance, verdicts = random.Random(1), []
    for _ in range(300):
        calls = []
        for _ in range(5):
            begin = chance.uniform(0, 10)
            end = begin + chance.uniform(0, 6)
            calls.append(call(chance.choice(("write", "read")), chance.randrange(1, 3), begin, end))
        found = linearizable(calls, 0, register) is None
        assert found == any(_holds(order) for order in itertools.permutations(calls))
        verdicts.append(found)
    assert {True, False} == set(verdicts)


def _holds(order: tuple[Call[What], ...]) -> bool:
    if any(b.last < a.begin for a, b in itertools.combinations(order, 2)):
        return False
    state: int | None = 0
    for one in order:
        state = register(state, one.what) if state is not None else None
    return state is not None


def test_many_that_overlap_are_searched_in_time() -> None:
    """Four writers at a time, two hundred operations: what was tried is not tried again."""
    calls = [call("write", n, n - 3.5, n + 0.4) for n in range(200)]
    calls.append(call("read", 7, 500, 501))
    assert linearizable(calls, 0, register) is not None

"""Passing trouble is told once in a while; everything else, and each other kind, always."""

from __future__ import annotations

import pytest
import structlog

from hub.runtime.logging import QUIET, OnceInAWhile


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_passing_trouble_is_told_once_a_minute_with_what_was_held_back() -> None:
    clock = Clock()
    once = OnceInAWhile(clock)
    line = {"event": "delivery.waits", "number": 1502, "delivery": "a"}
    assert once(None, "warning", dict(line)) == line
    for other in ("b", "c", "d"):
        with pytest.raises(structlog.DropEvent):
            once(None, "warning", line | {"delivery": other})
    clock.now += QUIET
    told = once(None, "warning", dict(line))
    assert told == line | {"held_back": 3}


@pytest.mark.parametrize(
    "line",
    [
        {"event": "delivery.waits", "number": 1506},
        {"event": "message.later", "number": 1502},
        {"event": "message.refused", "number": 1101},
        {"event": "bus.listening"},
    ],
)
def test_what_is_another_thing_is_told(line: dict[str, object]) -> None:
    once = OnceInAWhile(Clock())
    once(None, "warning", {"event": "delivery.waits", "number": 1502})
    assert once(None, "warning", dict(line)) == line
    if line.get("number") in {None, 1101}:
        assert once(None, "warning", dict(line)) == line

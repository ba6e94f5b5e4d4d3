"""Two callers on PostgreSQL, one of them held up in the middle of its transaction.

The other goes on until it has answered or waits for a lock: nothing depends on how long a step
takes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event, Lock
from typing import Any, TypeVar

import pytest
from sqlalchemy import text

from tests.api.world import World

First, Second = TypeVar("First"), TypeVar("Second")
PATIENCE = 60.0
"""Seconds; only what is wrong lasts so long."""
_WAITING = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


class Gate:
    """Whoever comes to a step first stays before it until the gate is opened; all others pass."""

    def __init__(self, patch: pytest.MonkeyPatch, owner: type, step: str) -> None:
        self.reached, self._open = Event(), Event()
        self._taken, self._turn = False, Lock()
        real: Callable[..., Any] = getattr(owner, step)

        def held_up(*args: Any, **more: Any) -> Any:
            if self._is_first():
                self.reached.set()
                assert self._open.wait(PATIENCE)
            return real(*args, **more)

        patch.setattr(owner, step, held_up)

    def _is_first(self) -> bool:
        with self._turn:
            first, self._taken = not self._taken, True
        return first

    def open(self) -> None:
        self._open.set()


def meanwhile(
    world: World, gate: Gate, first: Callable[[], First], second: Callable[[], Second]
) -> tuple[First, Second, bool]:
    """``first`` comes to the gate, ``second`` goes on beside it; both results, and whether the
    second one waited for the first."""
    with ThreadPoolExecutor(2) as pool:
        try:
            one = pool.submit(first)
            assert _until(gate.reached.is_set, one), one.result()
            two = pool.submit(second)
            waited = waits(world, two)
        finally:
            gate.open()
        return one.result(PATIENCE), two.result(PATIENCE), waited


def waits(world: World, other: Future[Any], several: int = 1) -> bool:
    """It waits for a lock, as one of ``several``; False if it is done instead."""
    engine = world.hub.store.database.engine
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        return _until(lambda: connection.execute(_WAITING).scalar_one() >= several, other)


def _until(so: Callable[[], bool], other: Future[Any]) -> bool:
    """It is so; False if the other is done before."""
    end = time.monotonic() + PATIENCE
    while not so():
        if other.done():
            return so()
        assert time.monotonic() < end
        time.sleep(0.01)
    return True

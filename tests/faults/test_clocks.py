"""A running process's clock is set from outside, and only the time of day with it."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.clocks import Clocks
from tests.faults.faults import CLOCK, KINDS, schedule

TELL = """
import json, sys, time
for line in sys.stdin:
    began = time.monotonic()
    time.sleep(0.01)
    print(json.dumps([time.time(), time.monotonic(), time.monotonic() - began]), flush=True)
"""
HOURS = 5 * 3600


class Process:
    """Tells what time it is, when asked."""

    def __init__(self, clocks: Clocks) -> None:
        settings = clocks.environment("serve", os.environ)
        self._process = subprocess.Popen(
            [sys.executable, "-c", TELL], env=settings, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        clocks.started("serve", self._process.pid)

    def told(self) -> tuple[float, float, float]:
        """Its time of day and its monotonic clock, each as far as it is off; how long it slept."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        day, counted, slept = json.loads(self._process.stdout.readline())
        return day - time.time(), counted - time.monotonic(), slept

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def clocks(tmp_path: Path) -> Iterator[Clocks]:
    with closing(Clocks(tmp_path)) as made:
        yield made


def test_it_is_set_and_comes_back(clocks: Clocks) -> None:
    with closing(Process(clocks)) as process:
        assert abs(process.told()[0]) < 60
        for step in (HOURS, -HOURS):
            with clocks.off("serve", step):
                _until_off(process, step)
            _until_off(process, 0)


def _until_off(process: Process, seconds: float) -> None:
    end = time.monotonic() + 30
    while True:
        day, counted, slept = process.told()
        assert abs(counted) < 60
        assert 0 < slept < 60
        if abs(day - seconds) < 60:
            return
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_killed_process_leaves_nothing_behind(clocks: Clocks) -> None:
    process = Process(clocks)
    process.told()
    process.close()
    own = f"_{process._process.pid}"
    assert [p for p in Path("/dev/shm").glob("*faketime*") if p.name.endswith(own)]
    clocks.close()
    assert not [p for p in Path("/dev/shm").glob("*faketime*") if p.name.endswith(own)]


def test_a_run_can_be_of_some_kinds_alone() -> None:
    only = [kind for kind in KINDS if kind.startswith(CLOCK)]
    drawn = schedule(random.Random(1), 40, disk=True, only=only)
    assert {kind: drawn.count(kind) for kind in only} == dict.fromkeys(only, 20)

"""Clocks of running processes, set ahead or back from outside by Debian's libfaketime.

Only the time of day is set. What a process measures (timeouts, heartbeats, leases in its own
hands) goes on as it would when a person or NTP sets a machine's clock.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.servers.process import MissingProgram

_STEPPED = Path(__file__).resolve().with_name("stepped")
_CACHED = 1
"""Seconds until a process sees that its clock was set."""


class Clocks:
    """One for each process name; ``folder`` has the files that say how far each is off."""

    def __init__(self, folder: Path) -> None:
        found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        if not found:
            raise MissingProgram("libfaketime")
        self._library, self._folder = found[0], folder
        self._pids: dict[str, int] = {}

    def environment(self, name: str, others: Mapping[str, str]) -> dict[str, str]:
        """``others``, and what lets the process's clock be set."""
        self._tidy(name)
        self._say(name, 0)
        path = [str(_STEPPED), *filter(None, [others.get("PYTHONPATH")])]
        return {
            **others,
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file(name)),
            "FAKETIME_CACHE_DURATION": str(_CACHED),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
            "PYTHONPATH": os.pathsep.join(path),
        }

    def started(self, name: str, pid: int) -> None:
        """The process of that environment."""
        self._pids[name] = pid

    @contextmanager
    def off(self, name: str, seconds: int) -> Iterator[None]:
        """The process's clock is ahead so far, or behind (negative); then it is right again."""
        self._say(name, seconds)
        try:
            yield
        finally:
            self._say(name, 0)

    def close(self) -> None:
        """Every process has ended."""
        for name in [*self._pids]:
            self._tidy(name)

    def _say(self, name: str, seconds: int) -> None:
        # In one step: a process reads it at any moment.
        file = self._file(name)
        fresh = file.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}\n", "ascii")
        fresh.replace(file)

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.clock"

    def _tidy(self, name: str) -> None:
        """A process that is killed leaves its shared memory behind, under its number; the next of
        that number would find its lock held."""
        pid = self._pids.pop(name, None)
        for left in ("sem.faketime_sem", "faketime_shm") if pid else ():
            Path(f"/dev/shm/{left}_{pid}").unlink(missing_ok=True)

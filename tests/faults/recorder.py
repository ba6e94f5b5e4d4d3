"""The clients' own record: append-only files, a line when something begins and one when it ends.

No citizen's number and no plan text is in them: citizens have names of the run, texts are tokens.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.faults.cases import tokens_in
from tests.faults.records import Aftermath, Arrival, Op


class Recorder:
    """Thread-safe. Every line is in the file before the call returns."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._lock = threading.Lock()
        self._ops = (folder / "operations.jsonl").open("ab", buffering=0)
        self._arrivals = (folder / "arrivals.jsonl").open("ab", buffering=0)
        self._faults = (folder / "faults.jsonl").open("ab", buffering=0)
        self._number = 0
        self._seen: set[tuple[str, str]] = set()

    def close(self) -> None:
        for file in (self._ops, self._arrivals, self._faults):
            file.close()

    def begin(self, **what: Any) -> int:
        """An operation begins; returns its number."""
        with self._lock:
            self._number += 1
            self._line(self._ops, {"n": self._number, "begin": time.time(), **what})
            return self._number

    def end(self, number: int, **told: Any) -> None:
        """Its answer is there (or will never be: ``status`` unknown, and no end)."""
        end = None if told.get("status") == "unknown" else time.time()
        with self._lock:
            self._line(self._ops, {"n": number, "end": end, **told})

    def arrival(self, arrival: Arrival, body: bytes) -> None:
        """A message is at its receiver; of its content, no more than the tokens is kept."""
        found = tokens_in(body.decode("utf-8", "replace")).values()
        with self._lock:
            self._line(self._arrivals, asdict(arrival))
            self._seen |= {(arrival.receiver, token) for token in found}

    def has(self, receiver: str, token: str) -> bool:
        """The receiver has been told what this change says."""
        with self._lock:
            return (receiver, token) in self._seen

    def keep(self, after: Aftermath) -> None:
        """What the database held at the end, beside what everybody did."""
        text = json.dumps(asdict(after), ensure_ascii=False, indent=1)
        (self.folder / "aftermath.json").write_text(text, "utf-8")

    def fault(self, **what: Any) -> None:
        with self._lock:
            self._line(self._faults, {"at": time.time(), **what})

    @staticmethod
    def _line(file: Any, value: dict[str, Any]) -> None:
        file.write(json.dumps(value, ensure_ascii=False, default=sorted).encode() + b"\n")


def operations(folder: Path) -> tuple[Op, ...]:
    """Everything that was begun, with what came of it."""
    found: dict[int, dict[str, Any]] = {}
    for line in _lines(folder / "operations.jsonl"):
        number = line.pop("n")
        found.setdefault(number, {"end": None, "status": "unknown"}).update(line)
    for op in found.values():
        op["permits"] = frozenset(op.get("permits", ()))
    return tuple(Op(**op) for op in found.values())


def arrivals(folder: Path) -> tuple[Arrival, ...]:
    """Every message at its receiver, in the order they were written down."""
    return tuple(Arrival(**line) for line in _lines(folder / "arrivals.jsonl"))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text("utf-8").splitlines():
        yield json.loads(line)

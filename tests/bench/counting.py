"""Time, statements and transactions of a number of acts."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, event


@dataclass
class Counted:
    """What a stretch of work took."""

    acts: int = 0
    seconds: float = 0
    cpu: float = 0
    """Seconds of this process; a busy machine changes them less."""
    statements: Counter[str] = field(default_factory=Counter)
    commits: int = 0

    @property
    def each_second(self) -> float:
        """Acts a second."""
        return self.acts / self.seconds

    @property
    def cpu_each(self) -> float:
        """Milliseconds of this process's CPU for one act."""
        return 1000 * self.cpu / self.acts

    @property
    def statements_each(self) -> float:
        """SQL statements of one act."""
        return self.statements.total() / self.acts

    @property
    def commits_each(self) -> float:
        """Transactions that were committed for one act."""
        return self.commits / self.acts


@contextmanager
def counting(engine: Engine) -> Iterator[Counted]:
    """Everything that goes through the engine meanwhile; the caller says how many acts it was."""
    counted = Counted()

    def statement(_c: Any, _cursor: Any, text: str, *_more: Any) -> None:
        counted.statements[text] += 1

    def commit(_c: Any) -> None:
        counted.commits += 1

    listeners: list[tuple[str, Callable[..., None]]] = [
        ("before_cursor_execute", statement),
        ("commit", commit),
    ]
    for name, listener in listeners:
        event.listen(engine, name, listener)
    begun, cpu = time.perf_counter(), time.process_time()
    try:
        yield counted
    finally:
        counted.seconds = time.perf_counter() - begun
        counted.cpu = time.process_time() - cpu
        for name, listener in listeners:
            event.remove(engine, name, listener)

"""Structured logs: a constant event name and identifiers; never a resource, never a person."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from threading import Lock
from typing import Final

import structlog
from structlog.typing import EventDict

QUIET: Final = 60.0
"""Seconds for which the same passing trouble is not told again."""
_PASSING: Final = range(1500, 1600)
"""Numbers of the errors that pass (hub.errors.Temporary)."""


class OnceInAWhile:
    """Lets a line about a passing trouble through once a minute, with how many were held back.

    While a database is full, everything that is tried fails in the same words, many times a
    second, and what matters would be lost among them. Lines are the same that have event and
    number in common, whatever they are about. A structlog processor; thread-safe.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._told: dict[tuple[str, int], float] = {}
        self._held: dict[tuple[str, int], int] = {}

    def __call__(self, _logger: object, _method: str, line: EventDict) -> EventDict:
        """The line, or DropEvent."""
        number = line.get("number")
        if not isinstance(number, int) or number not in _PASSING:
            return line
        key, now = (str(line["event"]), number), self._clock()
        with self._lock:
            last = self._told.get(key)
            if last is not None and now - last < QUIET:
                self._held[key] = self._held.get(key, 0) + 1
                raise structlog.DropEvent
            self._told[key] = now
            held = self._held.pop(key, 0)
        return {**line, "held_back": held} if held else line


def configure(level: str = "INFO", *, as_json: bool = False) -> None:
    """Write to stderr; stdout belongs to what a command prints."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            OnceInAWhile(),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    # pika logs whole connection errors at its own discretion; ours say what matters.
    logging.getLogger("pika").setLevel(logging.CRITICAL)

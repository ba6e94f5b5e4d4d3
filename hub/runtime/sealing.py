"""The sealer's loop: a thread of each long-running process, and once more when a process ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Final

import structlog

from hub.errors import Temporary
from hub.services.hub import Hub
from hub.services.seal import seal

LOG = structlog.get_logger()
EVERY: Final = 1.0
"""Seconds between two looks for rows to seal."""


@contextmanager
def sealing(hub: Hub) -> Iterator[None]:
    """Seal in the background for as long as this lasts, and at its end."""
    stop = Event()
    thread = Thread(target=_loop, args=(hub, stop), name="sealer")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        seal_now(hub)


def seal_now(hub: Hub) -> None:
    """Seal what waits, if the database can be reached; else another process does it later."""
    try:
        seal(hub)
    except Temporary as e:
        LOG.warning("sealer.later", number=e.number)


def _loop(hub: Hub, stop: Event) -> None:
    while not stop.wait(EVERY):
        try:
            seal_now(hub)
        except Exception as e:
            # The next round tries again; a sealer that is gone would leave the tail to grow.
            LOG.error("sealer.failed", error=type(e).__name__)

"""Long-running loops: the worker, the broker's listener, and how they stop."""

from __future__ import annotations

from threading import Event, Thread

import structlog

from hub.errors import Temporary
from hub.services.hub import Hub
from hub.services.let_go import let_go
from hub.services.senders import Senders
from hub.services.silence import watch_silence
from hub.services.strays import compare_due
from hub.services.worker import maintain, receive, work_once

LOG = structlog.get_logger()
MAINTENANCE_ROUNDS = 600
WATCH_SECONDS = 60.0
"""Between two looks for silent receivers, and for whether it is time to compare."""


def work(hub: Hub, stop: Event, poll: float) -> None:
    """Work until told to stop; what is in hand is finished first."""
    rounds, last, senders = 0, hub.clock(), Senders(hub)
    while not stop.is_set():
        try:
            done = work_once(hub, senders)
            before, last = last, hub.clock()
            if rounds % MAINTENANCE_ROUNDS == 0 or last < before:
                maintain(hub)
            rounds += 1
        except Temporary as e:
            # Whatever was in hand is a row with a lease; it comes back by itself.
            LOG.warning("worker.waits", number=e.number)
            done = 0
            stop.wait(poll)
        if done == 0:
            hub.wake.wait(poll)
            hub.wake.clear()
    senders.close(hub.limits.stop_wait.total_seconds())


def watch(hub: Hub, stop: Event, every: float = WATCH_SECONDS) -> None:
    """Look after what nobody else would see; in a thread of its own, so that it delays nobody."""
    while not stop.wait(every):
        try:
            watch_silence(hub)
            compare_due(hub, stop.is_set)
        except Temporary as e:
            LOG.warning("watch.waits", number=e.number)


class Loops:
    """The background threads of one process."""

    def __init__(self, hub: Hub, poll: float, watch_every: float = WATCH_SECONDS) -> None:
        self.stop = Event()
        self._hub = hub
        self._threads = [
            Thread(target=work, args=(hub, self.stop, poll), name="worker"),
            Thread(
                target=hub.bus.listen,
                args=(lambda m: receive(hub, m), self.stop, hub.store.check),
                name="listener",
            ),
            Thread(target=watch, args=(hub, self.stop, watch_every), name="watch"),
        ]

    def start(self) -> None:
        """Start them."""
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        """Stop, wait for what is in hand, and leave no claim behind."""
        self._hub.hand.ending.set()
        self.stop.set()
        self._hub.wake.set()
        for thread in self._threads:
            thread.join()
        let_go(self._hub)

    @property
    def alive(self) -> bool:
        """All still run; a dead thread must take the process with it."""
        return all(t.is_alive() for t in self._threads)

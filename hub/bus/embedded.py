"""Durable queues in the hub's own database: no broker, one process.

The same queues serve every mailbox, also beside RabbitMQ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Event

from hub.ports import Clock, InboundHandler, PartyAccess, QueueDepth, Waits
from hub.sending import Confirm, Outgoing
from hub.store.work import Store


class EmbeddedBus:
    """Implements :class:`hub.ports.Bus` on the store; nothing comes in but over HTTP."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def publish(self, queue: str, message: Outgoing) -> Confirm:
        """Committed when it returns; a key already in the queue is not added again."""
        return self.publish_many([(queue, message)])[0]

    def publish_many(self, batch: Sequence[tuple[str, Outgoing]]) -> list[Confirm]:
        """All in one commit."""
        with self._store.writing() as work:
            for queue, message in batch:
                work.queues.add(queue, message, self._clock())
            work.commit()
        return [Confirm(True) for _ in batch]

    def take_back(self, queue: str, note: Callable[[Sequence[Waits]], None]) -> None:
        """See Bus. Whoever has fetched a message is in the audit; here nothing is handed out."""
        with self._store.reading() as work:
            keys = [m.key for m in work.queues.waiting(queue, limit=None)]
        if not keys:
            return
        note([Waits(key, seen=False) for key in keys])
        with self._store.writing() as work:
            work.queues.forget(queue, keys)
            work.commit()

    def provision(self, parties: Sequence[PartyAccess]) -> None:
        """Queues are rows; there is nothing to declare."""

    def listen(
        self, handler: InboundHandler, stop: Event, ready: Callable[[], None] = lambda: None
    ) -> None:
        """Nothing comes in here; wait for the end."""
        stop.wait()

    def ready(self, queue: str) -> int:
        """Messages that no receiver has receipted."""
        with self._store.reading() as work:
            return work.queues.depths().get(queue, 0)

    def depths(self) -> list[QueueDepth]:
        """Messages that no receiver has receipted."""
        with self._store.reading() as work:
            found = work.queues.depths()
        return [QueueDepth(name, ready, 0, 0) for name, ready in sorted(found.items())]

    def check(self) -> None:
        """The database answers."""
        self._store.check()

    def expect_room(self) -> None:
        """There is no broker to be short of anything; of its disk the store tells."""

    def close(self) -> None:
        """The store is closed by who opened it."""

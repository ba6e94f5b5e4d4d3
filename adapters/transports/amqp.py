"""The party's own queue on the broker; on the embedded deployment, in the database."""

from __future__ import annotations

from collections.abc import Sequence

from hub.sending import Confirm, Endpoint, Outgoing, PartyQueues, Transport, TransportContext


class QueueTransport:
    """Publishes to the queue that the endpoint names."""

    def __init__(self, queues: PartyQueues, *, on_broker: bool = False) -> None:
        """``on_broker``: the queues are outside the hub's database."""
        self._queues = queues
        self.on_broker = on_broker

    def send(self, message: Outgoing, endpoint: Endpoint) -> Confirm:
        """Durable when accepted."""
        return self._queues.publish(endpoint.address, message)

    def send_many(self, batch: Sequence[tuple[Outgoing, Endpoint]]) -> list[Confirm]:
        """The same for several, whose confirms are awaited together."""
        return self._queues.publish_many([(e.address, m) for m, e in batch])


def create(context: TransportContext) -> Transport:
    """For the entry point."""
    return QueueTransport(context.queues, on_broker=context.queues is not context.mailboxes)

"""Taking messages back out of a queue on the broker.

Not ``queue.purge``: that tells how many were there, and not which. Each message is fetched and
kept unacknowledged; when everything that waited is noted, all of it is acknowledged. A connection
that ends before that gives it all back to the queue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from pika.adapters.blocking_connection import BlockingChannel

from hub.ports import Waits

AT_ONCE: Final = 200
"""Messages in hand: a deep queue is taken in several steps."""


def take_back(
    channel: BlockingChannel, queue: str, note: Callable[[Sequence[Waits]], None]
) -> None:
    """See Bus.take_back; raises pika's errors."""
    while True:
        taken = list(_in_hand(channel, queue))
        if not taken:
            return
        note([waits for _, waits in taken])
        channel.basic_ack(taken[-1][0], multiple=True)
        # The broker answers in order: after this the acknowledgements have been carried out.
        channel.queue_declare(queue, passive=True)


def _in_hand(channel: BlockingChannel, queue: str) -> Iterator[tuple[int, Waits]]:
    for _ in range(AT_ONCE):
        method, properties, _body = channel.basic_get(queue)
        if method is None:
            return
        key = (properties.message_id if properties else None) or ""
        yield method.delivery_tag or 0, Waits(key, seen=bool(method.redelivered))

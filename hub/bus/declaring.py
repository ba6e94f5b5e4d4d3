"""Declaring the topology on a broker, and looking at what is there."""

from __future__ import annotations

from collections.abc import Sequence

import pika
from pika.exceptions import ChannelClosedByBroker

from hub.bus.topology import Queue, Topology
from hub.errors import Misconfigured


def declare(connection: pika.BlockingConnection, wanted: Topology) -> None:
    """Make sure that all of it is there; a channel each, because the broker closes one at a
    mismatch. Raises Misconfigured for that, BusUnavailable's causes as they come."""
    for exchange in wanted.exchanges:
        channel = connection.channel()
        try:
            channel.exchange_declare(
                exchange.name, exchange.type, durable=True, arguments=exchange.arguments
            )
        except ChannelClosedByBroker as error:
            raise _mismatch("exchange", exchange.name, error) from error
        channel.close()
    for queue in wanted.queues:
        _declare_queue(connection, queue)
    channel = connection.channel()
    for binding in wanted.bindings:
        channel.queue_bind(binding.queue, binding.exchange, binding.key)
    channel.close()


def _declare_queue(connection: pika.BlockingConnection, queue: Queue) -> None:
    channel = connection.channel()
    try:
        channel.queue_declare(queue.name, durable=True, arguments=queue.arguments)
    except ChannelClosedByBroker as error:
        raise _mismatch("queue", queue.name, error) from error
    channel.close()


def _mismatch(what: str, name: str, error: ChannelClosedByBroker) -> Misconfigured:
    if error.reply_code == 403:
        return Misconfigured(f"The hub's user may not declare the {what} {name}")
    return Misconfigured(
        f"The {what} {name} exists on the broker with other arguments (code {error.reply_code}); "
        "see deploy/rabbitmq/README.md"
    )


def missing(connection: pika.BlockingConnection, names: Sequence[str]) -> list[str]:
    """Those of the queues that are not there."""
    return [name for name in names if _ready(connection, name) is None]


def count(connection: pika.BlockingConnection, name: str) -> int:
    """Messages that lie in the queue and are in nobody's hands; 0 where there is no such queue."""
    return _ready(connection, name) or 0


def _ready(connection: pika.BlockingConnection, name: str) -> int | None:
    channel = connection.channel()
    try:
        found = channel.queue_declare(name, passive=True)
    except ChannelClosedByBroker as error:
        if error.reply_code != 404:
            raise
        return None
    channel.close()
    return int(found.method.message_count)

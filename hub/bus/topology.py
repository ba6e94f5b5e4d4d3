"""The hub's exchanges, queues and rights on a broker, as data. No broker library here.

::

    parties ─publish─▶ ki.inbound  (topic)  ──"#"──────▶ queue ki.inbound ─┐
    parties ─publish─▶ ki.receipts (direct) ──"receipt"─▶ queue ki.receipts ─┼─▶ the hub
    hub ────publish──▶ ki.outbound (direct) ──its name──▶ queue party.<id>.deliveries ─▶ party
                                            ──its name──▶ queue party.<id>.answers ────▶ party
    every queue ─given up─▶ ki.dead (fanout) ──────────▶ queue ki.dead ──────┘

Every queue is a durable quorum queue. A message that was given up (delivery limit, refused) goes
to ``ki.dead`` *at least once*: it leaves its queue only when ``ki.dead`` has confirmed it. That
strategy needs ``x-overflow=reject-publish`` and that the publisher of a full queue is told so. No
queue has a time to live: a care plan never expires silently.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from hub.ports import answers_queue, deliveries_queue

INBOUND = "ki.inbound"
"""Exchange and queue of the documents that parties publish; routing key: the format's name."""
RECEIPTS = "ki.receipts"
"""Exchange and queue of the parties' receipts: JSON with delivery, outcome and text."""
RECEIPT_KEY = "receipt"
"""Routing key of a receipt."""
OUTBOUND = "ki.outbound"
"""Exchange of the parties' queues; routing key: the queue's name."""
DEAD = "ki.dead"
"""Exchange and queue of what was given up."""

DELIVERY_LIMIT = 20
"""A message put back this many times is dead at the next time."""
NO_DELIVERY_LIMIT = 1_000_000_000
"""For ``ki.dead``, which has no place to go on to. A number and not an absent argument, because
RabbitMQ 4 puts a limit of 20 on a quorum queue that names none, and then drops the message."""

Argument = str | int


@dataclass(frozen=True)
class Exchange:
    """A durable exchange."""

    name: str
    type: Literal["topic", "direct", "fanout"]
    arguments: Mapping[str, Argument] = field(default_factory=dict)


@dataclass(frozen=True)
class Queue:
    """A durable quorum queue."""

    name: str
    arguments: Mapping[str, Argument]


@dataclass(frozen=True)
class Binding:
    """From an exchange to a queue."""

    exchange: str
    queue: str
    key: str


@dataclass(frozen=True)
class Rights:
    """What one user may do, as the broker's regular expressions over resource names."""

    configure: str
    write: str
    read: str


@dataclass(frozen=True)
class Topology:
    """Everything to declare, in this order."""

    exchanges: tuple[Exchange, ...]
    queues: tuple[Queue, ...]
    bindings: tuple[Binding, ...]


def topology(parties: Sequence[str], delivery_limit: int = DELIVERY_LIMIT) -> Topology:
    """The hub's own queues and two for each party id."""
    # What no binding takes (a receipt with another routing key) is kept with the dead letters
    # instead of being dropped by the broker. ki.outbound has no such net: there the hub itself
    # publishes, and learns by `mandatory` that a queue is missing.
    kept = {"alternate-exchange": DEAD}
    exchanges = (
        Exchange(DEAD, "fanout"),
        Exchange(INBOUND, "topic", kept),
        Exchange(RECEIPTS, "direct", kept),
        Exchange(OUTBOUND, "direct"),
    )
    own = (queue(INBOUND, delivery_limit), queue(RECEIPTS, delivery_limit))
    dead = Queue(DEAD, {"x-queue-type": "quorum", "x-delivery-limit": NO_DELIVERY_LIMIT})
    names = [name for party in parties for name in (deliveries_queue(party), answers_queue(party))]
    bindings = (
        Binding(DEAD, DEAD, ""),
        Binding(INBOUND, INBOUND, "#"),
        Binding(RECEIPTS, RECEIPTS, RECEIPT_KEY),
        *(Binding(OUTBOUND, name, name) for name in names),
    )
    queues = (dead, *own, *(queue(name, delivery_limit) for name in names))
    return Topology(exchanges, queues, bindings)


def party_rights(party: str) -> Rights:
    """A party publishes documents and receipts, reads its own two queues, and declares nothing."""
    own = re.escape(party)
    return Rights(
        configure="^$",
        write=rf"^({re.escape(INBOUND)}|{re.escape(RECEIPTS)})$",
        read=rf"^party\.{own}\.(deliveries|answers)$",
    )


def is_hub_queue(name: str) -> bool:
    """One of the topology's queues, whoever the party is."""
    return name in (INBOUND, RECEIPTS, DEAD) or bool(
        re.fullmatch(r"party\.[a-z0-9-]+\.(deliveries|answers)", name)
    )


def queue(name: str, delivery_limit: int) -> Queue:
    """A queue of this topology, but for ``ki.dead``."""
    return Queue(
        name,
        {
            "x-queue-type": "quorum",
            "x-delivery-limit": delivery_limit,
            "x-dead-letter-exchange": DEAD,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        },
    )

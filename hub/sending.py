"""What transports see of the hub. Standard library only.

A transport moves bytes and knows nothing of content; transports are found by entry points
(``ki_hub.transports``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from hub.outside import Outside


@dataclass(frozen=True)
class Endpoint:
    """Where a transport delivers to."""

    transport: str
    address: str
    """What the transport understands: a queue, an https URL, a folder."""
    secret: str | None = None
    timeout: float | None = None
    """Seconds for one send, where the receiver asks for fewer than the transport gives."""


@dataclass(frozen=True)
class Outgoing:
    """Bytes on their way out; ``key`` lets the receiver tell a resend from a new message."""

    key: str
    body: bytes
    media_type: str
    headers: Mapping[str, str]
    """No personal data: delivery id, sequence, format."""


@dataclass(frozen=True)
class Confirm:
    """What the next hop said. ``accepted`` means: it keeps the bytes, durably."""

    accepted: bool
    reason: str = ""
    permanent: bool = False
    """Not accepted, and the same bytes never will be."""
    answer: bytes = b""
    """What the next hop answered, cut off at 64 kB; empty where the transport gives none."""
    answer_type: str = ""
    """Its media type."""


class PartyQueues(Protocol):
    """The hub's own durable queues, one per party; what the ``amqp`` transport publishes to."""

    def publish(self, queue: str, message: Outgoing) -> Confirm:
        """Durable when it returns accepted; raises BusUnavailable when nobody knows."""
        ...

    def publish_many(self, batch: Sequence[tuple[str, Outgoing]]) -> list[Confirm]:
        """Several, their confirms awaited together; one Confirm each, in order."""
        ...


@dataclass(frozen=True)
class TransportContext:
    """What a transport is made from."""

    queues: PartyQueues
    """The broker's queues; on the embedded deployment the same as ``mailboxes``."""
    mailboxes: PartyQueues
    """Queues in the hub's own database, fetched and receipted over HTTP."""
    timeout: float
    """Seconds for one send."""
    outside: Outside
    """Calls to other servers."""


class Transport(Protocol):
    """Moves bytes; knows nothing of content."""

    def send(self, message: Outgoing, endpoint: Endpoint) -> Confirm:
        """Hand over once; a Confirm, or a Temporary error. May be repeated with the same key."""
        ...


@runtime_checkable
class Batching(Protocol):
    """A transport that is quicker with many at once; one batch is on its way at a time."""

    def send_many(self, batch: Sequence[tuple[Outgoing, Endpoint]]) -> list[Confirm]:
        """One Confirm each, in order; a Temporary error is one of them all."""
        ...


TransportFactory = Callable[[TransportContext], Transport]

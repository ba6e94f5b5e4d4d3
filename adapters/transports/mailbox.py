"""A queue in the hub's database that the party fetches from over HTTP."""

from __future__ import annotations

from adapters.transports.amqp import QueueTransport
from hub.sending import Transport, TransportContext


def create(context: TransportContext) -> Transport:
    """For the entry point."""
    return QueueTransport(context.mailboxes)

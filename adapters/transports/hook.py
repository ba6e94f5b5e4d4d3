"""POST to where a subscriber wants to be told; past any proxy, so that it goes where it says."""

from __future__ import annotations

from adapters.transports.https import HttpsTransport
from hub.sending import Transport, TransportContext


def create(context: TransportContext) -> Transport:
    """For the entry point."""
    return HttpsTransport(context.outside, context.timeout, direct=True)

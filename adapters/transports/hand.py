"""A person hands it over; the hand-over is recorded by that person, as the receipt."""

from __future__ import annotations

from collections.abc import Sequence

from hub.sending import Confirm, Endpoint, Outgoing, Transport, TransportContext


class ByHand:
    """The bytes are kept with the delivery; there is nowhere else to bring them."""

    def send(self, message: Outgoing, endpoint: Endpoint) -> Confirm:
        """Ready to be handed over."""
        return Confirm(True)

    def send_many(self, batch: Sequence[tuple[Outgoing, Endpoint]]) -> list[Confirm]:
        """All ready."""
        return [Confirm(True) for _ in batch]


def create(context: TransportContext) -> Transport:
    """For the entry point."""
    return ByHand()

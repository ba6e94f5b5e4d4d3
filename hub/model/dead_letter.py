"""What the broker gave up: where it came from, and so what can be done with it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

Way = Literal["document", "receipt", "delivery", "answer", "unknown"]
"""In: a party's document or receipt. Out: a delivery, or an answer. Else nobody can say."""
WAYS: Final[tuple[Way, ...]] = ("document", "receipt", "delivery", "answer", "unknown")


@dataclass(frozen=True)
class DeadLetter:
    """One of them, by its envelope alone."""

    key: str
    at: datetime
    user: str
    """The party that the broker knew as its sender; empty for the hub's own."""
    reason: str
    """What happened to it, and in which queue."""
    format: str
    """Of a document: its routing key."""
    message_id: str
    """As its sender gave it; of the hub's own, the delivery or the message that was answered."""
    media_type: str
    size: int
    """Bytes; none where they were more than is kept."""

    @property
    def queue(self) -> str:
        """Where it died; for what no binding took, the exchange."""
        return self.reason.partition("; ")[0].rpartition(" in ")[2].partition(":")[0]

    @property
    def way(self) -> Way:
        """What it was."""
        if self.queue == "ki.inbound":
            return "document" if self.user and self.format else "unknown"
        if self.queue == "ki.receipts":
            return "receipt" if self.user else "unknown"
        if self.user or not self.message_id or not self.queue.startswith("party."):
            return "unknown"
        return "answer" if self.queue.endswith(".answers") else "delivery"


def read_letter(
    key: str, at: datetime, headers: Mapping[str, str], media_type: str, size: int
) -> DeadLetter:
    """As the worker wrote it down."""
    said = {name: headers.get(name, "") for name in ("user", "reason", "format")}
    return DeadLetter(
        key, at, **said, message_id=headers.get("message-id", ""), media_type=media_type, size=size
    )

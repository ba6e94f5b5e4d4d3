"""What this process has claimed, so that it can be let go when the process ends."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock

_BEGINNING = 8
"""Characters of a claim's token that say which process it is."""


class InHand:
    """A process' claims. Thread-safe."""

    def __init__(self) -> None:
        self.ending = Event()
        """The process ends: nothing new is taken in hand."""
        self.process = uuid.uuid4().hex[:_BEGINNING]
        """What its tokens begin with."""
        self._lock = Lock()
        self._messages: set[str] = set()

    def token(self) -> str:
        """For one round of claims: another each time, for a claim of this process may lapse too."""
        return f"{self.process}-{uuid.uuid4()}"

    @contextmanager
    def message(self, item_id: str) -> Iterator[None]:
        """A claimed message is worked on for as long as this lasts."""
        with self._lock:
            self._messages.add(item_id)
        try:
            yield
        finally:
            with self._lock:
                self._messages.discard(item_id)

    def messages(self) -> frozenset[str]:
        """The messages that are worked on now."""
        with self._lock:
            return frozenset(self._messages)

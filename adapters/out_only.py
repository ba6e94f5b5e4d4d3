"""What adapters that only make documents have in common: nothing comes in."""

from __future__ import annotations

import hashlib
from typing import ClassVar, NoReturn

from hub.contract import Context, RawMessage
from hub.errors import Unsupported


class OutOnly:
    """The way in of a format that has none."""

    media_types: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    refusal: ClassVar[str]
    """Why it is not read, and what to send instead."""

    def fingerprint(self, message: RawMessage) -> str:
        """The SHA-256 of the bytes: two scans of one paper are two messages."""
        return hashlib.sha256(message.body).hexdigest()

    def parse(self, message: RawMessage, context: Context) -> NoReturn:
        """Always raises Unsupported, with the format's own reason."""
        raise Unsupported(self.refusal)

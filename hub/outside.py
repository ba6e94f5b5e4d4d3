"""Calls to other servers, as transports and whoever asks an issuer see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Answered:
    """What another server said."""

    status: int
    body: bytes
    """Cut off at 64 kB."""
    media_type: str


class Outside(Protocol):
    """Calls to other servers, as the operator allows them.

    The name is looked up once, every address found must be allowed, and that address is called;
    no redirect is followed.
    """

    def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes = b"",
        timeout: float,
        direct: bool = True,
    ) -> Answered:
        """One request; ``direct``: past any proxy that the environment names.

        Raises NotAllowed for an address that may not be called, ReceiverUnavailable where it does
        not answer.
        """
        ...

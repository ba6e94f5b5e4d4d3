"""A machine client of a party or an operator, and what it was granted. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from hub.model.scopes import Scopes

Owner = Literal["party", "operator"]


@dataclass(frozen=True)
class Client:
    """As the parties file has it."""

    id: str
    kind: Owner
    owner: str
    """The party's id, or the operator's."""
    scopes: str
    """The most it may be granted."""
    jwks: Mapping[str, Any] | None = None
    """Its public keys; it signs with the private one to get a token."""
    jwks_url: str | None = None
    """Where they are published instead."""
    certificate: str | None = None
    """SHA-256 of its TLS certificate (``x5t#S256``): its tokens hold on that connection alone."""


@dataclass(frozen=True)
class Grant:
    """What a valid token shows."""

    client: Client
    scopes: Scopes


@dataclass(frozen=True)
class Quota:
    """How much a party may send; None: no limit."""

    documents_a_minute: int | None = None
    bytes_a_day: int | None = None

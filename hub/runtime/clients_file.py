"""Machine clients and quotas in the parties file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from hub.model.client import Quota
from hub.model.scopes import unknown_words
from hub.runtime.yaml_node import Node

_CLIENT: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_SHA256: Final = r"[A-Za-z0-9_-]{43}"
"""Base64url of a SHA-256, as ``x5t#S256`` is written (RFC 8705)."""


@dataclass(frozen=True)
class ClientEntry:
    """A machine client as the file has it: its keys, or where they are published."""

    id: str
    scopes: str
    jwks: Mapping[str, Any] | None
    jwks_url: str | None
    certificate: str | None


def clients(node: Node) -> tuple[ClientEntry, ...]:
    """The clients of a party or an operator."""
    return tuple(_client(n) for n in node.child("clients", list, []).items())


def _client(node: Node) -> ClientEntry:
    node.keys("id", "scopes", "jwks", "jwks_url", "certificate")
    scopes = node.text("scopes")
    if unknown_words(scopes):
        node.child("scopes", str).fail("write scopes such as system/CarePlan.rs, with spaces")
    if "jwks" in node.value and "jwks_url" in node.value:
        node.fail("jwks or jwks_url, not both")
    return ClientEntry(
        id=node.text("id", _CLIENT),
        scopes=scopes,
        jwks=_jwks(node.child("jwks", dict)) if "jwks" in node.value else None,
        jwks_url=node.text("jwks_url", r"https?://\S+") if "jwks_url" in node.value else None,
        certificate=node.text("certificate", _SHA256) if "certificate" in node.value else None,
    )


def _jwks(node: Node) -> Mapping[str, Any]:
    """Public keys alone: a part of a private key is an unknown key of the file."""
    keys = node.keys("keys").child("keys", list)
    for key in keys.items():
        key.keys("kty", "kid", "use", "alg", "crv", "x", "y", "n", "e")
        key.text("kid")
        if key.choice("kty", "EC", "RSA") == "EC":
            key.choice("crv", "P-384")
    if not keys.value:
        keys.fail("at least one key")
    return cast(Mapping[str, Any], node.value)


def quota(node: Node) -> Quota:
    """How much a party may send."""
    node.keys("documents_a_minute", "bytes_a_day")
    return Quota(*(whole_number(node, k) for k in ("documents_a_minute", "bytes_a_day")))


def whole_number(node: Node, key: str) -> int | None:
    """Not negative; None where it is not said."""
    if key not in node.value:
        return None
    found = node.child(key, int)
    if found.value < 0:
        found.fail("a whole number; 0 is no limit")
    return cast(int, found.value)

"""Signed tokens read: signature, who made it, whom it is for, and that it holds now.

Why one was refused is for the log alone; the caller is told that it was.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from hub.errors import Issue, Unauthenticated

LEEWAY: Final = 30
"""Seconds that two clocks may differ."""
LONGEST: Final = 16 * 1024
STRONG: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Signatures of an outside issuer; never one with a shared secret, never none."""

Finder = Callable[[str | None], KeySet]
"""The keys that may have signed, given the token's ``kid``."""


class Refused(Unauthenticated):
    """The token does not hold; get a new one."""

    def __init__(
        self, why: str = "", *, at: str | None = None, issues: tuple[Issue, ...] = ()
    ) -> None:
        super().__init__(at=at, issues=issues)
        self.why = why
        """For the log; no claim's value."""


def read(
    text: str,
    keys: Finder,
    *,
    algorithms: Sequence[str],
    issuer: str,
    audience: str | Sequence[str],
    now: datetime,
    required: Sequence[str] = (),
) -> Mapping[str, Any]:
    """The claims of a token that holds; else Refused.

    ``exp``, ``iss`` and ``aud`` must be there, and so must ``required``; ``nbf`` and ``iat`` count
    where they are.
    """
    if len(text) > LONGEST or text.count(".") != 2:
        raise Refused("no signed token")
    wanted = [audience] if isinstance(audience, str) else [*audience]
    asked: dict[str, Any] = {name: {"essential": True} for name in ("exp", *required)}
    asked |= {"iss": {"essential": True, "value": issuer}}
    asked |= {"aud": {"essential": True, "values": wanted}}
    registry = jwt.JWTClaimsRegistry(now=int(now.timestamp()), leeway=LEEWAY, **asked)
    try:
        token = jwt.decode(text, keys(peek(text, 0).get("kid")), algorithms=[*algorithms])
        registry.validate(token.claims)
    except (JoseError, ValueError, RecursionError) as e:
        raise Refused(type(e).__name__) from None
    return token.claims


def peek(text: str, part: int) -> Mapping[str, Any]:
    """The header (0) or the claims (1), not yet believed; empty if it is none."""
    try:
        piece = text.split(".")[part]
        found = json.loads(urlsafe_b64decode(piece + "=" * (-len(piece) % 4)))
    except (ValueError, IndexError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def text_of(claims: Mapping[str, Any], name: str) -> str:
    """A claim that is a text; else empty."""
    found = claims.get(name)
    return found if isinstance(found, str) else ""

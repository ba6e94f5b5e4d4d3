"""Tokens of an issuer that others run, such as Keycloak: its keys fetched, its claims held to rule.

The parties file says which of its clients acts for whom, and what it may be granted at most.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from joserfc.jwk import KeySet

from hub.access.discovery import Discovery
from hub.access.granting import granted
from hub.access.keys import Published
from hub.access.tokens import LEEWAY, STRONG, Refused, read, text_of
from hub.model.client import Grant
from hub.ports import TokenRefused
from hub.store.work import Store

LONGEST_LIFE: Final = timedelta(minutes=5)
"""A token that holds longer is not taken: what it says may long be over."""


class ExternalIssuer:
    """Reads tokens; implements :class:`hub.ports.Tokens`."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        issuer: str,
        audience: str,
        published: Published,
    ) -> None:
        """``audience``: what ``aud`` of a token for this hub holds."""
        self._store = store
        self._clock = clock
        self._published = published
        self._audience = audience
        self._discovery = Discovery(published, clock, issuer)
        self.issuer = issuer

    @property
    def token_endpoint(self) -> str | None:
        """As the issuer says."""
        return self._discovery.get("token_endpoint")

    @property
    def jwks_uri(self) -> str:
        """As the issuer says."""
        return self._discovery.get("jwks_uri")

    def jwks(self) -> Mapping[str, Any] | None:
        """Not here."""
        return None

    def issue(self, form: Mapping[str, str], certificate: str | None) -> Mapping[str, Any]:
        """Not here; raises TokenRefused."""
        raise TokenRefused("unsupported_grant_type", "Tokens are given by the issuer, not here")

    def grant(self, token: str, certificate: str | None) -> Grant:
        """What a token shows now; raises Unauthenticated, or ReceiverUnavailable."""
        now = self._clock()
        claims = read(
            token, self._keys, algorithms=STRONG, issuer=self.issuer, audience=self._audience,
            now=now,
        )  # fmt: skip
        if claims["exp"] > (now + LONGEST_LIFE).timestamp() + LEEWAY:
            raise Refused("lives too long")
        client = text_of(claims, "client_id") or text_of(claims, "azp")
        return granted(self._store, claims, client, certificate)

    def _keys(self, kid: str | None) -> KeySet:
        return self._published.keys(self.jwks_uri, kid)

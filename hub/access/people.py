"""People log in at an OpenID provider: the authorisation code flow with PKCE.

OpenID Connect Core 1.0, 3.1, with RFC 7636: the answer must be to our own question (``state``), the
code is of use to us alone (``code_verifier``), and the ID token is for this login (``nonce``).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

from joserfc.jwk import KeySet

from hub.access.discovery import Discovery
from hub.access.keys import Published
from hub.access.tokens import STRONG, Refused, read, text_of
from hub.errors import ReceiverUnavailable
from hub.outside import Outside
from hub.ports import Begun, Person

_SECONDS: Final = 10.0
_SCOPE: Final = "openid profile"


@dataclass(frozen=True)
class Registered:
    """What the provider and the settings agree on."""

    issuer: str
    client: str
    secret: str = field(repr=False)
    redirect: str
    """Where the provider sends people back to."""
    roles: str
    """The claim with the roles; dots lead into it."""
    unit: str


class OpenId:
    """Implements :class:`hub.ports.People`."""

    def __init__(
        self,
        registered: Registered,
        published: Published,
        outside: Outside,
        clock: Callable[[], datetime],
    ) -> None:
        self._own = registered
        self._published = published
        self._outside = outside
        self._clock = clock
        self._discovery = Discovery(published, clock, registered.issuer)

    def begin(self) -> Begun:
        """As the protocol says."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        digest = hashlib.sha256(verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self._own.client,
            "redirect_uri": self._own.redirect,
            "scope": _SCOPE,
            "state": state,
            "nonce": nonce,
            "code_challenge": urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        address = self._discovery.get("authorization_endpoint")
        mark = "&" if "?" in address else "?"
        return Begun(f"{address}{mark}{urlencode(asked)}", state, nonce, verifier)

    def finish(self, begun: Begun, code: str) -> Person:
        """As the protocol says."""
        token = text_of(self._exchanged(begun, code), "id_token")
        claims = read(
            token, self._keys, algorithms=STRONG, issuer=self._own.issuer,
            audience=self._own.client, now=self._clock(), required=("sub", "iat"),
        )  # fmt: skip
        if not hmac.compare_digest(text_of(claims, "nonce"), begun.nonce):
            raise Refused("another nonce")
        # A token for several must say that it was given to us (Core, 3.1.3.7).
        if claims.get("azp", self._own.client) != self._own.client:
            raise Refused("given to another client")
        subject = text_of(claims, "sub")
        names = (text_of(claims, n) for n in ("name", "preferred_username"))
        return Person(
            subject=subject,
            name=next((n for n in names if n), subject),
            roles=frozenset(_texts(_inside(claims, self._own.roles))),
            unit=next(iter(_texts(_inside(claims, self._own.unit))), None),
        )

    def _exchanged(self, begun: Begun, code: str) -> Mapping[str, Any]:
        """The token endpoint's answer; the client shows its secret (RFC 6749, 2.3.1)."""
        form = {
            "grant_type": "authorization_code", "code": code,
            "redirect_uri": self._own.redirect, "code_verifier": begun.verifier,
        }  # fmt: skip
        known = f"{quote_plus(self._own.client)}:{quote_plus(self._own.secret)}"
        headers = {
            "Authorization": f"Basic {b64encode(known.encode()).decode()}",
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        found = self._outside.call(
            "POST", self._discovery.get("token_endpoint"), headers=headers,
            body=urlencode(form).encode(), timeout=_SECONDS, direct=False,
        )  # fmt: skip
        if found.status >= 500:
            raise ReceiverUnavailable("The login page's server does not answer")
        try:
            answer = json.loads(found.body)
        except ValueError:
            answer = None
        if found.status != 200 or not isinstance(answer, dict):
            raise Refused(f"the token endpoint answered {found.status}")
        return answer

    def _keys(self, kid: str | None) -> KeySet:
        return self._published.keys(self._discovery.get("jwks_uri"), kid)


def _inside(claims: Mapping[str, Any], path: str) -> Any:
    """``realm_access.roles`` leads into an object; a claim may also be named so in full."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _texts(value: Any) -> list[str]:
    """One text, several separated by spaces, or a list."""
    if isinstance(value, str):
        return value.split()
    return [v for v in value if isinstance(v, str)] if isinstance(value, list) else []

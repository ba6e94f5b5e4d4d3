"""Public keys of others: read, held to what is strong enough, and fetched where they are published.

JOSE is joserfc's work; it is loaded when the first key or token is handled.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from hub.errors import Invalid, ReceiverUnavailable
from hub.outside import Outside

KEPT: Final = timedelta(minutes=10)
"""So long are fetched keys taken for good."""
_AGAIN: Final = timedelta(seconds=30)
"""Keys that do not know a token's key are fetched anew, at most so often."""
_SECONDS: Final = 5.0
WEAKEST_RSA: Final = 2048


def public_keys(jwks: Mapping[str, Any]) -> KeySet:
    """The keys of a JWKS; raises Invalid for a private, weak, nameless or unreadable one."""
    listed = jwks.get("keys")
    if not isinstance(listed, list) or not listed:
        raise Invalid("a JWKS has a list of keys")
    return KeySet([_key(k) for k in listed])


def _key(written: Any) -> RSAKey | ECKey:
    if not isinstance(written, dict) or not isinstance(written.get("kid"), str):
        raise Invalid("every key has a kid")
    kind = written.get("kty")
    if kind not in {"RSA", "EC"}:
        raise Invalid("keys are RSA or EC")
    if kind == "RSA" and len(str(written.get("n", ""))) * 6 < WEAKEST_RSA:
        # Asked before it is read: six bits a letter.
        raise Invalid(f"an RSA key has at least {WEAKEST_RSA} bits")
    found: RSAKey | ECKey
    try:
        found = RSAKey.import_key(written) if kind == "RSA" else ECKey.import_key(written)
    except (JoseError, ValueError, TypeError):
        raise Invalid("a key cannot be read") from None
    if found.is_private:
        raise Invalid("a private key does not belong here; make a new pair")
    return found


@dataclass
class _Kept:
    """Keys and when they were fetched."""

    keys: KeySet
    at: datetime


class Published:
    """Keys that others publish, by address; shared between threads."""

    def __init__(self, outside: Outside, clock: Callable[[], datetime]) -> None:
        self._outside = outside
        self._clock = clock
        self._lock = Lock()
        self._kept: dict[str, _Kept] = {}

    def keys(self, url: str, kid: str | None) -> KeySet:
        """The keys at the address, fetched anew if they are old or do not know ``kid``.

        Raises ReceiverUnavailable if they cannot be had, Invalid if they are none.
        """
        now = self._clock()
        with self._lock:
            kept = self._kept.get(url)
            if kept is not None:
                age = now - kept.at
                if age < KEPT and (age < _AGAIN or _knows(kept.keys, kid)):
                    return kept.keys
            keys = public_keys(self.document(url))
            self._kept[url] = _Kept(keys, now)
        return keys

    def document(self, url: str) -> dict[str, Any]:
        """The JSON object at the address."""
        headers = {"Accept": "application/json"}
        found = self._outside.call("GET", url, headers=headers, timeout=_SECONDS, direct=False)
        if found.status != 200:
            raise ReceiverUnavailable(f"The keys cannot be had: {found.status}")
        try:
            document = json.loads(found.body)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise ReceiverUnavailable("What is published there is no JSON object")
        return document


def _knows(keys: KeySet, kid: str | None) -> bool:
    return any(k.kid == kid for k in keys.keys)

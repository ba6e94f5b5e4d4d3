"""What an issuer says of itself (OpenID Connect Discovery 1.0, RFC 8414)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Final

from hub.access.keys import Published
from hub.errors import Misconfigured

_KEPT: Final = timedelta(hours=1)
_PATH: Final = "/.well-known/openid-configuration"


class Discovery:
    """The issuer's document, kept for an hour; shared between threads."""

    def __init__(self, published: Published, clock: Callable[[], datetime], issuer: str) -> None:
        self._published = published
        self._clock = clock
        self._issuer = issuer
        self._lock = Lock()
        self._kept: tuple[datetime, Mapping[str, Any]] | None = None

    def get(self, name: str) -> str:
        """One address; raises Misconfigured if the issuer gives none, or is another's.

        Raises ReceiverUnavailable if it does not answer.
        """
        found = self._document().get(name)
        if not isinstance(found, str):
            raise Misconfigured(f"The issuer says no {name}")
        return found

    def _document(self) -> Mapping[str, Any]:
        now = self._clock()
        with self._lock:
            if self._kept is not None and now - self._kept[0] < _KEPT:
                return self._kept[1]
            document = self._published.document(self._issuer.rstrip("/") + _PATH)
            # Else one issuer could speak for another (OpenID Connect Discovery, 4.3).
            if document.get("issuer") != self._issuer:
                raise Misconfigured("The issuer calls itself otherwise; write it as it does")
            self._kept = (now, document)
        return document

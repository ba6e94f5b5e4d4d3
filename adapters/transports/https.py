"""POST to the party's own endpoint; the delivery's key is the Idempotency-Key."""

from __future__ import annotations

from hub.errors import NotAllowed, ReceiverUnavailable
from hub.outside import Outside
from hub.sending import Confirm, Endpoint, Outgoing, Transport, TransportContext

_TRY_AGAIN = {408, 425, 429}


class HttpsTransport:
    """One POST a message; redirects are not followed, they would change the receiver."""

    def __init__(self, outside: Outside, timeout: float, *, direct: bool = False) -> None:
        """``direct``: past any proxy that the environment names."""
        self._outside = outside
        self._timeout = timeout
        self._direct = direct

    def send(self, message: Outgoing, endpoint: Endpoint) -> Confirm:
        """2xx: kept. 408, 425, 429 and 5xx: later. Anything else: refused for good."""
        headers = {
            "Content-Type": message.media_type,
            "Idempotency-Key": message.key,
            **dict(message.headers),
        }
        if endpoint.secret:
            headers["Authorization"] = f"Bearer {endpoint.secret}"
        limit = min(self._timeout, endpoint.timeout or self._timeout)
        try:
            found = self._outside.call(
                "POST", endpoint.address, headers=headers, body=message.body, timeout=limit,
                direct=self._direct,
            )  # fmt: skip
        except NotAllowed as e:
            return Confirm(False, e.text, permanent=True)
        if 200 <= found.status < 300:
            return Confirm(True, answer=found.body, answer_type=found.media_type)
        if found.status in _TRY_AGAIN or found.status >= 500:
            raise ReceiverUnavailable(f"The endpoint answered {found.status}")
        reason = f"The endpoint refused it with {found.status}"
        return Confirm(False, reason, permanent=True)


def create(context: TransportContext) -> Transport:
    """For the entry point."""
    return HttpsTransport(context.outside, context.timeout)

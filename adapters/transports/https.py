"""POST to the party's own endpoint; the delivery's key is the Idempotency-Key."""

from __future__ import annotations

from functools import cache
from ssl import SSLContext
from time import monotonic
from urllib.parse import urlsplit

import httpx

from hub.contract import Confirm, Endpoint, Outgoing, Transport, TransportContext
from hub.errors import ReceiverUnavailable

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
MOST_ANSWERED = 64 * 1024
_TRY_AGAIN = {408, 425, 429}


class HttpsTransport:
    """One POST a message; redirects are not followed, they would change the receiver."""

    def __init__(self, timeout: float, *, direct: bool = False) -> None:
        """``direct``: past any proxy that the environment names, on a connection of its own."""
        self._timeout = timeout
        self._client = httpx.Client(
            follow_redirects=False,
            trust_env=not direct,
            verify=_trusted(trust_env=not direct),
            limits=httpx.Limits(max_connections=100, max_keepalive_connections=0 if direct else 20),
        )

    def send(self, message: Outgoing, endpoint: Endpoint) -> Confirm:
        """2xx: kept. 408, 425, 429 and 5xx: later. Anything else: refused for good."""
        if not _safe(endpoint.address):
            return Confirm(False, "The endpoint is no https address", permanent=True)
        headers = {
            "Content-Type": message.media_type,
            "Idempotency-Key": message.key,
            **dict(message.headers),
        }
        if endpoint.secret:
            headers["Authorization"] = f"Bearer {endpoint.secret}"
        limit = min(self._timeout, endpoint.timeout or self._timeout)
        try:
            with self._client.stream(
                "POST", endpoint.address, content=message.body, headers=headers, timeout=limit
            ) as response:
                answer = _beginning(response, monotonic() + limit)
        except httpx.InvalidURL:
            return Confirm(False, "The endpoint is no https address", permanent=True)
        except httpx.HTTPError as e:
            raise ReceiverUnavailable("The endpoint cannot be reached") from e
        if response.is_success:
            answer_type = response.headers.get("Content-Type", "")
            return Confirm(True, answer=answer, answer_type=answer_type)
        if response.status_code in _TRY_AGAIN or response.is_server_error:
            raise ReceiverUnavailable(f"The endpoint answered {response.status_code}")
        reason = f"The endpoint refused it with {response.status_code}"
        return Confirm(False, reason, permanent=True)


@cache
def _trusted(*, trust_env: bool) -> SSLContext:
    """Whom to believe; one for all clients, because reading all authorities costs 18 ms."""
    return httpx.create_ssl_context(trust_env=trust_env)


def _beginning(response: httpx.Response, until: float) -> bytes:
    """What was answered, cut off: an answer without end must not hold up the others."""
    found = b""
    for chunk in response.iter_bytes():
        found += chunk
        if len(found) >= MOST_ANSWERED or monotonic() > until:
            break
    return found[:MOST_ANSWERED]


def _safe(address: str) -> bool:
    """An https address, or on this machine http."""
    try:
        url = urlsplit(address)
        has_port = url.port is None or url.port > 0
    except ValueError:
        return False
    scheme = url.scheme == "https" or (url.scheme == "http" and url.hostname in _LOOPBACK)
    return scheme and bool(url.hostname) and has_port


def create(context: TransportContext) -> Transport:
    """For the entry point."""
    return HttpsTransport(context.timeout)

"""Every call that the hub makes to another server over HTTP: looked up once, and pinned.

The address that was checked is the address that is called, so that a name cannot lead elsewhere
between the two. TLS and the Host header still use the name. Connections are not kept: one to an
address is never used for another name at that address.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from ipaddress import ip_address
from time import monotonic
from typing import Final
from urllib.parse import SplitResult

import httpx

from hub.errors import NotAllowed, ReceiverUnavailable
from hub.model.reach import Reach, literal, parsed
from hub.outside import Answered

MOST_ANSWERED: Final = 64 * 1024
_PORTS: Final = {"http": 80, "https": 443}

Lookup = Callable[[str, int], Sequence[str]]


def look_up(host: str, port: int) -> list[str]:
    """The addresses of a name, as numbers; raises ReceiverUnavailable."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise ReceiverUnavailable("The endpoint's name cannot be looked up") from None
    return list(dict.fromkeys(str(f[4][0]) for f in found))


class Calls:
    """The one implementation of :class:`hub.outside.Outside`."""

    def __init__(self, reach: Reach, lookup: Lookup = look_up, trust: str | None = None) -> None:
        """``trust``: a file of certificate authorities in place of the usual ones."""
        self._reach = reach
        self._lookup = lookup
        self._trust = trust

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
        """As the protocol says."""
        found = parsed(url)
        if found is None:
            raise NotAllowed("The endpoint is no https address")
        until = monotonic() + timeout
        addresses = self._addresses(found)
        client = self._direct if direct else self._by_proxy
        for address in addresses:
            try:
                return _asked(client, method, found, address, headers, body, until)
            except httpx.ConnectError:
                # Nothing has left: another address of the same name may answer.
                continue
            except httpx.InvalidURL:
                raise NotAllowed("The endpoint is no https address") from None
            except httpx.HTTPError:
                break
        raise ReceiverUnavailable("The endpoint cannot be reached")

    def _addresses(self, url: SplitResult) -> list[str]:
        """Where the name leads, if every one of them may be called."""
        host = url.hostname or ""
        number = literal(host)
        port = url.port or _PORTS[url.scheme]
        found = [str(number)] if number else list(self._lookup(host, port))
        # A zone (fe80::1%eth0) belongs to what is link-local, which is never public.
        if not all(self._reach.allows(ip_address(a.partition("%")[0])) for a in found):
            raise NotAllowed
        return found

    @cached_property
    def _direct(self) -> httpx.Client:
        return self._client(trust_env=False)

    @cached_property
    def _by_proxy(self) -> httpx.Client:
        return self._client(trust_env=True)

    def _client(self, *, trust_env: bool) -> httpx.Client:
        if self._trust:
            verify = ssl.create_default_context(cafile=self._trust)
        else:
            verify = httpx.create_ssl_context(trust_env=True)
        limits = httpx.Limits(max_connections=100, max_keepalive_connections=0)
        return httpx.Client(
            verify=verify, trust_env=trust_env, limits=limits, follow_redirects=False
        )


def _asked(
    client: httpx.Client,
    method: str,
    url: SplitResult,
    address: str,
    headers: Mapping[str, str],
    body: bytes,
    until: float,
) -> Answered:
    host = f"[{address}]" if ":" in address else address
    pinned = url._replace(netloc=f"{host}:{url.port}" if url.port else host, fragment="").geturl()
    sent = {**headers, "Host": url.netloc}
    more = {"sni_hostname": url.hostname} if url.scheme == "https" else {}
    limit = max(0.001, until - monotonic())
    with client.stream(
        method, pinned, content=body, headers=sent, timeout=limit, extensions=more
    ) as response:
        answer = _beginning(response, until)
        return Answered(response.status_code, answer, response.headers.get("Content-Type", ""))


def _beginning(response: httpx.Response, until: float) -> bytes:
    """What was answered, cut off: an answer without end must not hold up the others."""
    found = b""
    for chunk in response.iter_bytes():
        found += chunk
        if len(found) >= MOST_ANSWERED or monotonic() > until:
            break
    return found[:MOST_ANSWERED]

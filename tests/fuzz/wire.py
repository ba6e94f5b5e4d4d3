"""One request over a socket of its own, byte for byte; no client library puts anything right."""

from __future__ import annotations

import http.client
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.fuzz.requests import Sent

TIMEOUT = 60.0


@dataclass(frozen=True)
class Got:
    """The answer."""

    status: int
    headers: dict[str, str]
    body: bytes


def exchange(base: str, sent: Sent) -> Got:
    """Send it to the server at ``base`` and read the whole answer."""
    where = urlsplit(base)
    head = [f"{sent.method} {sent.target} HTTP/1.1", f"Host: {where.netloc}", "Connection: close"]
    head += [f"{name}: {value}" for name, value in sent.headers]
    if sent.body or sent.method in {"POST", "PUT"}:
        head.append(f"Content-Length: {len(sent.body)}")
    raw = "\r\n".join([*head, "", ""]).encode("utf-8", "surrogateescape") + sent.body
    with socket.create_connection((str(where.hostname), where.port or 80), TIMEOUT) as connection:
        connection.sendall(raw)
        answer = http.client.HTTPResponse(connection, method=sent.method)
        answer.begin()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Got(answer.status, headers, answer.read())

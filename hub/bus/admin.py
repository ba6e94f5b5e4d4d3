"""What only the broker's management API can do: users, rights and queue figures.

https://www.rabbitmq.com/docs/management#http-api
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import httpx

from hub.bus.topology import Rights, is_hub_queue
from hub.errors import BusUnavailable, Misconfigured
from hub.ports import QueueDepth

TIMEOUT = 30.0
"""Seconds for one request."""


class Management:
    """The management API of one virtual host. Thread-safe."""

    def __init__(self, url: str, vhost: str) -> None:
        """``url`` is ``http://user:password@host:port``, or https."""
        try:
            base = httpx.URL(url)
            # httpx logs the URL of every request, so the password must not be in it.
            auth = httpx.BasicAuth(base.username, base.password) if base.username else None
            bare = base.copy_with(userinfo=b"")
            self._api = httpx.Client(base_url=bare, auth=auth, timeout=TIMEOUT)
        except (httpx.InvalidURL, ValueError, TypeError):
            raise Misconfigured("KI_HUB_BUS_ADMIN_URL is not a readable URL") from None
        self._vhost = quote(vhost, safe="")

    def close(self) -> None:
        """Let go of connections."""
        self._api.close()

    def put_party(self, user: str, secret: str | None, rights: Rights) -> None:
        """Make sure that the user exists and may do exactly this; sets the password if given.

        A new user without a secret can log in by certificate only. Raises Misconfigured when the
        user is one of the broker's administrators: a party id must never take such a user over.
        """
        known = self._ask("GET", f"/api/users/{quote(user, safe='')}", missing_ok=True)
        if known is not None and known.get("tags"):
            raise Misconfigured(f"The broker's user {user} has tags and cannot be a party")
        if secret is not None:
            self._put_user(user, {"password": secret, "tags": ""})
        elif known is None:
            self._put_user(user, {"password_hash": "", "tags": ""})
        body = {"configure": rights.configure, "write": rights.write, "read": rights.read}
        self._ask("PUT", f"/api/permissions/{self._vhost}/{quote(user, safe='')}", body)

    def depths(self) -> list[QueueDepth]:
        """The hub's queues by name; the broker renews these figures every few seconds."""
        columns = "name,messages_ready,messages_unacknowledged,consumers"
        rows: Any = self._ask("GET", f"/api/queues/{self._vhost}?columns={columns}")
        found = [
            QueueDepth(
                name=row["name"],
                # A queue made a moment ago has no figures yet, and nothing in it either.
                ready=row.get("messages_ready", 0),
                unacknowledged=row.get("messages_unacknowledged", 0),
                consumers=row.get("consumers", 0),
            )
            for row in rows
            if is_hub_queue(row["name"])
        ]
        return sorted(found, key=lambda depth: depth.name)

    def _put_user(self, user: str, body: Mapping[str, str]) -> None:
        self._ask("PUT", f"/api/users/{quote(user, safe='')}", body)

    def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, str] | None = None,
        *,
        missing_ok: bool = False,
    ) -> Any:
        with _translated():
            answer = self._api.request(method, path, json=body)
        if missing_ok and answer.status_code == 404:
            return None
        if answer.status_code in (401, 403):
            raise Misconfigured("The management API refuses the user in KI_HUB_BUS_ADMIN_URL")
        if answer.status_code >= 500:
            raise BusUnavailable(f"The management API answered {answer.status_code}")
        if answer.status_code >= 400:
            raise Misconfigured(f"The management API refused {method}: {answer.status_code}")
        return answer.json() if answer.content else None


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (httpx.HTTPError, ValueError) as error:
        raise BusUnavailable("The broker's management API cannot be reached") from error

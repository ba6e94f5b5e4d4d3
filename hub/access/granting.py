"""From a token's claims to what its client may do now, by the register."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any, Final

from hub.access.tokens import Refused, text_of
from hub.model.client import Grant
from hub.model.scopes import Scopes
from hub.store.work import Store

BOUND: Final = "x5t#S256"


def granted(
    store: Store, claims: Mapping[str, Any], client_id: str, certificate: str | None
) -> Grant:
    """The register is asked every time: a client taken off it is out at once.

    ``certificate`` is the connection's, by the trusted proxy. It must be the one that the token is
    bound to, and the one that the register binds the client to.
    """
    with store.reading() as work:
        client = work.clients.get(client_id)
    if client is None:
        raise Refused("unknown client")
    confirmed = claims.get("cnf")
    bound = text_of(confirmed, BOUND) if isinstance(confirmed, dict) else ""
    for wanted in (bound, client.certificate):
        if wanted and not hmac.compare_digest(wanted, certificate or ""):
            raise Refused("another certificate")
    if isinstance(confirmed, dict) and not bound:
        raise Refused("bound in a way that is not known here")
    scopes = Scopes.of(text_of(claims, "scope")).within(Scopes.of(client.scopes))
    return Grant(client, scopes)

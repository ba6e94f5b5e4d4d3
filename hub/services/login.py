"""Whose credential is this? For people who log in; the API asks with every request instead."""

from __future__ import annotations

from typing import Final

from hub.contract import Party
from hub.services.admin import credential_hash
from hub.services.denied import refuse_stranger
from hub.services.hub import Hub

_REASON: Final = "The credential is not known"


def operator_of(hub: Hub, secret: str) -> str | None:
    """The operator's name, or None if no operator has that credential."""
    with hub.store.reading() as work:
        found = work.parties.operator_by_credential(credential_hash(secret.strip()))
    if found is None:
        refuse_stranger(hub, "console/operator", reason=_REASON)
    return found


def party_of(hub: Hub, secret: str) -> Party | None:
    """The party, or None if no party has that credential."""
    with hub.store.reading() as work:
        found = work.parties.by_credential(credential_hash(secret.strip()))
    if found is None:
        refuse_stranger(hub, "console/party", reason=_REASON)
    return found.party if found else None

"""Who asks: a Bearer credential per party or operator. The hub keeps only hashes."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from hub.errors import Unauthenticated
from hub.model.party import RegisteredParty
from hub.services.admin import credential_hash
from hub.services.hub import Hub


def the_hub(request: Request) -> Hub:
    """The hub that this application serves."""
    hub = request.app.state.hub
    assert isinstance(hub, Hub)
    return hub


HubDep = Annotated[Hub, Depends(the_hub)]


def bearer(request: Request) -> str:
    """The credential's hash; raises Unauthenticated without one."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise Unauthenticated("Send your credential: Authorization: Bearer <credential>")
    return credential_hash(secret.strip())


def the_party(request: Request, hub: HubDep) -> RegisteredParty:
    """The party whose credential it is."""
    digest = bearer(request)
    with hub.store.reading() as work:
        found = work.parties.by_credential(digest)
    if found is None:
        raise Unauthenticated("The credential is not known")
    return found


def the_operator(request: Request, hub: HubDep) -> str:
    """The operator's name."""
    digest = bearer(request)
    with hub.store.reading() as work:
        found = work.parties.operator_by_credential(digest)
    if found is None:
        raise Unauthenticated("An operator's credential is needed")
    return found


PartyDep = Annotated[RegisteredParty, Depends(the_party)]
OperatorDep = Annotated[str, Depends(the_operator)]

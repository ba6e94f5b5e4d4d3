"""Who asks: a token of a machine client, or a credential of the parties file; and what it may do.

The hub keeps only hashes of credentials, and asks the register at every request.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

import structlog
from fastapi import Depends, Request

from hub.api.scopes import needed
from hub.errors import ScopeMissing, Unauthenticated
from hub.model.client import Owner
from hub.model.party import RegisteredParty
from hub.model.scopes import EVERYTHING, Scopes
from hub.services.admin import credential_hash
from hub.services.denied import audit_denied
from hub.services.hub import Hub
from hub.store.work import UnitOfWork

LOG = structlog.get_logger()


@dataclass(frozen=True)
class Caller:
    """Whose credential or token it is."""

    kind: Owner
    owner: str
    """The party's id, or the operator's name."""
    name: str
    """Who it is in the audit trail."""
    scopes: Scopes
    static: bool
    """By a credential of the parties file, which no scope limits."""


def the_hub(request: Request) -> Hub:
    """The hub that this application serves."""
    hub = request.app.state.hub
    assert isinstance(hub, Hub)
    return hub


HubDep = Annotated[Hub, Depends(the_hub)]


def bearer(request: Request) -> str:
    """The credential or token; raises Unauthenticated without one."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise Unauthenticated("Send your credential: Authorization: Bearer <credential>")
    return secret.strip()


def the_caller(request: Request, hub: Hub) -> Caller:
    """Who asks; raises Unauthenticated, and ScopeMissing if the address is not for it.

    It is found once in a request: a refusal that is told asks again who it was.
    """
    known: Caller | None = getattr(request.state, "caller", None)
    if known is not None:
        return known
    secret = bearer(request)
    found = _by_credential(hub, secret) if hub.door.static else None
    found = found or _by_token(request, hub, secret)
    if found is None:
        raise Unauthenticated("The credential is not known")
    request.state.caller = found
    kind = str(request.path_params.get("kind", ""))
    require(request, hub, [needed(request.method, request.scope["route"].path, kind)])
    return found


def require(request: Request, hub: Hub, needs: Iterable[str | None]) -> None:
    """The caller's scopes cover all of these; else ScopeMissing, and an audit row."""
    caller: Caller = request.state.caller
    missing = [n for n in needs if n is None or not caller.scopes.covers(n)]
    if not missing or caller.static:
        return
    wanted = " ".join(f"system/{n}" for n in dict.fromkeys(missing) if n)
    route = f"{request.method} {request.scope['route'].path}"
    party = caller.owner if caller.kind == "party" else None
    missed = ScopeMissing(scope=wanted)
    action = "read" if request.method in {"GET", "HEAD"} else "act"
    audit_denied(hub, caller.name, action, route, reason=missed.text, party=party, detail=wanted)
    raise missed


def the_party(request: Request, hub: HubDep) -> RegisteredParty:
    """The party that asks."""
    caller = the_caller(request, hub)
    if caller.kind == "party":
        with hub.store.reading() as work:
            found = work.parties.get(caller.owner)
        if found is not None:
            return found
    raise Unauthenticated("The credential is not known")


def the_operator(request: Request, hub: HubDep) -> str:
    """The operator's name."""
    caller = the_caller(request, hub)
    if caller.kind != "operator":
        raise Unauthenticated("An operator's credential is needed")
    return caller.owner


def _by_credential(hub: Hub, secret: str) -> Caller | None:
    digest = credential_hash(secret)
    with hub.store.reading() as work:
        party = work.parties.by_credential(digest)
        operator = None if party else work.parties.operator_by_credential(digest)
    if party is not None:
        return Caller("party", party.party.id, party.party.id, EVERYTHING, static=True)
    return Caller("operator", operator, operator, EVERYTHING, static=True) if operator else None


def _by_token(request: Request, hub: Hub, token: str) -> Caller | None:
    if hub.door.tokens is None or token.count(".") != 2:
        return None
    try:
        grant = hub.door.tokens().grant(token, certificate_of(request, hub))
    except Unauthenticated as e:
        LOG.warning("token.not_taken", why=getattr(e, "why", ""))
        raise
    client = grant.client
    with hub.store.reading() as work:
        owner = _owner(work, client.kind, client.owner)
    if owner is None:
        return None
    return Caller(client.kind, owner, f"client/{client.id}", grant.scopes, static=False)


def _owner(work: UnitOfWork, kind: Owner, owner: str) -> str | None:
    return work.parties.operator_name(owner) if kind == "operator" else owner


def certificate_of(request: Request, hub: Hub) -> str | None:
    """SHA-256 of the client certificate that a trusted proxy tells of."""
    peer = request.client.host if request.client else None
    return hub.door.thumbprint(peer, request.headers.get(hub.door.certificate_header))


PartyDep = Annotated[RegisteredParty, Depends(the_party)]
OperatorDep = Annotated[str, Depends(the_operator)]

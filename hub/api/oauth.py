"""SMART Backend Services: where tokens are given, and what a client must know to get one.

https://hl7.org/fhir/smart-app-launch/backend-services.html. With an issuer of others' the hub says
where that is and gives no tokens itself.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qsl

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from hub.api.body import BodyDep
from hub.api.security import HubDep, certificate_of
from hub.errors import HubError, NotFound
from hub.fhir.parameters import SERVED
from hub.model.scopes import OWN_TYPES
from hub.ports import TokenRefused, Tokens
from hub.services.denied import refuse_stranger
from hub.services.hub import Hub

ROUTER = APIRouter(tags=["access"])
LOG = structlog.get_logger()
_FORM: Final = "application/x-www-form-urlencoded"
_FRESH: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_MOST_FIELDS: Final = 20


@ROUTER.post("/oauth/token", response_class=JSONResponse)
def token(request: Request, body: BodyDep, hub: HubDep) -> Response:
    """A token for a client that signs its assertion (private_key_jwt), in OAuth's own words."""
    tokens = _here(hub)
    try:
        return JSONResponse(tokens.issue(_form(request, body), certificate_of(request, hub)), 200,
                            _FRESH)  # fmt: skip
    except TokenRefused as e:
        if not e.known:
            refuse_stranger(hub, "POST /oauth/token", reason=e.text)
        told = {"error": e.error, "error_description": e.text}
        return JSONResponse(told, 401 if e.error == "invalid_client" else 400, _FRESH)


@ROUTER.get("/oauth/jwks", response_class=JSONResponse)
def jwks(hub: HubDep) -> Response:
    """The keys that the hub's tokens are signed with."""
    return JSONResponse(_here(hub).jwks())


@ROUTER.get("/fhir/.well-known/smart-configuration", include_in_schema=False)
def smart_configuration(hub: HubDep) -> Response:
    """What SMART App Launch 2 has a server say of itself; open to all."""
    tokens = hub.door.tokens
    if tokens is None:
        raise NotFound("This hub gives no tokens; use the credential that its operator gave you")
    found = tokens()
    types = sorted({*SERVED, *OWN_TYPES, "Subscription", "Task"})
    told: dict[str, Any] = {
        "issuer": found.issuer,
        "jwks_uri": found.jwks_uri,
        "token_endpoint": found.token_endpoint,
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
        "scopes_supported": [f"system/{t}.cruds" for t in ("*", *types)],
        "code_challenge_methods_supported": ["S256"],
        "capabilities": ["client-confidential-asymmetric", "permission-v2"],
    }
    return JSONResponse(told)


def token_endpoint(hub: Hub) -> str | None:
    """Where tokens are given; None without any, or while an outside issuer does not answer."""
    if hub.door.tokens is None:
        return None
    try:
        return hub.door.tokens().token_endpoint
    except HubError as e:
        LOG.warning("issuer.silent", number=e.number)
        return None


def _here(hub: Hub) -> Tokens:
    tokens = hub.door.tokens() if hub.door.tokens else None
    if tokens is None or tokens.jwks() is None:
        raise NotFound("This hub gives no tokens itself")
    return tokens


def _form(request: Request, body: bytes) -> dict[str, str]:
    declared = request.headers.get("Content-Type", "").split(";")[0].strip().lower()
    try:
        pairs = parse_qsl(body.decode("ascii"), max_num_fields=_MOST_FIELDS)
    except ValueError:
        pairs = []
    if declared != _FORM or len(dict(pairs)) != len(pairs) or not pairs:
        raise TokenRefused("invalid_request", f"Send {_FORM}, each parameter once")
    return dict(pairs)

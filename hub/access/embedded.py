"""The hub's own issuer: SMART Backend Services for one machine and for small installations.

https://hl7.org/fhir/smart-app-launch/backend-services.html: a client signs an assertion with its
private key (RFC 7523, RS384 or ES384) and gets a token that holds five minutes. An assertion is
used once; that is kept in the database, so it holds for every process and after a restart.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from hub.access.granting import granted
from hub.access.keys import WEAKEST_RSA, Published, public_keys
from hub.access.tokens import LEEWAY, Refused, peek, read, text_of
from hub.errors import HubError, Misconfigured
from hub.model.client import Client, Grant
from hub.model.scopes import Scopes
from hub.ports import TokenRefused
from hub.store.work import Store, UnitOfWork

LOG = structlog.get_logger()
LIFETIME: Final = timedelta(minutes=5)
"""Of a token, and the longest of an assertion."""
ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS: Final = ("RS384", "ES384")
"""What SMART has every server take; the embedded issuer takes no other."""


class EmbeddedIssuer:
    """Gives and reads tokens; implements :class:`hub.ports.Tokens`."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        base: str,
        published: Published,
        key: str | None,
    ) -> None:
        """``base``: the FHIR base, which tokens are for; ``key``: a PEM, else one is made now."""
        self._store = store
        self._clock = clock
        self._published = published
        self._base = base
        self.issuer = base.removesuffix("/fhir")
        self.token_endpoint: str | None = f"{self.issuer}/oauth/token"
        self.jwks_uri = f"{self.issuer}/oauth/jwks"
        self._key = _signing_key(key)
        self._algorithm = "ES384" if isinstance(self._key, ECKey) else "RS384"

    def jwks(self) -> Mapping[str, Any] | None:
        """The public half of the signing key."""
        public = self._key.as_dict(private=False)
        return {"keys": [{**public, "use": "sig", "alg": self._algorithm}]}

    def issue(self, form: Mapping[str, str], certificate: str | None) -> Mapping[str, Any]:
        """The answer to a token request; raises TokenRefused, audited for a known client."""
        if form.get("grant_type") != "client_credentials":
            raise TokenRefused("unsupported_grant_type", "Only client_credentials is served")
        if form.get("client_assertion_type") != ASSERTION or not form.get("client_assertion"):
            raise TokenRefused("invalid_client", "Sign a client_assertion (private_key_jwt)")
        assertion = form["client_assertion"]
        now = self._clock()
        name = text_of(peek(assertion, 1), "sub")
        with self._store.reading() as work:
            client = work.clients.get(name)
        try:
            found, claims = self._verified(client, assertion, now)
            return self._granted(found, claims, form.get("scope", ""), certificate, now)
        except TokenRefused as e:
            self._denied(client, e.why, now)
            e.known = client is not None
            raise

    def grant(self, token: str, certificate: str | None) -> Grant:
        """What a token shows now; raises Unauthenticated."""
        keys = KeySet([self._key])
        claims = read(
            token, lambda _: keys, algorithms=[self._algorithm], issuer=self.issuer,
            audience=self._base, now=self._clock(), required=("client_id", "jti"),
        )  # fmt: skip
        return granted(self._store, claims, text_of(claims, "client_id"), certificate)

    def _verified(
        self, client: Client | None, assertion: str, now: datetime
    ) -> tuple[Client, Mapping[str, Any]]:
        if client is None:
            raise TokenRefused("invalid_client", why="unknown client")
        assert self.token_endpoint is not None
        try:
            claims = read(
                assertion, lambda kid: self._keys_of(client, kid), algorithms=ALGORITHMS,
                issuer=client.id, audience=self.token_endpoint, now=now, required=("sub", "jti"),
            )  # fmt: skip
        except Refused as e:
            raise TokenRefused("invalid_client", why=e.why) from None
        except HubError as e:
            raise TokenRefused("invalid_client", why=f"keys: {type(e).__name__}") from None
        if claims["exp"] > (now + LIFETIME).timestamp() + LEEWAY:
            text = "The assertion may hold five minutes at most"
            raise TokenRefused("invalid_client", text, why="lives too long")
        return client, claims

    def _keys_of(self, client: Client, kid: str | None) -> KeySet:
        if client.jwks_url:
            return self._published.keys(client.jwks_url, kid)
        return public_keys(client.jwks or {})

    def _granted(
        self,
        client: Client,
        claims: Mapping[str, Any],
        scope: str,
        certificate: str | None,
        now: datetime,
    ) -> Mapping[str, Any]:
        if client.certificate and not hmac.compare_digest(client.certificate, certificate or ""):
            raise TokenRefused("invalid_client", why="another certificate")
        scopes = Scopes.of(scope).within(Scopes.of(client.scopes))
        if not scopes.pairs:
            text = "None of these scopes is the client's; write system/CarePlan.rs"
            raise TokenRefused("invalid_scope", text, why="no scope")
        until = datetime.fromtimestamp(claims["exp"] + LEEWAY, UTC)
        with self._store.writing() as work:
            digest = hashlib.sha256(text_of(claims, "jti").encode()).hexdigest()
            if not work.clients.use(client.id, digest, until):
                raise TokenRefused("invalid_client", why="used before")
            work.clients.forget(now)
            _audit(work, client, now, "success", scopes.text)
            work.commit()
        return {
            "access_token": self._token(client, scopes, now),
            "token_type": "bearer",
            "expires_in": int(LIFETIME.total_seconds()),
            "scope": scopes.text,
        }

    def _token(self, client: Client, scopes: Scopes, now: datetime) -> str:
        """As RFC 9068 has it; bound to the client's certificate, if it has one (RFC 8705)."""
        issued = int(now.timestamp())
        claims: dict[str, Any] = {
            "iss": self.issuer, "aud": self._base, "sub": client.id, "client_id": client.id,
            "iat": issued, "exp": issued + int(LIFETIME.total_seconds()),
            "jti": str(uuid.uuid4()), "scope": scopes.text,
        }  # fmt: skip
        if client.certificate:
            claims["cnf"] = {"x5t#S256": client.certificate}
        header = {"alg": self._algorithm, "typ": "at+jwt", "kid": self._key.kid}
        return jwt.encode(header, claims, self._key, algorithms=[self._algorithm])

    def _denied(self, client: Client | None, why: str, now: datetime) -> None:
        LOG.warning("token.refused", client=client.id if client else None, why=why)
        if client is None:
            return
        with self._store.writing() as work:
            _audit(work, client, now, "denied", why)
            work.commit()


def _audit(work: UnitOfWork, client: Client, now: datetime, outcome: str, detail: str) -> None:
    name = f"client/{client.id}"
    party = client.owner if client.kind == "party" else None
    work.journal.audit(now, name, "login", name, party=party, outcome=outcome, detail=detail)


def _signing_key(pem: str | None) -> RSAKey | ECKey:
    if pem is None:
        made = ECKey.generate_key("P-384", private=True)
        made.ensure_kid()
        return made
    kind = _kind_of(pem)
    if kind is None:
        text = "KI_HUB_TOKEN_KEY: a private key as PEM, EC on P-384 or RSA with at least 2048 bits"
        raise Misconfigured(text)
    found = kind.import_key(pem)
    found.ensure_kid()
    return found


def _kind_of(pem: str) -> type[RSAKey] | type[ECKey] | None:
    """What to read it as; None for what is no private key, or a weak one."""
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    if isinstance(key, EllipticCurvePrivateKey) and key.curve.name == "secp384r1":
        return ECKey
    if isinstance(key, RSAPrivateKey) and key.key_size >= WEAKEST_RSA:
        return RSAKey
    return None

"""Machine clients: key pairs, assertions, tokens. The client's side is written with cryptography
alone, so that it shares no code with what the hub reads it with."""

from __future__ import annotations

import base64
import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from hub.model.client import Client, Owner
from tests.api.world import World

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ENDPOINT = "http://127.0.0.1:8080/oauth/token"


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _number(value: int, size: int | None = None) -> str:
    return b64(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


@dataclass
class Machine:
    """One client with its private key."""

    id: str
    algorithm: str = "ES384"
    key: Any = field(init=False)

    def __post_init__(self) -> None:
        if self.algorithm == "ES384":
            self.key = ec.generate_private_key(ec.SECP384R1())
        else:
            self.key = rsa.generate_private_key(65537, 2048)

    @property
    def jwk(self) -> dict[str, str]:
        numbers = self.key.public_key().public_numbers()
        if self.algorithm == "ES384":
            own = {"kty": "EC", "crv": "P-384", "x": _number(numbers.x, 48),
                   "y": _number(numbers.y, 48)}  # fmt: skip
        else:
            own = {"kty": "RSA", "n": _number(numbers.n), "e": _number(numbers.e)}
        return {**own, "kid": f"{self.id}-1", "alg": self.algorithm, "use": "sig"}

    def registered(self, owner: str, scopes: str, *, kind: Owner = "party", **more: Any) -> Client:
        keys = {} if "jwks_url" in more else {"jwks": {"keys": [self.jwk]}}
        return Client(self.id, kind, owner, scopes, **keys, **more)

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        made = {"alg": self.algorithm, "typ": "JWT", "kid": f"{self.id}-1", **header}
        text = ".".join(b64(json.dumps(x).encode()) for x in (made, claims))
        if self.algorithm == "ES384":
            r, s = decode_dss_signature(self.key.sign(text.encode(), ec.ECDSA(hashes.SHA384())))
            signature = r.to_bytes(48, "big") + s.to_bytes(48, "big")
        else:
            size = hashes.SHA384() if self.algorithm == "RS384" else hashes.SHA256()
            signature = self.key.sign(text.encode(), padding.PKCS1v15(), size)
        return f"{text}.{b64(signature)}"

    def assertion(self, **changed: Any) -> str:
        claims: dict[str, Any] = {
            "iss": self.id, "sub": self.id, "aud": ENDPOINT, "jti": str(uuid.uuid4()),
            "exp": int(time.time()) + 240,
        }  # fmt: skip
        claims |= changed
        return self.sign({k: v for k, v in claims.items() if v is not None})

    def ask(self, world: World, scope: str, *, assertion: str = "", **more: Any) -> httpx.Response:
        form = {
            "grant_type": "client_credentials", "scope": scope,
            "client_assertion_type": ASSERTION,
            "client_assertion": assertion or self.assertion(),
        }  # fmt: skip
        return world.request("POST", "/oauth/token", data=form, **more)

    def token(self, world: World, scope: str, **more: Any) -> str:
        answer = self.ask(world, scope, **more)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])


def register(world: World, *clients: Client) -> None:
    """As the parties file would; each owner gets its own anew."""
    with world.hub.store.writing() as work:
        for kind, owner in {(c.kind, c.owner) for c in clients}:
            own = [c for c in clients if (c.kind, c.owner) == (kind, owner)]
            work.clients.save(kind, owner, own)
        work.commit()


def called(world: World, method: str, url: str, token: str, **more: Any) -> httpx.Response:
    """One request with that token."""
    headers = {"Authorization": f"Bearer {token}", **more.pop("headers", {})}
    return world.request(method, url, headers=headers, **more)

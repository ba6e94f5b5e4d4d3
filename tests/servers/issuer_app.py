"""The application of :mod:`tests.servers.issuer`: Authlib's grants, with nothing of the hub's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import grants
from authlib.oauth2.rfc6749.models import AuthorizationCodeMixin, ClientMixin
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from authlib.oidc.core import OpenIDCode, UserInfo
from flask import Flask, Response, jsonify, request
from joserfc.jwk import KeySet, RSAKey

KEY = RSAKey.generate_key(2048, {"kid": "issuer-1", "use": "sig", "alg": "RS256"}, private=True)
TOLD: dict[str, Any] = {"user": {}, "clients": {}, "audience": "", "seconds": 300}
CODES: dict[str, Code] = {}
USED: set[str] = set()
CONSOLE = ("console", "console-secret")


@dataclass
class Client(ClientMixin):
    """A machine, or the console."""

    id: str

    def get_client_id(self) -> str:
        return self.id

    def get_default_redirect_uri(self) -> str | None:
        return None

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri.endswith("/login/callback")

    def check_client_secret(self, client_secret: str) -> bool:
        return (self.id, client_secret) == CONSOLE

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        own = "client_secret_basic" if self.id == CONSOLE[0] else "client_assertion_jwt"
        return method == own

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        own = "authorization_code" if self.id == CONSOLE[0] else "client_credentials"
        return grant_type == own


@dataclass
class Code(AuthorizationCodeMixin):
    """One login's code."""

    client: str
    redirect_uri: str
    scope: str
    nonce: str
    code_challenge: str
    code_challenge_method: str
    user: dict[str, Any] = field(default_factory=dict)
    auth_time: int | None = None

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str:
        return self.nonce

    def get_auth_time(self) -> int | None:
        return self.auth_time

    def get_user_id(self) -> str:
        return str(self.user.get("sub"))

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


class CodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]
    """The code flow."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic",)

    def save_authorization_code(self, code: str, request: Any) -> None:
        sent = request.payload.data
        CODES[code] = Code(
            request.client.id, request.payload.redirect_uri, request.payload.scope,
            sent.get("nonce", ""), sent["code_challenge"], sent["code_challenge_method"],
            dict(TOLD["user"]),
        )  # fmt: skip

    def query_authorization_code(self, code: str, client: Client) -> Code | None:
        found = CODES.get(code)
        return found if found and found.client == client.id else None

    def delete_authorization_code(self, authorization_code: Code) -> None:
        for code in [c for c, found in CODES.items() if found is authorization_code]:
            del CODES[code]

    def authenticate_user(self, authorization_code: Code) -> Any:
        return authorization_code


def made(issuer: str) -> Flask:
    """The server under that address."""
    app = Flask(__name__)
    keys = KeySet([KEY])

    class Identity(OpenIDCode):  # type: ignore[misc]
        def exists_nonce(self, nonce: str, request: Any) -> bool:
            return False

        def get_jwt_config(self, grant: Any, client: Any = None) -> dict[str, Any]:
            return {"key": KEY, "alg": "RS256", "iss": issuer, "exp": 300, "kid": KEY.kid}

        def generate_user_info(self, user: Any, scope: str) -> UserInfo:
            return UserInfo(**(user.user if isinstance(user, Code) else {}))

    class Access(JWTBearerTokenGenerator):  # type: ignore[misc]
        def get_jwks(self) -> Any:
            return keys

        def get_audiences(self, client: Client, user: Any, scope: str) -> str:
            return str(TOLD["audience"])

    class Assertion(JWTBearerClientAssertion):  # type: ignore[misc]
        def validate_jti(self, claims: Any, jti: str) -> bool:
            fresh = jti not in USED
            USED.add(jti)
            return fresh

        def get_audiences(self) -> list[str]:
            return [f"{issuer}/token"]

        def resolve_client_public_key(self, client: Client) -> Any:
            return KeySet.import_key_set(TOLD["clients"][client.id])

    def client_of(client_id: str) -> Client | None:
        known = client_id == CONSOLE[0] or client_id in TOLD["clients"]
        return Client(client_id) if known else None

    server = AuthorizationServer(app, query_client=client_of, save_token=lambda *_: None)
    access = Access(issuer, alg="RS256", expires_generator=lambda *_: TOLD["seconds"])
    server.register_token_generator("default", access)
    server.register_grant(CodeGrant, [CodeChallenge(required=True), Identity(require_nonce=True)])
    server.register_grant(grants.ClientCredentialsGrant)
    grants.ClientCredentialsGrant.TOKEN_ENDPOINT_AUTH_METHODS = ("client_assertion_jwt",)
    server.register_client_auth_method("client_assertion_jwt", Assertion())

    @app.get("/.well-known/openid-configuration")
    def configuration() -> Response:
        return jsonify(
            issuer=TOLD.get("issuer", issuer), jwks_uri=f"{issuer}/jwks",
            token_endpoint=f"{issuer}/token",
            authorization_endpoint=TOLD.get("authorize", f"{issuer}/authorize"),
        )  # fmt: skip

    @app.get("/jwks")
    def jwks() -> Response:
        return jsonify(keys.as_dict(private=False))

    @app.post("/told")
    def told() -> Response:
        TOLD.update(request.get_json())
        return jsonify({})

    @app.get("/authorize")
    def authorize() -> Response:
        if TOLD.get("ask") and "yes" not in request.args:
            fields = "".join(
                f'<input type="hidden" name="{k}" value="{v}">' for k, v in request.args.items()
            )
            return Response(f"<form>{fields}<button name='yes' value='1'>Log ind</button></form>")
        code = Code("", "", "", "", "", "", dict(TOLD["user"]))
        return server.create_authorization_response(grant_user=code)

    @app.post("/token")
    def token() -> Response:
        return server.create_token_response()

    return app

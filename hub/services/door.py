"""How callers and people are let in: chosen once, from the settings."""

from __future__ import annotations

import hashlib
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from urllib.parse import unquote

from hub.errors import Misconfigured
from hub.model.reach import Network, unmapped
from hub.ports import People, Tokens

_PEM = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----")


@dataclass(frozen=True)
class Door:
    """What counts as knowing who asks."""

    static: bool = True
    """Credentials of the parties file and operators' own: Bearer, and at the console's login."""
    tokens: Callable[[], Tokens] | None = None
    """Who gives machine clients their tokens; made when first asked for."""
    people: Callable[[], People] | None = None
    """Where people log in to the console, instead of or beside the credentials."""
    idle: timedelta = timedelta(minutes=15)
    """A login of the console ends after so long without a request."""
    longest: timedelta = timedelta(hours=8)
    """And after so long in any case."""
    https: bool = False
    """Others reach the hub by https: cookies are for that alone, and browsers are told so."""
    proxies: tuple[Network, ...] = ()
    """Where the proxy is that ends TLS; what it says of a client certificate is believed."""
    certificate_header: str = "Client-Cert"
    """The header it says it in: RFC 9440, or a PEM, percent-encoded."""

    def check(self) -> None:
        """Raises Misconfigured if nobody could be let in, or a key is none."""
        if self.tokens is not None:
            self.tokens()
        elif not self.static:
            raise Misconfigured(
                "Nobody could call this hub. Name the issuer of its clients' tokens "
                "(KI_HUB_ISSUER), or give the hub a key to sign them with (KI_HUB_TOKEN_KEY), or "
                "let the parties file's credentials count (KI_HUB_STATIC_CREDENTIALS=true)"
            )

    def thumbprint(self, peer: str | None, header: str | None) -> str | None:
        """SHA-256 of the client certificate, base64url; None where no trusted proxy tells one."""
        if not header or not self.trusts(peer):
            return None
        der = _der(header)
        if der is None:
            return None
        return urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()

    def trusts(self, peer: str | None) -> bool:
        """The connection comes from a proxy that the settings name."""
        try:
            address = unmapped(ip_address(peer or ""))
        except ValueError:
            return False
        return any(address in n for n in self.proxies if n.version == address.version)


def _der(header: str) -> bytes | None:
    """The certificate's bytes; of a PEM what is between its lines."""
    text = unquote(header).strip()
    if text.startswith(_PEM[0]) and text.endswith(_PEM[1]):
        text = "".join(text.removeprefix(_PEM[0]).removesuffix(_PEM[1]).split())
    elif len(text) > 1 and text.startswith(":") and text.endswith(":"):
        text = text[1:-1]
    else:
        return None
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return None

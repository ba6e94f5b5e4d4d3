"""Where the hub may call: names on a list, and addresses that are public or named. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final
from urllib.parse import SplitResult, urlsplit

from hub.errors import Misconfigured

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LOOPBACK: Final[tuple[Network, ...]] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
_TRANSLATED: Final[tuple[Network, ...]] = (
    ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"), ip_network("2002::/16"),
    ip_network("::/96"), ip_network("::ffff:0:0:0/96"), ip_network("fec0::/10"),
)  # fmt: skip
"""Addresses that lead on to an IPv4 address, which may be anyone's (RFC 6052, 8215, 3056, 4291,
2765), and those of a site (RFC 3879): the standard library takes some of them for public ones."""


@dataclass(frozen=True)
class Reach:
    """What the settings allow."""

    hosts: tuple[str, ...] = ()
    """Names that a subscriber's hook may have; ``*.example.dk`` is every name below it."""
    networks: tuple[Network, ...] = LOOPBACK
    """Networks that are not public and may be called."""

    @classmethod
    def of(cls, hosts: str, networks: Iterable[str]) -> Reach:
        """From the settings' texts; raises Misconfigured for what is no network."""
        try:
            found = tuple(ip_network(n.strip()) for n in networks if n.strip())
        except ValueError:
            text = "Write networks such as 10.20.0.0/16, with commas"
            raise Misconfigured(text) from None
        return cls(tuple(h.strip().lower() for h in hosts.split(",") if h.strip()), found)

    def hook(self, url: str) -> bool:
        """A subscriber may name it: a name on the list, or a number in the named networks.

        Nothing is looked up: what the name leads to is asked at each call.
        """
        found = parsed(url)
        if found is None:
            return False
        host = found.hostname or ""
        number = literal(host)
        if number is not None and self.holds(number):
            return True
        return self._listed(host) and (number is None or self.allows(number))

    def allows(self, address: Address) -> bool:
        """A public address, or one in the named networks."""
        plain = unmapped(address)
        if self.holds(plain):
            return True
        translated = any(plain in n for n in _TRANSLATED if n.version == plain.version)
        return plain.is_global and not plain.is_multicast and not translated

    def holds(self, address: Address) -> bool:
        """In the named networks."""
        plain = unmapped(address)
        return any(plain in n for n in self.networks if n.version == plain.version)

    def _listed(self, host: str) -> bool:
        return any(
            host.endswith(h[1:]) and host != h[1:] if h.startswith("*.") else host == h
            for h in self.hosts
        )


def parsed(url: str) -> SplitResult | None:
    """An https address, or on this machine http; None for any other, and for one with a user.

    It is written in ASCII, as it is sent: a name with other letters in its own form (xn--).
    """
    if not (url.isascii() and url.isprintable()):
        return None
    try:
        found = urlsplit(url)
        port = found.port
    except ValueError:
        return None
    if not found.hostname or port == 0 or "@" in found.netloc:
        return None
    if found.scheme == "https":
        return found
    number = literal(found.hostname)
    here = number is not None and unmapped(number).is_loopback
    return found if found.scheme == "http" and here else None


def literal(host: str) -> Address | None:
    """The number that a host is written as; ``localhost`` is 127.0.0.1, no other name is known."""
    try:
        return ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        return None


def unmapped(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one (RFC 4291, 2.5.5.2)."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address

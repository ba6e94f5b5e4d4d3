"""Who is let in, from the settings. What reads tokens is loaded when the first one comes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache

from hub.model.reach import Reach
from hub.outside import Outside
from hub.ports import Tokens
from hub.runtime.settings import Settings
from hub.services.door import Door
from hub.store.work import Store


def door(settings: Settings, store: Store, outside: Outside) -> Door:
    """As the settings have it."""
    embedded = store.database.embedded
    static = settings.static_credentials
    return Door(
        static=embedded if static is None else static,
        tokens=_tokens(settings, store, outside),
        https=settings.base_url.startswith("https://"),
        proxies=Reach.of("", settings.proxy_networks.split(",")).networks,
        certificate_header=settings.client_certificate_header,
    )


def _tokens(settings: Settings, store: Store, outside: Outside) -> Callable[[], Tokens] | None:
    """An issuer of others', else the hub itself: in production only with a key of its own."""
    base = settings.base_url.rstrip("/")
    if settings.issuer:
        return cache(lambda: _external(settings, store, outside, base))
    if settings.token_key or store.database.embedded:
        return cache(lambda: _embedded(settings, store, outside, base))
    return None


def _external(settings: Settings, store: Store, outside: Outside, base: str) -> Tokens:
    from hub.access.external import ExternalIssuer  # noqa: PLC0415  (JOSE is slow to load)
    from hub.access.keys import Published  # noqa: PLC0415

    audience = settings.issuer_audience or base
    published = Published(outside, _now)
    return ExternalIssuer(store, _now, settings.issuer, audience, published)


def _embedded(settings: Settings, store: Store, outside: Outside, base: str) -> Tokens:
    from hub.access.embedded import EmbeddedIssuer  # noqa: PLC0415
    from hub.access.keys import Published  # noqa: PLC0415

    key = settings.token_key or None
    return EmbeddedIssuer(store, _now, base, Published(outside, _now), key)


def _now() -> datetime:
    return datetime.now(UTC)

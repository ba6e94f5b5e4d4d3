"""Who is let in, from the settings. What reads tokens is loaded when the first one comes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache

from hub.model.reach import Reach
from hub.outside import Outside
from hub.ports import People, Tokens
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
        people=_people(settings, outside),
        idle=timedelta(minutes=settings.session_idle_minutes),
        longest=timedelta(hours=settings.session_hours),
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


def _people(settings: Settings, outside: Outside) -> Callable[[], People] | None:
    if not settings.oidc_issuer:
        return None

    def made() -> People:
        from hub.access.keys import Published  # noqa: PLC0415
        from hub.access.people import OpenId, Registered  # noqa: PLC0415

        registered = Registered(
            issuer=settings.oidc_issuer,
            client=settings.oidc_client_id,
            secret=settings.oidc_client_secret,
            redirect=settings.base_url.rstrip("/").removesuffix("/fhir") + "/login/callback",
            roles=settings.oidc_roles_claim,
            unit=settings.oidc_unit_claim,
        )
        return OpenId(registered, Published(outside, _now), outside, _now)

    return cache(made)


def _now() -> datetime:
    return datetime.now(UTC)

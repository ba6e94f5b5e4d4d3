"""The only place where implementations are chosen and put together."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from hub.access.calls import Calls
from hub.bus.embedded import EmbeddedBus
from hub.errors import Misconfigured
from hub.fhir.validation import EmbeddedValidator
from hub.model.breaker import BreakerPolicy
from hub.model.client import Quota
from hub.model.reach import LOOPBACK, Reach
from hub.model.retry import RetryPolicy
from hub.ports import Bus
from hub.runtime.doors import door
from hub.runtime.mappings import overrides
from hub.runtime.registry import Registry
from hub.runtime.settings import Settings
from hub.sending import Transport, TransportContext
from hub.services.hub import Hub, Limits
from hub.store.dialect import Database
from hub.store.work import Store
from hub.validators.both import Both
from hub.validators.hl7 import Hl7Validator, Sidecar


def utc_now() -> datetime:
    """The one clock."""
    return datetime.now(UTC)


def build(settings: Settings) -> Hub:
    """A hub on what the settings name: embedded, or PostgreSQL and RabbitMQ."""
    registry = Registry()
    # Asked before anything is made: a hub with mistakes in it leaves no folder behind.
    local = overrides(settings.mappings_dir, registry)
    database = Database(settings.database())
    if database.embedded and settings.bus_url:
        raise Misconfigured("A broker needs PostgreSQL; set KI_HUB_DATABASE_URL as well")
    store = Store(database)
    mailboxes = EmbeddedBus(store, utc_now)
    bus = _bus(settings, mailboxes)
    reach = _reach(settings, embedded=database.embedded)
    calls = Calls(reach)
    context = TransportContext(bus, mailboxes, settings.send_timeout, calls)
    lease = timedelta(seconds=settings.lease_seconds)
    embedded = EmbeddedValidator(coded=registry.profiles)
    official = _official(settings)
    return Hub(
        store=store,
        adapters=registry,
        transports=_transports(registry, context),
        bus=bus,
        validator=Both(embedded, official) if official else embedded,
        clock=utc_now,
        printer=registry.printer(),
        probes={"validator": official.ready} if official else {},
        base_url=settings.base_url.rstrip("/"),
        reach=reach,
        door=door(settings, store, calls),
        local=local,
        random=random.random,
        limits=Limits(
            body_bytes=settings.max_body_bytes,
            quota=Quota(settings.documents_a_minute, settings.bytes_a_day),
            seal_days=settings.seal_days,
            refused_days=settings.refused_days,
            audit_days=settings.audit_days,
            inbox_days=settings.inbox_days,
            delivery_days=settings.delivery_days,
            task_days=settings.task_days,
            process_lease=lease,
            send_lease=lease,
            receipt_wait=timedelta(seconds=settings.receipt_seconds),
            compare_every=timedelta(minutes=settings.reconcile_minutes),
            silent_hours=settings.silent_hours,
            stop_wait=timedelta(seconds=settings.stop_seconds),
        ),
        retry=RetryPolicy(
            attempts=settings.retry_attempts,
            first=timedelta(seconds=settings.retry_first_seconds),
            longest=timedelta(seconds=settings.retry_longest_seconds),
            factor=settings.retry_factor,
            jitter=settings.retry_jitter,
            within=timedelta(hours=settings.retry_hours) if settings.retry_hours else None,
        ),
        breaker=BreakerPolicy(
            failures=settings.endpoint_failures,
            pause=timedelta(seconds=settings.endpoint_pause_seconds),
        ),
    )


def _reach(settings: Settings, *, embedded: bool) -> Reach:
    """Where the hub may call; on one machine alone also to that machine."""
    own = [str(n) for n in LOOPBACK] if embedded else []
    named = settings.outgoing_networks
    return Reach.of(settings.outgoing_hosts, own if named is None else named.split(","))


def _bus(settings: Settings, mailboxes: EmbeddedBus) -> Bus:
    if not settings.bus_url:
        return mailboxes
    from hub.bus.consuming import ListenerSettings  # noqa: PLC0415
    from hub.bus.rabbitmq import RabbitBus  # noqa: PLC0415  (pika is slow to load)

    return RabbitBus(
        settings.bus_url,
        settings.bus_admin_url or None,
        listener=ListenerSettings(max_body=settings.max_body_bytes),
    )


def _official(settings: Settings) -> Hl7Validator | None:
    """HL7's validator, where there is one beside the hub."""
    if not settings.validator_url:
        return None
    if not settings.validator_url.startswith(("http://", "https://")):
        raise Misconfigured("KI_HUB_VALIDATOR_URL begins with http:// or https://")
    return Hl7Validator(
        Sidecar(
            settings.validator_url,
            seconds=settings.validator_seconds,
            limit=settings.validator_limit,
        )
    )


def _transports(registry: Registry, context: TransportContext) -> Mapping[str, Transport]:
    return {name: registry.transport(name)(context) for name in registry.transport_names()}


def close(hub: Hub) -> None:
    """Let go of connections."""
    hub.bus.close()
    if isinstance(hub.validator, Both):
        hub.validator.close()
    hub.store.close()

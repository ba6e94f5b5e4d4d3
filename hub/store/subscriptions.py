"""FHIR Subscriptions: their state, and what each has been told. Their resources are versions as
every resource's (:mod:`hub.store.plans`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, exists, select, update

from hub.contract import Resource
from hub.fhir.codec import parse_kept
from hub.model.breaker import endpoint_of
from hub.model.delivery import FINAL
from hub.model.party import Viewer
from hub.model.subscription import FORMAT, HOOK, FhirSubscription, Wish
from hub.store.dialect import inserted
from hub.store.subscription_tables import SEEN, SUBSCRIPTION
from hub.store.tables import DELIVERY, RESOURCE

SOURCE: Final = "fhir"
_KEPT = (
    "status", "error", "version", "events", "told_at", "suspended_by", "suspended_reason",
    "deleted_at",
)  # fmt: skip


class Subscriptions:
    """Reads take a viewer: a party sees its own, an operator and the services see all."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def add(self, subscription: FhirSubscription) -> None:
        """A new one."""
        self._db.execute(
            SUBSCRIPTION.insert().values(
                id=subscription.id,
                party=subscription.party,
                source=SOURCE,
                position=0,
                format=FORMAT,
                versions="every-version",
                receipt=False,
                created_at=subscription.created_at,
                **_values(subscription),
            )
        )

    def save(self, subscription: FhirSubscription) -> None:
        """Its new state; what it is about may have changed too."""
        found = update(SUBSCRIPTION).where(SUBSCRIPTION.c.id == subscription.id)
        self._db.execute(found.values(**_values(subscription)))

    def get(self, subscription_id: str, viewer: Viewer) -> FhirSubscription | None:
        """One, deleted ones too."""
        found = self._one(subscription_id, lock=False)
        if found is not None and viewer.kind == "party" and found.party != viewer.id:
            return None
        return found

    def lock(self, subscription_id: str) -> FhirSubscription | None:
        """One for writing; a second writer waits here. Taken after a plan's lock, never before."""
        return self._one(subscription_id, lock=True)

    def listing(self, viewer: Viewer, *, deleted: bool = False) -> list[FhirSubscription]:
        """Oldest first."""
        found = select(SUBSCRIPTION).where(SUBSCRIPTION.c.source == SOURCE)
        if viewer.kind == "party":
            found = found.where(SUBSCRIPTION.c.party == viewer.id)
        if not deleted:
            found = found.where(SUBSCRIPTION.c.deleted_at.is_(None))
        ordered = found.order_by(SUBSCRIPTION.c.created_at, SUBSCRIPTION.c.id)
        return [_subscription(r) for r in self._db.execute(ordered)]

    def listening(self) -> list[FhirSubscription]:
        """Those that events are kept for: neither off nor deleted; a suspended one's rest."""
        found = select(SUBSCRIPTION).where(
            SUBSCRIPTION.c.source == SOURCE,
            SUBSCRIPTION.c.deleted_at.is_(None),
            (SUBSCRIPTION.c.status != "off") | SUBSCRIPTION.c.suspended_by.is_not(None),
        )
        return [_subscription(r) for r in self._db.execute(found.order_by(SUBSCRIPTION.c.id))]

    def silent(self) -> list[FhirSubscription]:
        """Active ones with a heartbeat, of which nothing waits or is under way."""
        open_ = exists().where(
            DELIVERY.c.subscription == SUBSCRIPTION.c.id,
            DELIVERY.c.state.not_in([s.value for s in FINAL]),
        )
        found = select(SUBSCRIPTION).where(
            SUBSCRIPTION.c.source == SOURCE,
            SUBSCRIPTION.c.status == "active",
            SUBSCRIPTION.c.suspended_by.is_(None),
            SUBSCRIPTION.c.deleted_at.is_(None),
            SUBSCRIPTION.c.heartbeat.is_not(None),
            ~open_,
        )
        return [_subscription(r) for r in self._db.execute(found)]

    def ended(self, now: datetime) -> list[str]:
        """Those whose time is up and that are not off."""
        found = select(SUBSCRIPTION.c.id).where(
            SUBSCRIPTION.c.source == SOURCE,
            SUBSCRIPTION.c.deleted_at.is_(None),
            SUBSCRIPTION.c.status != "off",
            SUBSCRIPTION.c.ends_at <= now,
        )
        return list(self._db.execute(found).scalars())

    def resource(self, subscription: FhirSubscription, version: int | None = None) -> Resource:
        """Its resource as it is, or as it was in a version that is there."""
        wanted = subscription.version if version is None else version
        found = select(RESOURCE.c.body).where(
            RESOURCE.c.type == "Subscription",
            RESOURCE.c.id == subscription.id,
            RESOURCE.c.version == wanted,
        )
        return parse_kept(self._db.execute(found).scalar_one())

    # What it has been told

    def seen(self, subscription_id: str) -> dict[str, int]:
        """``Type/id`` to the newest version it has an event about, or began with."""
        found = select(SEEN).where(SEEN.c.subscription == subscription_id)
        return {r.object: r.version for r in self._db.execute(found)}

    def seen_of(self, subscription_id: str, objects: Iterable[str]) -> dict[str, int]:
        """The same, of these alone."""
        found = select(SEEN).where(
            SEEN.c.subscription == subscription_id, SEEN.c.object.in_(list(objects))
        )
        return {r.object: r.version for r in self._db.execute(found)}

    def see(self, subscription_id: str, about: str, version: int) -> None:
        """It has an event about this version."""
        place = and_(SEEN.c.subscription == subscription_id, SEEN.c.object == about)
        changed = update(SEEN).where(place).values(version=version)
        if self._db.execute(changed).rowcount:
            return
        row = {"subscription": subscription_id, "object": about, "version": version}
        if not inserted(self._db, SEEN, row):
            # Another plan of the same citizen had the same consent to tell of, at this moment.
            self._db.execute(changed)

    def forget(self, subscription_id: str, about: str | None = None) -> None:
        """An event was taken back before it was sent: if it may be told again, it is."""
        place = SEEN.c.subscription == subscription_id
        if about is not None:
            place = and_(place, SEEN.c.object == about)
        self._db.execute(SEEN.delete().where(place))

    def _one(self, subscription_id: str, *, lock: bool) -> FhirSubscription | None:
        found = select(SUBSCRIPTION).where(
            SUBSCRIPTION.c.id == subscription_id, SUBSCRIPTION.c.source == SOURCE
        )
        row = self._db.execute(found.with_for_update(key_share=True) if lock else found).first()
        return _subscription(row) if row else None


def _values(subscription: FhirSubscription) -> dict[str, Any]:
    wish = subscription.wish
    asked = asdict(wish) | {
        "patients": None if wish.patients is None else sorted(wish.patients),
        "ids": None if wish.ids is None else sorted(wish.ids),
    }
    # Asked for in queries, so they are columns.
    columns = {"content": asked.pop("topic"), "heartbeat": asked.pop("heartbeat"),
               "ends_at": asked.pop("ends_at"),
               "endpoint": endpoint_of(HOOK, wish.endpoint)}  # fmt: skip
    return columns | {"options": asked} | {name: getattr(subscription, name) for name in _KEPT}


def _subscription(row: Row[Any]) -> FhirSubscription:
    asked = row.options
    wish = Wish(
        topic=row.content,
        channel=asked["channel"],
        endpoint=asked["endpoint"],
        payload=asked["payload"],
        content=asked["content"],
        headers=tuple((name, value) for name, value in asked["headers"]),
        patients=None if asked["patients"] is None else frozenset(asked["patients"]),
        ids=None if asked["ids"] is None else frozenset(asked["ids"]),
        heartbeat=row.heartbeat,
        timeout=asked["timeout"],
        ends_at=row.ends_at,
    )
    kept = {name: getattr(row, name) for name in _KEPT}
    return FhirSubscription(
        id=row.id, party=row.party, wish=wish, created_at=row.created_at, **kept
    )

"""A migrated database with the demo's parties, and rows for the suite of the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from hub.model.delivery import State
from hub.model.party import CITIZEN, RegisteredParty, Subscription
from hub.model.records import Delivery, InboxItem, Plan
from hub.sending import Endpoint
from hub.store.dialect import Database
from hub.store.migrate import migrate
from hub.store.work import Store, UnitOfWork
from tests.views import parties

NOW = datetime(2026, 9, 20, 10, 0, 0, 123456, tzinfo=UTC)
HOUR = timedelta(hours=1)
LEASE = timedelta(seconds=30)
RUS, PSYK, SOCIAL = "rus-havneby", "psyk-nordstrand", "social-havneby"
CITIZEN_1 = "5f1b2a6e-0000-4000-8000-000000000001"

T = TypeVar("T")


@contextmanager
def opened(url: str) -> Iterator[Store]:
    """A store on that database, migrated, with the demo's parties."""
    store = Store(Database(url))
    try:
        migrate(store.database)
        with store.writing() as work:
            for party in parties().values():
                subscriptions = (Subscription("fhir"),)
                endpoint = Endpoint("mailbox", party.id)
                work.parties.save(RegisteredParty(party, endpoint, subscriptions), NOW)
            work.commit()
        yield store
    finally:
        store.close()


@contextmanager
def committed(store: Store) -> Iterator[UnitOfWork]:
    """A unit of work that is committed at its end."""
    with store.writing() as work:
        yield work
        work.commit()


def inbox_item(name: str = "m-1", **changes: object) -> InboxItem:
    item = InboxItem(
        id=f"item-{name}", sender=RUS, message_id=name, format="fhir",
        media_type="application/fhir+json", channel="http", body=b"{}", body_hash="0" * 64,
        state="received", received_at=NOW,
    )  # fmt: skip
    return replace(item, **changes)  # type: ignore[arg-type]


def plan(name: str = "plan-1", lead: str = RUS) -> Plan:
    return Plan(name, CITIZEN_1, lead, "active", 1, 1)


def delivery(
    receiver: str, version: int = 1, plan_id: str = "plan-1", *, minute: int = 0
) -> Delivery:
    at = NOW + timedelta(minutes=minute)
    return Delivery(
        f"{plan_id}-{receiver}-{version}", plan_id, receiver, "fhir", version, "digest", State.DUE,
        "made", "consent/c-1", at, at,
    )  # fmt: skip


def copy_for_citizen(version: int = 1) -> Delivery:
    return delivery(CITIZEN, version)


def access(party: str, since: datetime, until: datetime, section: str = "*") -> dict[str, object]:
    return {
        "party": party, "section": section, "purpose": "exchange", "since": since,
        "until": until, "basis": "consent/c-1",
    }  # fmt: skip


def together(*calls: Callable[[], T]) -> list[T]:
    """Run all at once, each in a thread of its own; a failure of one is a failure here."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [f.result(60) for f in [pool.submit(c) for c in calls]]


def put(store: Store, *deliveries: Delivery) -> None:
    """The plan ``plan-1`` with these deliveries."""
    with committed(store) as work:
        work.plans.add(plan(), NOW)
        for one in deliveries:
            work.deliveries.add(one, "test")

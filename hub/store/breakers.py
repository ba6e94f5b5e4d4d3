"""Circuit breakers: what is held against each endpoint, for all workers alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row, select, update

from hub.model.breaker import Breaker, Circuit
from hub.store.breaker_tables import BREAKER
from hub.store.dialect import inserted
from hub.store.subscription_tables import SUBSCRIPTION
from hub.store.tables import PARTY


class Breakers:
    """Endpoints and their states. No personal data, so no viewer."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def get(self, endpoint: str) -> Breaker:
        """As it stands; closed where nothing was ever written down."""
        row = self._db.execute(select(BREAKER).where(BREAKER.c.endpoint == endpoint)).first()
        return _breaker(row) if row else Breaker(endpoint)

    def lock(self, endpoint: str) -> Breaker:
        """One for writing. Taken after every other lock of the transaction, never before one."""
        known = self._locked([endpoint])
        if not known:
            # If it is there by now, another worker's delivery failed there at this moment.
            inserted(self._db, BREAKER, _values(Breaker(endpoint)))
            known = self._locked([endpoint])
        return known[0]

    def lock_shut(self, endpoints: Iterable[str]) -> dict[str, Breaker]:
        """Those of them that are not closed, for writing; by name, so that nobody waits in a
        circle."""
        return {b.endpoint: b for b in self._locked(endpoints) if b.state is not Circuit.CLOSED}

    def save(self, breaker: Breaker) -> None:
        """Its new state; the row was locked before."""
        found = update(BREAKER).where(BREAKER.c.endpoint == breaker.endpoint)
        self._db.execute(found.values(_values(breaker)))

    def listing(self) -> list[Breaker]:
        """Every endpoint that something is held against, by name."""
        rows = self._db.execute(select(BREAKER).order_by(BREAKER.c.endpoint))
        return [b for b in map(_breaker, rows) if not b.at_rest]

    def behind(self) -> dict[str, list[str]]:
        """Endpoint to the parties that are reached there, by their own or a FHIR Subscription's."""
        own = select(PARTY.c.endpoint, PARTY.c.id).where(PARTY.c.endpoint.is_not(None))
        told = select(SUBSCRIPTION.c.endpoint, SUBSCRIPTION.c.party).where(
            SUBSCRIPTION.c.endpoint.is_not(None), SUBSCRIPTION.c.deleted_at.is_(None)
        )
        found: dict[str, list[str]] = {}
        for endpoint, party in sorted((e, p) for e, p in self._db.execute(own.union(told))):
            found.setdefault(endpoint, []).append(party)
        return found

    def _locked(self, endpoints: Iterable[str]) -> list[Breaker]:
        found = select(BREAKER).where(BREAKER.c.endpoint.in_(list(endpoints)))
        rows = self._db.execute(found.order_by(BREAKER.c.endpoint).with_for_update())
        return [_breaker(r) for r in rows]


def _breaker(row: Row[Any]) -> Breaker:
    return Breaker(**{**row._mapping, "state": Circuit(row.state)})


def _values(breaker: Breaker) -> dict[str, Any]:
    return asdict(breaker) | {"state": breaker.state.value}

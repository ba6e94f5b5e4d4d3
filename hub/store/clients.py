"""Machine clients and the assertions they have used; and how much each party has sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, select, update

from hub.model.client import Client, Owner
from hub.store.access_tables import CLIENT, INTAKE, USED_ASSERTION
from hub.store.dialect import inserted

MINUTE: Final = "minute"
DAY: Final = "day"
_SPANS: Final = {MINUTE: timedelta(minutes=1), DAY: timedelta(days=1)}


class Clients:
    """The register of machine clients. It holds no personal data, so it needs no viewer."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def get(self, client_id: str) -> Client | None:
        """One client by its id."""
        row = self._db.execute(select(CLIENT).where(CLIENT.c.id == client_id)).first()
        return _client(row) if row else None

    def of(self, kind: Owner, owner: str) -> tuple[Client, ...]:
        """The clients of a party or an operator, by id."""
        found = select(CLIENT).where(CLIENT.c.kind == kind, CLIENT.c.owner == owner)
        return tuple(_client(r) for r in self._db.execute(found.order_by(CLIENT.c.id)))

    def save(self, kind: Owner, owner: str, clients: Sequence[Client]) -> None:
        """These are its clients, and no others; what one of them has used stays used."""
        ids = [c.id for c in clients]
        own = (CLIENT.c.kind == kind, CLIENT.c.owner == owner)
        self._db.execute(delete(CLIENT).where(*own, CLIENT.c.id.not_in(ids)))
        for one in clients:
            values = {
                "kind": kind, "owner": owner, "scopes": one.scopes, "jwks": one.jwks,
                "jwks_url": one.jwks_url, "certificate": one.certificate,
            }  # fmt: skip
            changed = update(CLIENT).where(CLIENT.c.id == one.id).values(**values)
            if self._db.execute(changed).rowcount == 0:
                self._db.execute(CLIENT.insert().values(id=one.id, **values))

    def use(self, client_id: str, jti_hash: str, until: datetime) -> bool:
        """The assertion was not used before; it is from now on."""
        row = {"client": client_id, "jti_hash": jti_hash, "expires_at": until}
        return inserted(self._db, USED_ASSERTION, row)

    def forget(self, now: datetime) -> None:
        """Assertions that have expired are refused for that alone."""
        self._db.execute(delete(USED_ASSERTION).where(USED_ASSERTION.c.expires_at < now))

    def count(
        self, party_id: str, size: int, now: datetime
    ) -> dict[str, tuple[int, int, datetime]]:
        """One more document of that many bytes; span to documents, bytes and when it ends."""
        found: dict[str, tuple[int, int, datetime]] = {}
        for span, length in _SPANS.items():
            place = (INTAKE.c.party == party_id, INTAKE.c.span == span)
            row = self._db.execute(select(INTAKE).where(*place).with_for_update()).first()
            # A span that begins long after now was begun by a clock that was ahead.
            fresh = row is None or abs(now - row.began_at) >= length
            began = now if row is None or fresh else row.began_at
            documents = 1 if row is None or fresh else row.documents + 1
            total = size if row is None or fresh else row.bytes + size
            values = {"began_at": began, "documents": documents, "bytes": total}
            if row is None:
                self._db.execute(INTAKE.insert().values(party=party_id, span=span, **values))
            else:
                self._db.execute(update(INTAKE).where(*place).values(**values))
            found[span] = (documents, total, began + length)
        return found


def _client(row: Row[Any]) -> Client:
    return Client(row.id, row.kind, row.owner, row.scopes, row.jwks, row.jwks_url, row.certificate)

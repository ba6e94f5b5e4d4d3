"""What a party has been given of a plan besides the plan's deliveries."""

from __future__ import annotations

from sqlalchemy import Column, Connection, ForeignKey, Integer, String, Table, and_, select, update

from hub.model.delivery import State
from hub.store.dialect import inserted
from hub.store.subscription_tables import SUBSCRIPTION
from hub.store.tables import DELIVERY, METADATA

READ_WHOLE = Table(
    "read_whole",
    METADATA,
    Column("plan_id", ForeignKey("plan.id"), primary_key=True),
    Column("party", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
)


class Given:
    """Whole versions that a party has read, or was notified with; for the services."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def read(self, plan_id: str, party: str) -> int | None:
        """The newest version that it has read whole over REST."""
        mine = and_(READ_WHOLE.c.plan_id == plan_id, READ_WHOLE.c.party == party)
        return self._db.execute(select(READ_WHOLE.c.version).where(mine)).scalar()

    def has_read(self, plan_id: str, party: str, version: int) -> None:
        """It has read this version; an older one than it has read before changes nothing."""
        mine = and_(READ_WHOLE.c.plan_id == plan_id, READ_WHOLE.c.party == party)
        newer = update(READ_WHOLE).where(mine, READ_WHOLE.c.version < version)
        if self._db.execute(newer.values(version=version)).rowcount or self.read(plan_id, party):
            return
        row = {"plan_id": plan_id, "party": party, "version": version}
        if not inserted(self._db, READ_WHOLE, row):
            # It read it twice at this moment.
            self._db.execute(newer.values(version=version))

    def told(self, plan_id: str, party: str) -> list[int]:
        """The versions of notifications that its endpoint took, with everything in them."""
        found = select(DELIVERY.c.version, SUBSCRIPTION.c.options).where(
            DELIVERY.c.subscription == SUBSCRIPTION.c.id,
            DELIVERY.c.receiver == party,
            DELIVERY.c.about == f"CarePlan/{plan_id}",
            DELIVERY.c.state == State.DELIVERED.value,
        )
        rows = self._db.execute(found)
        return [r.version for r in rows if r.options.get("content") == "full-resource"]

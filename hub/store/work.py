"""The unit of work: one transaction with every repository; rolled back unless committed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from hub.store.breakers import Breakers
from hub.store.clients import Clients
from hub.store.consents import Consents
from hub.store.conversations import Conversations
from hub.store.deliveries import Deliveries
from hub.store.dialect import Database
from hub.store.documents import Documents
from hub.store.given import Given
from hub.store.inbox import Inbox
from hub.store.journal import Journal
from hub.store.logins import Logins
from hub.store.losses import Losses
from hub.store.operating import Operating
from hub.store.parties import Parties
from hub.store.plans import Plans
from hub.store.proposals import Proposals
from hub.store.queues import Queues
from hub.store.resources import Resources
from hub.store.retention import Retention
from hub.store.standing import Standing
from hub.store.subject import Subject
from hub.store.subscriptions import Subscriptions
from hub.store.timers import Timers
from hub.store.trail import Trail
from hub.store.withdrawals import Withdrawals


class UnitOfWork:
    """Everything one step reads and writes, together or not at all."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.parties = Parties(connection)
        self.breakers = Breakers(connection)
        self.clients = Clients(connection)
        self.inbox = Inbox(connection)
        self.plans = Plans(connection)
        self.consents = Consents(connection)
        self.deliveries = Deliveries(connection)
        self.documents = Documents(connection)
        self.given = Given(connection)
        self.journal = Journal(connection, self.parties)
        self.logins = Logins(connection)
        self.losses = Losses(connection)
        self.operating = Operating(connection)
        self.proposals = Proposals(connection)
        self.queues = Queues(connection)
        self.resources = Resources(connection)
        self.conversations = Conversations(connection)
        self.subscriptions = Subscriptions(connection)
        self.timers = Timers(connection)
        self.trail = Trail(connection, self.parties)
        self.retention = Retention(connection, self.parties)
        self.standing = Standing(connection)
        self.subject = Subject(connection)
        self.withdrawals = Withdrawals(connection)

    def commit(self) -> None:
        """Make it so. Only services call this."""
        self.withdrawals.write_recalls()
        self._connection.commit()


class Store:
    """Opens units of work."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @contextmanager
    def writing(self) -> Iterator[UnitOfWork]:
        """A transaction that may write."""
        with self.database.writing() as connection:
            yield UnitOfWork(connection)

    @contextmanager
    def reading(self) -> Iterator[UnitOfWork]:
        """A consistent view; nothing is ever committed."""
        with self.database.reading() as connection:
            yield UnitOfWork(connection)

    def check(self) -> None:
        """Really ask; raises StoreUnavailable."""
        self.database.check()

    def check_writing(self) -> None:
        """Really write; raises StoreUnavailable."""
        self.database.check_writing()

    def close(self) -> None:
        """Let go of connections."""
        self.database.close()

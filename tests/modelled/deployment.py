"""A hub in this process on either deployment, and its parties with a mailbox or a queue each."""

from __future__ import annotations

import json
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pika

from hub.contract import Receipt
from hub.errors import HubError, NotFound
from hub.fhir.paging import Token
from hub.fhir.query import parse
from hub.model.party import SYSTEM, Subscription, Viewer
from hub.model.records import Delivery
from hub.ports import deliveries_queue
from hub.runtime.bootstrap import close
from hub.runtime.parties import operator_entries, party_entries
from hub.runtime.parties_file import read_parties
from hub.sending import Endpoint
from hub.services import mailbox
from hub.services.accept import accept
from hub.services.acts import forward
from hub.services.admin import apply_parties
from hub.services.hub import Hub
from hub.services.missed import Wish, ask_for_missed
from hub.services.process import process
from hub.services.search import search
from hub.services.settle import receipt_for
from hub.services.strays import compare_all
from hub.services.whole import Wanted, everything
from hub.services.worker import maintain, work_once
from hub.store.migrate import migrate
from tests.api.world import Clock, _hub, same_ids
from tests.modelled.reference import OTHER, PSYK, SOCIAL
from tests.servers.postgres import PostgresServer
from tests.servers.prepared import Prepared
from tests.servers.rabbitmq import RabbitServer, Vhost
from tests.views import ROOT

MARKS = re.compile(rb"MARK-\d{4}-\d-KRAM")
BROKER = frozenset({PSYK, SOCIAL})
"""Who is reached by AMQP where there is a broker."""


@dataclass
class Running:
    """One hub, its clock, and where it lives."""

    hub: Hub
    clock: Clock
    folder: Path
    settings: Mapping[str, Any]
    vhost: Vhost | None = None

    def restart(self) -> None:
        """The process ends and another one begins."""
        close(self.hub)
        hub, _ = _hub(self.folder, self.settings)
        self.hub = replace(hub, clock=self.clock)

    def close(self) -> None:
        close(self.hub)

    def send(self, sender: str, body: bytes) -> int:
        """One document or decision; the status of its answer."""
        with self.hub.store.reading() as work:
            party = work.parties.get(sender)
        assert party is not None
        try:
            kept = accept(self.hub, party.party, "fhir", body, "application/fhir+json")
            return process(self.hub, kept.item.id).status or 0
        except HubError as e:
            return e.number

    def work(self) -> None:
        """The worker, until there is nothing to do."""
        while work_once(self.hub):
            continue

    def maintain(self) -> None:
        """What the worker does now and then."""
        maintain(self.hub)

    def reads(self, unit: str, plan: str) -> frozenset[str] | None:
        """Marks in everything of the plan; None if there is no such plan for the unit."""
        wanted = Wanted(frozenset(), None, 1000)
        try:
            token = self._token("CarePlan")
            page = everything(self.hub, Viewer("party", unit), "CarePlan", plan, wanted, token)
        except HubError:
            return None
        return marks(json.dumps([e.resource for e in page.entries]).encode())

    def finds(self, unit: str) -> frozenset[str]:
        """Marks in all goals that a search finds."""
        query = parse("Goal", [("_count", "1000")])
        page = search(self.hub, Viewer("party", unit), query, self._token("Goal"))
        return marks(json.dumps([e.resource for e in page.matches]).encode())

    def _token(self, about: str) -> Token:
        return Token(about, (), self.clock(), ())

    def letters(self, unit: str) -> list[tuple[str, bytes]]:
        """Delivery and bytes of what waits for the unit, fetched."""
        if self.vhost is not None and unit in BROKER:
            return self._queued(unit)
        with self.hub.store.reading() as work:
            party = work.parties.get(unit)
        assert party is not None
        keys = [x.id for x in mailbox.waiting(self.hub, party.party)]
        return [(key, mailbox.fetch(self.hub, party.party, key).body) for key in keys]

    def _queued(self, unit: str) -> list[tuple[str, bytes]]:
        """Taken from the broker for good."""
        assert self.vhost is not None
        connection = pika.BlockingConnection(pika.URLParameters(self.vhost.url()))
        try:
            channel = connection.channel()
            found: list[tuple[str, bytes]] = []
            while True:
                method, properties, body = channel.basic_get(deliveries_queue(unit), auto_ack=True)
                if method is None or properties is None:
                    return found
                found.append((properties.message_id or "", body or b""))
        finally:
            connection.close()

    def receipt(self, unit: str, key: str) -> None:
        """The unit has it."""
        with self.hub.store.reading() as work:
            party = work.parties.get(unit)
        assert party is not None
        receipt_for(self.hub, party.party, Receipt(key, "ok"))

    def ask(self, unit: str, plan: str, *, latest: bool) -> bool:
        """The unit asks for all that was made for it, or the current document; False if there is
        no such plan for it."""
        with self.hub.store.reading() as work:
            party = work.parties.get(unit)
        assert party is not None
        try:
            ask_for_missed(self.hub, party.party, Wish(plan, latest=latest))
        except NotFound:
            return False
        return True

    def strays(self) -> list[str]:
        """What is not as it should be, by the hub's own comparison."""
        found = [s for one in compare_all(self.hub) for s in (*one.left, *one.mended)]
        return sorted(f"{s.receiver} {s.kind}" for s in found)

    def forward(self, unit: str, key: str) -> bool:
        """A person of the unit hands the plan on."""
        with self.hub.store.reading() as work:
            party = work.parties.get(unit)
        assert party is not None
        try:
            forward(self.hub, party.party, key, "Signe Prøve, koordinator")
        except HubError:
            return False
        return True

    def waiting_to_be_forwarded(self, plan: str) -> str | None:
        """The delivery that waits for the own coordinator's hand."""
        with self.hub.store.reading() as work:
            rows = work.deliveries.of_plan(plan, OTHER)
        return next((r.id for r in rows if r.state.value == "blocked"), None)

    def row(self, key: str) -> Delivery:
        """What the hub knows of what was sent under that id."""
        with self.hub.store.reading() as work:
            found = work.deliveries.get(key, SYSTEM)
        assert found is not None
        return found

    def attempted(self, plan: str) -> set[str]:
        """Units to which something was sent or tried to be."""
        with self.hub.store.reading() as work:
            return {d.receiver for d in work.deliveries.attempted(plan)}


def marks(body: bytes) -> frozenset[str]:
    """The words by which goals are told apart."""
    return frozenset(m.decode() for m in MARKS.findall(body))


def prepared(folder: Path, now: datetime, settings: Mapping[str, Any], *, broker: bool) -> None:
    """Migrated, with the demo's parties: every copy as FHIR, so that marks can be read in it."""
    hub, clock = _hub(folder, settings)
    clock.now = now
    migrate(hub.store.database)
    same_ids(hub)
    file = ROOT / "hub" / "demo" / "parties.yaml"
    read = read_parties(file)
    plain = tuple(
        replace(
            entry,
            registered=replace(
                entry.registered,
                subscriptions=(Subscription("fhir"),),
                endpoint=_endpoint(entry.registered.party.id, broker=broker),
            ),
        )
        for entry in party_entries(read, file.parent)
    )
    apply_parties(hub, plain, operator_entries(read, file.parent), "html", by="test")
    close(hub)


def _endpoint(party: str, *, broker: bool) -> Endpoint:
    transport = "amqp" if broker and party in BROKER else "mailbox"
    return Endpoint(transport, deliveries_queue(party))


class Embedded:
    """SQLite; one prepared folder is copied for each run."""

    def __init__(self, folder: Path, now: datetime) -> None:
        self._folder, self._now = folder, now
        self._template = folder / "template"
        prepared(self._template, now, {}, broker=False)

    @contextmanager
    def running(self) -> Iterator[Running]:
        folder = self._folder / secrets.token_hex(6)
        shutil.copytree(self._template, folder)
        hub, clock = _hub(folder, {})
        clock.now = self._now
        made = Running(hub, clock, folder, {})
        try:
            yield made
        finally:
            made.close()
            shutil.rmtree(folder)


class Production:
    """PostgreSQL and RabbitMQ: one prepared database is put back before each run, the virtual
    host's queues are emptied."""

    def __init__(
        self, folder: Path, now: datetime, postgres: PostgresServer, rabbit: RabbitServer
    ) -> None:
        self._folder, self._now = folder, now
        self._vhost = rabbit.vhost()
        self._stack = ExitStack()
        url = self._stack.enter_context(postgres.database())
        self._settings = {
            "database_url": url,
            "bus_url": self._vhost.url(),
            "bus_admin_url": self._vhost.admin_url,
        }
        prepared(folder, now, self._settings, broker=True)
        self._database = Prepared(url)

    def close(self) -> None:
        """The database is dropped."""
        self._stack.close()

    @contextmanager
    def running(self) -> Iterator[Running]:
        folder = self._folder / secrets.token_hex(6)
        folder.mkdir()
        self._database.put_back()
        hub, clock = _hub(folder, self._settings)
        clock.now = self._now
        made = Running(hub, clock, folder, self._settings, self._vhost)
        for unit in BROKER:
            made._queued(unit)
        try:
            yield made
        finally:
            made.close()
            shutil.rmtree(folder)

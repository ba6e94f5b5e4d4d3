"""The two places a hub runs in: embedded, and on PostgreSQL and RabbitMQ; both durable."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from hub.model.party import Subscription
from hub.ports import deliveries_queue
from hub.runtime.bootstrap import build, close
from hub.runtime.parties import operator_entries, party_entries
from hub.runtime.parties_file import read_parties
from hub.runtime.settings import Settings
from hub.sending import Endpoint
from hub.services.admin import apply_parties
from hub.services.hub import CANONICAL, Hub
from hub.store.migrate import migrate
from tests.servers.postgres import PostgresServer
from tests.servers.rabbitmq import RabbitServer
from tests.views import ROOT

Kind = Literal["embedded", "servers"]
KINDS: Final[tuple[Kind, ...]] = ("embedded", "servers")
PARTIES: Final = ROOT / "hub" / "demo" / "parties.yaml"


@dataclass(frozen=True)
class Place:
    """A hub in this process, and the broker that it uses, if it uses one."""

    hub: Hub
    bus_url: str
    folder: Path


@contextmanager
def place(kind: Kind) -> Iterator[Place]:
    """A new one, with the demo's parties, who all get every version by queue in the canonical
    format: what is measured is the way through the hub, and not one format's printing."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kihub-bench-")))
        database_url = bus_url = admin_url = ""
        if kind == "servers":
            postgres = stack.enter_context(PostgresServer())
            database_url = stack.enter_context(postgres.database())
            vhost = stack.enter_context(RabbitServer()).vhost()
            bus_url, admin_url = vhost.url(), vhost.admin_url
        settings = Settings(
            data=folder, database_url=database_url, bus_url=bus_url, bus_admin_url=admin_url
        )
        hub = build(settings)
        stack.callback(close, hub)
        migrate(hub.store.database)
        _register(hub)
        yield Place(hub, bus_url, folder)


def _register(hub: Hub) -> None:
    read = read_parties(PARTIES)
    wish = Subscription(format=CANONICAL, versions="every-version")
    entries = [
        replace(
            entry,
            registered=replace(
                entry.registered,
                endpoint=Endpoint("amqp", deliveries_queue(entry.registered.party.id)),
                subscriptions=(wish,),
            ),
        )
        for entry in party_entries(read, PARTIES.parent)
    ]
    operators = operator_entries(read, PARTIES.parent)
    apply_parties(hub, entries, operators, "html", by="bench")

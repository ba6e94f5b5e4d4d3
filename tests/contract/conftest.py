"""One fixture per port: every implementation runs the same suite."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hub.store.dialect import Database
from hub.store.work import Store
from tests.contract.harness import BusHarness, RabbitHarness
from tests.contract.store_cases import opened
from tests.servers.postgres import PostgresServer
from tests.servers.prepared import Prepared
from tests.servers.rabbitmq import RabbitServer, Vhost


@pytest.fixture
def rabbit(rabbitmq_server: RabbitServer, rabbitmq_vhost: Vhost) -> Iterator[RabbitHarness]:
    """The bus on RabbitMQ."""
    harness = RabbitHarness(rabbitmq_server, rabbitmq_vhost)
    try:
        yield harness
    finally:
        harness.close()


@pytest.fixture(params=["rabbit"])
def harness(request: pytest.FixtureRequest) -> BusHarness:
    """Every bus there is, by the name of its own fixture."""
    found: BusHarness = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="session")
def prepared_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``store`` is on SQLite, to be copied."""
    file = tmp_path_factory.mktemp("prepared") / "hub.db"
    with opened(f"sqlite:///{file}"):
        return file


@pytest.fixture(scope="session")
def prepared_database(postgres_server: PostgresServer) -> Iterator[Prepared]:
    """What ``store`` is on PostgreSQL: one database, put back for every test."""
    with postgres_server.database() as url:
        with opened(url):
            prepared = Prepared(url)
        yield prepared


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind: that of ``store``, or an empty one where no store is asked for."""
    file = tmp_path / "hub.db"
    prepared = "store" in request.fixturenames
    if request.param == "postgresql":
        found: str = request.getfixturevalue("prepared_url" if prepared else "database_url")
        return found
    if prepared:
        shutil.copy(request.getfixturevalue("prepared_file"), file)
    return f"sqlite:///{file}"


@pytest.fixture
def prepared_url(prepared_database: Prepared) -> str:
    """``prepared_database``, as it was made."""
    prepared_database.put_back()
    return prepared_database.url


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """A migrated store with the demo's parties, on each kind of database."""
    with closing(Store(Database(url))) as found:
        yield found

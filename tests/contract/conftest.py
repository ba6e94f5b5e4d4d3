"""One fixture per port: every implementation runs the same suite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.store.work import Store
from tests.contract.harness import BusHarness, RabbitHarness
from tests.contract.store_cases import opened
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


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'hub.db'}"
    found: str = request.getfixturevalue("database_url")
    return found


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """A migrated store with the demo's parties, on each kind of database."""
    with opened(url) as found:
        yield found

"""One fixture per port: every implementation runs the same suite."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.harness import BusHarness, RabbitHarness
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

"""Fixtures for every folder: private servers, started only when a test asks for one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.postgres import PostgresServer
from tests.servers.rabbitmq import RabbitServer, Vhost


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One PostgreSQL for the whole run."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def database_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A fresh PostgreSQL database."""
    with postgres_server.database() as url:
        yield url


@pytest.fixture(scope="session")
def rabbitmq_server() -> Iterator[RabbitServer]:
    """One RabbitMQ for the whole run."""
    with RabbitServer() as server:
        yield server


@pytest.fixture
def rabbitmq_vhost(rabbitmq_server: RabbitServer) -> Vhost:
    """A fresh virtual host."""
    return rabbitmq_server.vhost()

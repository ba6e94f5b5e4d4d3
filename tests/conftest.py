"""Fixtures for every folder: private servers, started only when a test asks for one."""

from __future__ import annotations

import gc
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, expect, sync_playwright

from tests.leaks import Collected, collecting, secret_words
from tests.servers.chromium import FLAGS, executable
from tests.servers.postgres import PostgresServer
from tests.servers.rabbitmq import RabbitServer, Vhost

# No test fails because the machine is busy.
settings.register_profile("untimed", parent=settings(), deadline=None)
settings.load_profile("untimed")


def pytest_configure() -> None:
    """SIGTERM (a CI job that is cancelled) tears down like Ctrl-C: servers end, folders go."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def nothing_personal_anywhere() -> Iterator[Collected]:
    """What the whole run writes beside its documents; it fails the run with the place."""
    with collecting(secret_words()) as found:
        yield found
    leaks = found.leaks()
    if leaks:
        pytest.fail("personal data outside a document:\n" + "\n".join(leaks[:50]), pytrace=False)


FIRST = ("faults", "scenarios", "console", "docs", "clients", "cli", "fuzz", "contract", "api")
"""Folders in the order they are begun: the longest single files first, so that none of them is
what one worker still does when the other has finished. All others are quick, and come last."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """By folder; within it as it was."""
    place = {name: number for number, name in enumerate(FIRST)}
    tests = Path(__file__).parent
    items.sort(key=lambda item: place.get(item.path.relative_to(tests).parts[0], len(place)))


def pytest_collection_finish() -> None:
    """What is there by now stays until the end; the collector need not look at it again."""
    gc.collect()
    gc.freeze()


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
def browser() -> Iterator[Browser]:
    """One browser for the whole run; a second driver in one process is refused."""
    # A busy machine is no fault of a page.
    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=executable(), args=list(FLAGS))
        yield found
        found.close()


@pytest.fixture(scope="session")
def one_rabbitmq() -> Iterator[RabbitServer]:
    """One RabbitMQ for the whole run."""
    with RabbitServer() as server:
        yield server


@pytest.fixture(scope="module")
def rabbitmq_server(one_rabbitmq: RabbitServer) -> Iterator[RabbitServer]:
    """The same, running for as long as the tests of a module may need it."""
    with one_rabbitmq.at_work() as server:
        yield server


@pytest.fixture
def rabbitmq_vhost(rabbitmq_server: RabbitServer) -> Vhost:
    """A fresh virtual host."""
    return rabbitmq_server.vhost()

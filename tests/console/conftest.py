"""A real server on a seeded database, and Debian's Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest

from hub.console import Demo
from hub.runtime.bootstrap import close
from hub.runtime.web import Running, listen, make_server
from tests.console.seed import Seeded, again, seed


@dataclass
class Site:
    """The running console."""

    base: str
    seeded: Seeded

    def visitor(self, language: str = "da") -> httpx.Client:
        """A browser without JavaScript and without a login."""
        return httpx.Client(base_url=self.base, headers={"Accept-Language": language}, timeout=20)

    @contextmanager
    def operator(self, language: str = "da") -> Iterator[httpx.Client]:
        """Logged in as the operator."""
        with self.visitor(language) as client:
            log_in(client, "/login", self.seeded.operator)
            yield client

    @contextmanager
    def person(self, party: str, language: str = "da") -> Iterator[httpx.Client]:
        """Logged in for a party."""
        with self.visitor(language) as client:
            log_in(client, "/decisions/login", self.seeded.secrets[party])
            yield client


def token_in(page: str) -> str:
    """The form token of a page."""
    return page.split('name="token" value="', 1)[1].split('"', 1)[0]


def log_in(client: httpx.Client, path: str, credential: str) -> httpx.Response:
    """Through the login page, as a person does."""
    token = token_in(client.get(path).text)
    return client.post(path, data={"token": token, "credential": credential})


@pytest.fixture(scope="session")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Seeded]:
    """A seeded hub of one's own: a copy of one that was seeded once."""
    folder = tmp_path_factory.mktemp("seeded") / "data"
    seeded = seed(folder)
    close(seeded.hub)

    def copy() -> Seeded:
        own = tmp_path_factory.mktemp("console") / "data"
        shutil.copytree(folder, own)
        return again(seeded, own)

    return copy


@pytest.fixture(scope="session")
def site(copied: Callable[[], Seeded]) -> Iterator[Site]:
    """One seeded hub for all tests that only look."""
    yield from _running(copied())


@pytest.fixture
def own_site(copied: Callable[[], Seeded]) -> Iterator[Site]:
    """A seeded hub for a test that changes something."""
    yield from _running(copied())


def _running(seeded: Seeded) -> Iterator[Site]:
    server = make_server(seeded.hub, demo=Demo(seeded.operator, seeded.secrets))
    running = Running(server, listen("127.0.0.1", 0))
    base = running.start()
    try:
        yield Site(base, seeded)
    finally:
        running.finish()
        close(seeded.hub)

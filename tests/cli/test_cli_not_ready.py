"""What is not ready is told in words, with what to change, and exit code 4."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator

import pytest

from hub.store.dialect import Database
from tests.cli.conftest import Site


def words(done: subprocess.CompletedProcess[str]) -> str:
    """The one line on stderr of a command that was not ready."""
    assert (done.returncode, done.stdout) == (4, ""), done.stderr
    (line,) = done.stderr.splitlines()
    return line


@pytest.fixture
def taken() -> Iterator[str]:
    """A port that something else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield str(server.getsockname()[1])


@pytest.mark.parametrize("command", [["serve"], ["all"], ["demo", "--serve"]])
def test_a_taken_port(site: Site, taken: str, command: list[str]) -> None:
    if command[0] == "demo":
        site = Site(site.data.parent / "demo")
    told = words(site.run(*command, port=taken))
    assert f"Port {taken} on 127.0.0.1 is taken" in told
    assert "KI_HUB_PORT" in told


def test_an_address_of_another_machine(site: Site) -> None:
    assert "KI_HUB_HOST" in words(site.run("serve", host="192.0.2.1"))


@pytest.mark.parametrize("command", ["demo", "migrate", "serve"])
def test_a_database_that_is_not_there(site: Site, command: str) -> None:
    url = "postgresql+psycopg://nobody@127.0.0.1:9/nothing"
    assert "database" in words(site.run(command, database_url=url))


def test_a_second_demo_on_the_same_database(site: Site) -> None:
    database = Database(f"sqlite:///{site.data / 'ki-hub.db'}")
    with database.alone("demo") as only_one:
        assert only_one
        told = words(site.run("demo"))
    database.close()
    assert "A demo is running on this database" in told

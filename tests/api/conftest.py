"""Hubs to test on: empty, or in the middle of the scenario; and nothing personal in any log."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from hub.runtime.bootstrap import close
from tests.api.world import (
    ORDER,
    PSYK,
    SOCIAL,
    TREATMENT,
    World,
    founded,
    opened,
)
from tests.leaks import secret_words
from tests.servers.postgres import PostgresServer
from tests.servers.prepared import Prepared


@dataclass(frozen=True)
class Template:
    """A closed hub's folder, to be copied."""

    folder: Path
    secrets: Mapping[str, str]
    plan: str = ""

    def copy(self, to: Path) -> World:
        shutil.copytree(self.folder, to)
        return opened(to, self.secrets)


@pytest.fixture(scope="session")
def empty_template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    folder = tmp_path_factory.mktemp("empty-hub")
    world = founded(folder)
    close(world.hub)
    return Template(folder, world.secrets)


@pytest.fixture(scope="session")
def plan_template(empty_template: Template, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Consent, a behandlingsplan, a VUM order, the shared plan; every due delivery made."""
    folder = tmp_path_factory.mktemp("hub-with-plan") / "data"
    world = empty_template.copy(folder)
    plan = with_every_part(world)
    close(world.hub)
    return Template(folder, world.secrets, plan)


def server(url: str) -> dict[str, Any]:
    """Settings; without the credentials' setting only an embedded hub takes fixed ones."""
    return {"database_url": url, "static_credentials": True}


@dataclass(frozen=True)
class OnServer:
    """The same on PostgreSQL: one database, put back for every test."""

    prepared: Prepared
    secrets: Mapping[str, str]
    plan: str

    def opened(self, folder: Path) -> World:
        self.prepared.put_back()
        return opened(folder, self.secrets, **server(self.prepared.url))


@pytest.fixture(scope="session")
def plan_on_server(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OnServer]:
    """A hub on PostgreSQL in the middle of the scenario; see ``plan_template``."""
    with postgres_server.database() as url:
        world = founded(tmp_path_factory.mktemp("on-server"), **server(url))
        plan = with_every_part(world)
        close(world.hub)
        yield OnServer(Prepared(url), world.secrets, plan)


def with_every_part(world: World) -> str:
    """The plan's id."""
    assert world.consent().status_code == 201
    assert world.post("/documents/behandlingsplan", PSYK, TREATMENT).status_code == 202
    assert world.post("/documents/vum", SOCIAL, ORDER).status_code == 202
    plan = world.publish_plan()
    world.work()
    return plan


@pytest.fixture
def world(empty_template: Template, tmp_path: Path) -> Iterator[World]:
    """A hub with parties and nothing else."""
    found = empty_template.copy(tmp_path / "data")
    yield found
    close(found.hub)


@pytest.fixture
def plan(plan_template: Template) -> str:
    """The id of the plan in ``planned``."""
    return plan_template.plan


@pytest.fixture
def planned(plan_template: Template, tmp_path: Path) -> Iterator[World]:
    """A hub in the middle of the scenario; see ``plan_template``."""
    found = plan_template.copy(tmp_path / "data")
    yield found
    close(found.hub)


SECRET = secret_words()


@pytest.fixture(autouse=True)
def nothing_personal_in_the_log() -> Iterator[list[Any]]:
    """Every test's log lines; none may hold a number, a name or a sentence of the examples."""
    with capture_logs() as lines:
        yield lines
    written = "\n".join(repr(line) for line in lines)
    assert sorted(word for word in SECRET if word in written) == []

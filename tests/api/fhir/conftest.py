"""A hub with two citizens' plans, several versions, approvals, and a sector plan of no plan."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.runtime.bootstrap import close
from tests.api.conftest import Template
from tests.api.fhir.client import publish
from tests.api.world import CONSENT_2, PLAN_2, PSYK, RUS, World

OCTOBER = datetime(2026, 10, 9, 8, 0, tzinfo=UTC)
"""The second citizen's consent is from October."""


@pytest.fixture(scope="session")
def full_template(plan_template: Template, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """``planned``, then: approved, changed twice, and another citizen's plan led by psychiatry."""
    folder = tmp_path_factory.mktemp("hub-with-two") / "data"
    world = plan_template.copy(folder)
    world.clock.advance(minutes=1)
    assert world.approve(plan_template.plan).status_code == 201
    publish(world, RUS, title="Planen efter mødet")
    publish(world, RUS, title="Planen efter det næste møde")
    world.clock.now = OCTOBER
    assert world.post("/fhir/Consent", PSYK, CONSENT_2).status_code == 201
    assert world.post("/documents/fhir", PSYK, PLAN_2).status_code == 200
    close(world.hub)
    return Template(folder, world.secrets, plan_template.plan)


@pytest.fixture
def full(full_template: Template, tmp_path: Path) -> Iterator[World]:
    """See ``full_template``; the clock stands ten minutes after the last write."""
    found = full_template.copy(tmp_path / "data")
    found.clock.now = OCTOBER + timedelta(minutes=10)
    yield found
    close(found.hub)


@pytest.fixture(scope="session")
def shared_full(
    full_template: Template, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """The same for tests that only read, many times."""
    found = full_template.copy(tmp_path_factory.mktemp("read-only") / "data")
    found.clock.now = OCTOBER + timedelta(minutes=10)
    yield found
    close(found.hub)


@pytest.fixture(scope="session")
def waiting(plan_template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """``planned``, before the citizen approved anything, for tests that only read."""
    found = plan_template.copy(tmp_path_factory.mktemp("waiting") / "data")
    yield found
    close(found.hub)

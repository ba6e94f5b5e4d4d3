"""A hub's data folder, and the command run on it as an operator does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hub.fhir.validation import EmbeddedValidator
from hub.runtime.bootstrap import close
from tests.api.world import founded, opened
from tests.servers.starter import starter


@dataclass(frozen=True)
class Site:
    """One data folder."""

    data: Path
    columns: int = 80
    """The width of the screen."""

    def run(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """``ki-hub`` with those arguments; ``settings`` by their names in small letters."""
        done = self.run_bytes(*arguments, **settings)
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )

    def run_bytes(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[bytes]:
        """The same, with what it wrote as it is."""
        chosen = {"data": str(self.data), **settings}
        own = {"COLUMNS": str(self.columns)}
        clean = {k: v for k, v in os.environ.items() if not k.startswith("KI_HUB_")} | own
        environment = clean | {f"KI_HUB_{k.upper()}": v for k, v in chosen.items()}
        return starter().run(arguments, environment)

    def json(self, *arguments: str) -> Any:
        """What a command that succeeds prints."""
        done = self.run(*arguments, "--json")
        assert (done.returncode, done.stderr) == (0, "")
        return json.loads(done.stdout)


def refusal(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """The issues of a refused input: exit 3, and stderr is one legal OperationOutcome."""
    assert (done.returncode, done.stdout) == (3, "")
    told = json.loads(done.stderr)
    assert told["resourceType"] == "OperationOutcome"
    assert EmbeddedValidator().check([told]) == []
    issues: list[dict[str, Any]] = told["issue"]
    return issues


@pytest.fixture(scope="session")
def founded_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli-hub")
    world = founded(folder)
    (folder / "secrets.json").write_text(json.dumps(dict(world.secrets)))
    close(world.hub)
    return folder


@pytest.fixture(scope="session")
def planned_folder(founded_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli-plan") / "data"
    shutil.copytree(founded_folder, folder)
    secrets = json.loads((founded_folder / "secrets.json").read_text())
    world = opened(folder, secrets)
    assert world.consent().status_code == 201
    world.publish_plan()
    world.work()
    close(world.hub)
    return folder


@pytest.fixture
def planned(planned_folder: Path, tmp_path: Path) -> Site:
    """One plan, and what was sent of it."""
    shutil.copytree(planned_folder, tmp_path / "planned")
    return Site(tmp_path / "planned")


@pytest.fixture
def site(founded_folder: Path, tmp_path: Path) -> Site:
    """The demo's parties and nothing else."""
    shutil.copytree(founded_folder, tmp_path / "data")
    return Site(tmp_path / "data")

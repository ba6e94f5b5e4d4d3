"""One hub for the clients of a worker, and what it holds as seen without any of them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.facts import Facts, facts_of
from tests.servers.hub import LiveHub, live_hub
from tests.servers.process import program

SOURCE = Path(__file__).parent / "js"


@pytest.fixture(scope="package")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHub]:
    """A real process with a plan of three versions."""
    with live_hub(tmp_path_factory.mktemp("clients"), seed=11) as found:
        yield found


@pytest.fixture
def facts(hub: LiveHub) -> Facts:
    """What there is to find now."""
    return facts_of(hub)


@pytest.fixture(scope="session")
def scripts() -> Path:
    """The JavaScript client and its scenario, installed once for a lock file; a folder."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "ki-hub" / "clients"
    lock = SOURCE / "package-lock.json"
    done = folder / ".installed"
    if not done.exists() or done.read_bytes() != lock.read_bytes():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SOURCE / name, folder)
        command = [program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        made = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert made.returncode == 0, made.stderr
        shutil.copy(lock, done)
    return folder

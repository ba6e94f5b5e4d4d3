"""One hub for all fuzzing of a worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.hub import LiveHub, live_hub


@pytest.fixture(scope="package")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHub]:
    """A real process with a plan of three versions."""
    with live_hub(tmp_path_factory.mktemp("fuzzed"), seed=7) as found:
        yield found

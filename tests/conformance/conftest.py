"""The official validator needs Java and minutes: only the long tests (`make test-full`) run it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from hub.runtime.official_validator import Prepared, prepare
from tests.conformance.official import Official, running

if not os.environ.get("KI_HUB_TEST_FULL"):
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def prepared() -> Prepared:
    """The program, R4 and the profiles."""
    return prepare()


@pytest.fixture(scope="session")
def official(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Official]:
    """One running validator for all tests of this folder."""
    log = tmp_path_factory.mktemp("validator") / "validator.log"
    with running(prepared, log) as found:
        yield found

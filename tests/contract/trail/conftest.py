"""One database of each kind for a whole module, emptied after each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from hub.store.tables import METADATA
from hub.store.work import Store
from tests.contract.store_cases import opened

_KEPT = {"party", "subscription"}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The database of the module."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('trail') / 'hub.db'}"
        return
    with request.getfixturevalue("postgres_server").database() as found:
        yield found


@pytest.fixture(scope="module")
def one_store(url: str) -> Iterator[Store]:
    """A migrated store with the demo's parties."""
    with opened(url) as found:
        yield found


@pytest.fixture
def store(one_store: Store) -> Iterator[Store]:
    """The same, with nothing in it but the parties; its ids begin at 1."""
    yield one_store
    tables = [t.name for t in reversed(METADATA.sorted_tables) if t.name not in _KEPT]
    with one_store.database.engine.begin() as db:
        if one_store.database.embedded:
            for name in tables:
                db.execute(text(f"DELETE FROM {name}"))
        else:
            db.execute(text(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE"))

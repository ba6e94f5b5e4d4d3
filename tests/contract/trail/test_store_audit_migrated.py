"""What was audited before there was a chain."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text, update

from hub.store.audit_tables import AUDIT
from hub.store.dialect import Database, migration_lock
from hub.store.migrate import _config, migrate
from hub.store.work import Store
from tests.contract.trail.test_store_audit import behind_its_back, check, seal


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'hub.db'}"
    found: str = request.getfixturevalue("database_url")
    return found


def test_what_was_audited_before_the_chain_is_sealed_too(url: str) -> None:
    database = Database(url)
    with migration_lock(database.engine) as connection:
        command.upgrade(_config(connection), "0006")
        for n in (1, 2):
            connection.execute(
                text(
                    "INSERT INTO audit (id, at, actor, action, object, basis, outcome, detail)"
                    f" VALUES ({n}, '2026-09-20 10:00:00.000001', 'a', 'read', 'o', '', 's', 'd')"
                )
            )
    migrate(database)
    store = Store(database)
    assert check(store).unsealed == 2
    assert seal(store) == 2
    assert check(store).found is None
    behind_its_back(store, update(AUDIT).where(AUDIT.c.id == 2).values(actor="b"))
    assert check(store).found is not None
    store.close()

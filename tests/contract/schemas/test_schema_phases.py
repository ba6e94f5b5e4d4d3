"""Which program may run on which schema, and who may change it when."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from hub.errors import Misconfigured
from hub.store.dialect import Database
from hub.store.migrate import NEEDS, Schema, Step, check_schema, migrate, schema
from hub.store.tables import META
from tests.contract.schemas.history import steps, upgrade
from tests.servers.postgres import PostgresServer

CHAIN = (
    Step("1", "pre", ""), Step("2", "pre", ""), Step("3", "post", ""), Step("4", "pre", "")
)  # fmt: skip
HEAD = steps()[-1].revision


@pytest.mark.parametrize(
    ("revision", "pre", "runs"),
    [("", "4", False), ("1", "2", False), ("2", None, False), ("3", "4", False), ("4", "4", True)],
)
def test_what_adds_stops_before_what_takes_away(revision: str, pre: str | None, runs: bool) -> None:
    found = Schema(revision, CHAIN, "")
    assert found.runs is runs
    assert found.target(None) == found.target("post") == "4"
    if pre is None:
        with pytest.raises(Misconfigured, match="migrate --post"):
            found.target("pre")
    else:
        assert found.target("pre") == pre


def test_a_new_program_runs_before_the_old_things_are_taken_away() -> None:
    assert Schema("2", CHAIN[:3], "1").runs


@pytest.mark.parametrize(("needs", "runs"), [("2", True), ("3", True), ("5", False), ("", False)])
def test_an_older_program_runs_on_what_was_only_added_to(needs: str, runs: bool) -> None:
    found = Schema("9", CHAIN, needs)
    assert (found.known, found.runs, found.pending) == (False, runs, ())
    with pytest.raises(Misconfigured, match="newer than this program"):
        found.target("pre")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database(f"sqlite:///{tmp_path / 'hub.db'}")) as found:
        yield found


def test_a_database_says_what_a_program_must_know(database: Database) -> None:
    assert migrate(database) == HEAD
    last = [s.revision for s in steps() if s.phase == "post"][-1]
    assert schema(database).needs == last
    _as_if_newer(database, needs=last)
    check_schema(database)
    with pytest.raises(Misconfigured, match="newer than this program"):
        migrate(database)
    _as_if_newer(database, needs="9998")
    with pytest.raises(Misconfigured, match="newer than this program"):
        check_schema(database)
    assert schema(database).revision == "9999"


def _as_if_newer(database: Database, needs: str) -> None:
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.execute(META.update().where(META.c.key == NEEDS).values(value=needs))
        connection.commit()


def test_the_first_phase_goes_as_far_as_it_may(database: Database) -> None:
    first = next(n for n, s in enumerate(steps()) if s.phase == "post")
    upgrade(database, steps()[0].revision)
    assert migrate(database, "pre") == steps()[first - 1].revision
    with pytest.raises(Misconfigured, match=f"Step {steps()[first].revision} takes away"):
        migrate(database, "pre")
    assert migrate(database, "post") == HEAD


def test_the_second_of_two_says_who_is_first_and_waits(postgres_server: PostgresServer) -> None:
    command = [str(Path(sys.executable).with_name("ki-hub")), "migrate"]
    with postgres_server.database() as url, closing(Database(url)) as database:
        with database.engine.connect() as first:
            pid = first.execute(text("SELECT pg_backend_pid()")).scalar_one()
            first.execute(text("SELECT pg_advisory_xact_lock(4711001)"))
            second = subprocess.Popen(
                command, env={"KI_HUB_DATABASE_URL": url}, stderr=subprocess.PIPE,
                stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            assert second.stderr is not None
            told = second.stderr.readline()
            assert told.startswith(f"Another migration holds the lock (process {pid}, since 20")
            assert not database.engine.dialect.has_table(first, "meta")
            first.rollback()
        out, err = second.communicate(timeout=120)
        assert (second.returncode, err) == (0, "")
        assert f"The schema is at {HEAD}." in out
        check_schema(database)

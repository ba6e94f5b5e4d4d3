"""Bring a database to this version's schema, also while the version before still runs.

A step is of the phase ``pre``, unless its module says ``phase = "post"``. A ``pre`` step only adds:
a program that does not know it reads and writes as before, so it is run before the new program is
started. A ``post`` step takes away what an older program uses, and is run when none runs any more.
The database says which program it needs at least: one that knows its last ``post`` step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Final, Literal

import sqlalchemy as sa
from sqlalchemy import Connection, select

from hub.errors import Misconfigured
from hub.store.dialect import Database, migration_lock
from hub.store.tables import META

Phase = Literal["pre", "post"]
NEEDS: Final = "schema.needs"
"""In the table ``meta``: the revision that a program must know to run on this database."""

if TYPE_CHECKING:
    from alembic.config import Config

_MIGRATIONS: Final = files("hub.store") / "migrations"
_VERSION: Final = sa.table("alembic_version", sa.column("version_num", sa.String))


@dataclass(frozen=True)
class Step:
    """One revision of the schema."""

    revision: str
    phase: Phase
    title: str


@dataclass(frozen=True)
class Schema:
    """Where a database stands, as this program sees it."""

    revision: str
    """Empty for an empty database."""
    steps: tuple[Step, ...]
    """All that this program knows, in order."""
    needs: str
    """What the database says a program must know; empty if it says nothing."""

    @property
    def known(self) -> bool:
        """This program knows every step that the database has behind it."""
        return not self.revision or any(s.revision == self.revision for s in self.steps)

    @property
    def pending(self) -> tuple[Step, ...]:
        """What this program would still run; nothing on a newer schema."""
        done = next((n for n, s in enumerate(self.steps, 1) if s.revision == self.revision), 0)
        return self.steps[done:] if self.known else ()

    @property
    def runs(self) -> bool:
        """This program can work on it as it is."""
        if not self.known:
            return any(s.revision == self.needs for s in self.steps)
        return bool(self.revision) and all(s.phase == "post" for s in self.pending)

    def target(self, phase: Phase | None) -> str:
        """The revision to go to; raises Misconfigured where that phase cannot begin."""
        if not self.known:
            raise Misconfigured(_NEWER)
        if phase != "pre" or not self.revision:
            # Nobody uses an empty database.
            return self.steps[-1].revision
        found = self.revision
        for step in self.pending:
            if step.phase == "post":
                break
            found = step.revision
        if found == self.revision and self.pending:
            text = f"Step {self.pending[0].revision} takes away what an older program uses; when "
            raise Misconfigured(text + "none runs any more, run: ki-hub migrate --post")
        return found


_NEWER: Final = "The database is newer than this program; update the program, nothing was changed"


def migrate(
    database: Database,
    phase: Phase | None = None,
    *,
    waits: Callable[[str], None] = lambda _: None,
) -> str:
    """Run what is missing, of a phase or all, under a lock; returns the revision now in force.

    ``waits`` is told who holds the lock, once, when another one does. All is done, or nothing.
    Raises Misconfigured on a newer schema.
    """
    from alembic import command  # noqa: PLC0415  (slow to load)

    with migration_lock(database.engine, waits) as connection:
        before = _schema(connection)
        target = before.target(phase)
        command.upgrade(_config(connection), target)
        _say_what_is_needed(connection, before.steps, target)
        return target


def schema(database: Database) -> Schema:
    """Where it stands."""
    with database.reading() as connection:
        return _schema(connection)


def check_schema(database: Database) -> None:
    """Raises Misconfigured if this program cannot work on the database's schema.

    Every command asks this first, so where the schema is the program's own it does without
    Alembic, which takes 0.15 s to load.
    """
    with database.reading() as connection:
        if _in_force(connection) == newest():
            return
    found = schema(database)
    if not found.known and not found.runs:
        raise Misconfigured(_NEWER)
    if not found.runs:
        raise Misconfigured("The database has another schema; run: ki-hub migrate")


def _schema(connection: Connection) -> Schema:
    found = _in_force(connection) or ""
    needs = select(META.c.value).where(META.c.key == NEEDS)
    said = connection.execute(needs).scalar() if found else None
    return Schema(found, _steps(connection), said or "")


def _steps(connection: Connection) -> tuple[Step, ...]:
    from alembic.script import ScriptDirectory  # noqa: PLC0415  (slow to load)

    scripts = ScriptDirectory.from_config(_config(connection)).walk_revisions()
    found = [Step(s.revision, getattr(s.module, "phase", "pre"), s.doc) for s in scripts]
    return tuple(reversed(found))


def _say_what_is_needed(connection: Connection, steps: tuple[Step, ...], now: str) -> None:
    done = steps[: next(n for n, s in enumerate(steps, 1) if s.revision == now)]
    needed = next((s for s in reversed(done) if s.phase == "post"), done[0])
    connection.execute(META.delete().where(META.c.key == NEEDS))
    connection.execute(META.insert().values(key=NEEDS, value=needed.revision))


def newest() -> str:
    """The last revision there is: the name of its file begins with it."""
    names = (file.name for file in (_MIGRATIONS / "versions").iterdir())
    return max(name.partition("_")[0] for name in names if name.endswith(".py"))


def _in_force(connection: Connection) -> str | None:
    if not sa.inspect(connection).has_table(_VERSION.name):
        return None
    found: str | None = connection.scalar(sa.select(_VERSION.c.version_num))
    return found


def _config(connection: Connection) -> Config:
    from alembic.config import Config  # noqa: PLC0415  (slow to load)

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    return config

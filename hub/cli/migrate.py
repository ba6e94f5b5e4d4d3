"""``ki-hub migrate``: bring the database to this version's schema."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from hub.cli.common import as_json, opened

if TYPE_CHECKING:
    from hub.store.migrate import Phase, Schema


@click.command(name="migrate")
@click.option("--pre", "phase", flag_value="pre", help="Only what adds: an older program may run.")
@click.option("--post", "phase", flag_value="post", help="The rest: no older program runs.")
@click.option("--check", is_flag=True, help="Change nothing; exit 4 if something is to be run.")
@as_json
def command(phase: Phase | None, check: bool, json_: bool) -> None:
    """Bring the database to this version's schema; safe to run twice, and twice at once.

    Without an option everything is run, for a hub that is stopped meanwhile. On a schema that is
    newer than this program nothing is changed.
    """
    from hub.errors import Misconfigured  # noqa: PLC0415
    from hub.store.migrate import migrate, schema  # noqa: PLC0415

    if check and phase:
        raise click.UsageError("--check goes with neither --pre nor --post")
    with opened(checked=False) as (hub, _):
        if not check:
            migrate(hub.store.database, phase, waits=lambda who: click.echo(who, err=True))
        found = schema(hub.store.database)
    if json_:
        click.echo(json.dumps(_row(found), indent=2))
    else:
        click.echo(_told(found))
    if check and not found.known:
        raise Misconfigured("The database is newer than this program; update the program")
    if check and found.pending:
        sys.exit(4)


def _row(found: Schema) -> dict[str, object]:
    return {
        "revision": found.revision,
        "known": found.known,
        "pending": [
            {"revision": s.revision, "phase": s.phase, "title": s.title} for s in found.pending
        ],
    }


def _told(found: Schema) -> str:
    if not found.revision:
        return f"The database is empty; {len(found.pending)} steps are to be run."
    lines = [f"The schema is at {found.revision}."]
    lines += [f"To be run: {s.revision} ({s.phase}) {s.title}" for s in found.pending]
    return "\n".join(lines)

"""``ki-hub migrate``: bring the database to this version's schema."""

from __future__ import annotations

import json

import click

from hub.cli.common import as_json, opened


@click.command(name="migrate")
@as_json
def command(json_: bool) -> None:
    """Bring the database to this version's schema; safe to run twice."""
    from hub.store.migrate import migrate  # noqa: PLC0415

    with opened(checked=False) as (hub, _):
        revision = migrate(hub.store.database)
    click.echo(json.dumps({"revision": revision}) if json_ else f"The schema is at {revision}.")

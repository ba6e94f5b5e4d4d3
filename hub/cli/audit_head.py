"""``ki-hub audit head``: the newest chain hash."""

from __future__ import annotations

import json

import click

from hub.cli.common import as_json, opened


@click.command(name="head")
@as_json
def command(json_: bool) -> None:
    """Print the newest chain hash. Keep it where who runs the database cannot change it."""
    from hub.services import trail  # noqa: PLC0415

    with opened() as (hub, _):
        found = trail.head(hub)
    if json_:
        click.echo(json.dumps(found, indent=2))
    else:
        click.echo(found["chain_hash"] or "Nothing is sealed yet.")

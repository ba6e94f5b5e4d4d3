"""``ki-hub pause``: send nothing to a party until it is resumed."""

from __future__ import annotations

import getpass
import json

import click

from hub.cli.common import as_json, opened


@click.command(name="pause")
@click.argument("party")
@click.option("--reason", required=True, help="Why; shown to everyone who looks.")
@as_json
def command(party: str, reason: str, json_: bool) -> None:
    """Hold back deliveries to PARTY; what is due waits."""
    from hub.services import admin  # noqa: PLC0415

    with opened() as (hub, _):
        admin.pause(hub, party, by=getpass.getuser(), reason=reason)
    done = {"party": party, "state": "paused"}
    click.echo(json.dumps(done) if json_ else f"{party} is paused.")

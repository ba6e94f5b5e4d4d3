"""``ki-hub resume``: send to a paused party again."""

from __future__ import annotations

import getpass
import json

import click

from hub.cli.common import as_json, opened


@click.command(name="resume")
@click.argument("party")
@click.option("--reason", required=True, help="Why; in the audit trail.")
@as_json
def command(party: str, reason: str, json_: bool) -> None:
    """Let deliveries to PARTY go again, in order."""
    from hub.services import admin  # noqa: PLC0415

    with opened() as (hub, _):
        admin.resume(hub, party, by=getpass.getuser(), reason=reason)
    done = {"party": party, "state": "active"}
    click.echo(json.dumps(done) if json_ else f"{party} is sent to again.")

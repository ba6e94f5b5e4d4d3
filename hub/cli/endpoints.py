"""``ki-hub endpoints``: which endpoints fail and are left alone, and when one works again."""

from __future__ import annotations

import getpass
import json

import click

from hub.cli.common import as_json, opened, show


@click.group(name="endpoints")
def command() -> None:
    """Show endpoints that fail, and send to one again."""


@command.command(name="list")
@as_json
def list_(json_: bool) -> None:
    """Every endpoint that failed and has not worked since, with the parties behind it."""
    from hub.services.breakers import endpoint_rows  # noqa: PLC0415

    with opened() as (hub, _):
        rows = endpoint_rows(hub)
    columns = ("endpoint", "state", "failures", "reason", "until", "parties")
    show(rows, columns, json_, more=("since", "probes"))


@command.command(name="reset")
@click.argument("endpoint")
@click.option("--reason", required=True, help="How you know that it works; kept in the audit.")
@as_json
def reset(endpoint: str, reason: str, json_: bool) -> None:
    """Send to ENDPOINT again at once; it is named as in the list."""
    from hub.services import breakers  # noqa: PLC0415

    with opened() as (hub, _):
        breakers.reset(hub, endpoint, by=getpass.getuser(), reason=reason)
    done = {"endpoint": endpoint, "state": "closed"}
    click.echo(json.dumps(done) if json_ else f"{endpoint} is sent to again.")

"""``ki-hub parties``: apply the parties file, list the parties."""

from __future__ import annotations

import getpass
import json
import os
from pathlib import Path

import click

from hub.cli.common import as_json, opened, show


@click.group(name="parties")
def command() -> None:
    """Apply and show the parties file."""


@command.command(name="apply")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--renew", is_flag=True, help="Make new credentials for all.")
@click.option(
    "--credentials-to",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write new credentials to this file (mode 0600) instead of the screen.",
)
@as_json
def apply(file: Path, renew: bool, credentials_to: Path | None, json_: bool) -> None:
    """Make the register say what FILE says; new credentials are shown once."""
    from hub.runtime.parties import operator_entries, party_entries  # noqa: PLC0415
    from hub.runtime.parties_file import read_parties  # noqa: PLC0415
    from hub.services.admin import apply_parties  # noqa: PLC0415

    read = read_parties(file)
    with opened() as (hub, _):
        applied = apply_parties(
            hub,
            party_entries(read, file.parent),
            operator_entries(read, file.parent),
            read.citizen_format,
            agreements=read.agreements,
            by=getpass.getuser(),
            renew=renew,
        )
    result: dict[str, object] = {
        "added": applied.added,
        "changed": applied.changed,
        "unchanged": applied.unchanged,
    }
    if credentials_to is not None:
        descriptor = os.open(credentials_to, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            json.dump(dict(applied.secrets), out, indent=2)
    else:
        result["credentials"] = dict(applied.secrets)
    if json_:
        click.echo(json.dumps(result, indent=2))
        return
    for what in ("added", "changed", "unchanged"):
        click.echo(f"{what}: {', '.join(result[what]) or '–'}")  # type: ignore[arg-type]
    if credentials_to is None:
        for name, secret in applied.secrets.items():
            click.echo(f"new credential for {name}, shown only now: {secret}")


@command.command(name="list")
@as_json
def list_(json_: bool) -> None:
    """Every party, how it receives, and its deliveries by state."""
    from hub.services.overview import party_rows  # noqa: PLC0415

    with opened() as (hub, _):
        rows = party_rows(hub)
    more = ("transport", "endpoint_state", "formats", "silent")
    show(rows, ("party", "name", "paused", "deliveries"), json_, more=more)

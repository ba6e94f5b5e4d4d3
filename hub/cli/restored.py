"""``ki-hub restored``: make a database that comes from a backup safe to start on."""

from __future__ import annotations

import getpass
import json
from dataclasses import asdict

import click

from hub.cli.common import as_json, opened


@click.command(name="restored")
@as_json
def command(json_: bool) -> None:
    """Pause every party, and look for everything that was sent, before a restored hub is started.

    What citizens have decided since the backup is not in it: register that first, then resume each
    party. Intake goes on meanwhile.
    """
    from hub.services.restored import restored  # noqa: PLC0415

    with opened() as (hub, _):
        done = restored(hub, by=getpass.getuser())
    if json_:
        click.echo(json.dumps(asdict(done)))
        return
    click.echo(
        f"{done.paused} parties are paused, {done.looked_for} sent messages will be looked for.\n"
        "Register what citizens have decided since the backup, then: ki-hub resume PARTY --reason …"
    )

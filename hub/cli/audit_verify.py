"""``ki-hub audit verify``: is the audit trail as it was written?"""

from __future__ import annotations

import json

import click

from hub.cli.common import as_json, opened


@click.command(name="verify")
@click.option("--head", metavar="HASH", help="A chain hash from `audit head`, kept elsewhere.")
@as_json
def command(head: str | None, json_: bool) -> int:
    """Check every column of every row, every seal, and what waits to be sealed.

    Exit 0 if nothing was changed, removed, put in or moved; else 1, with the first break. With
    --head it is also checked that the chain still holds that hash: only so is it seen that the
    newest rows and their seals were removed together.
    """
    from hub.services import trail  # noqa: PLC0415

    with opened() as (hub, _):
        found = trail.check(hub, head)
    if json_:
        click.echo(json.dumps(trail.checked_row(found), indent=2))
        return 0 if found.found is None else 1
    broken = found.found
    if broken is None:
        click.echo(
            f"Intact: {found.rows} rows sealed, {found.expired} expired,"
            f" {found.unsealed} not sealed yet.\nHead: {found.head}"
        )
        return 0
    where = f"seal {broken.position}, row {broken.audit_id}"
    click.echo(f"BROKEN at {where}: {broken.text}.")
    click.echo(f"Before it {found.rows} rows are as written; {found.unsealed} not sealed yet.")
    return 1

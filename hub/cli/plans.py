"""``ki-hub plans``: plans without their content."""

from __future__ import annotations

import click

from hub.cli.common import as_json, opened, show


@click.command(name="plans")
@as_json
def command(json_: bool) -> None:
    """Plans with lead, versions, parts and hops; never what they say."""
    from hub.model.party import Viewer  # noqa: PLC0415
    from hub.services import overview, queries  # noqa: PLC0415

    with opened() as (hub, _):
        found = queries.plans(hub, Viewer("operator", "cli"))
        rows = [overview.plan_row(hub, p.id) for p in found]
    show(rows, ("plan", "lead", "status", "head"), json_)

"""``ki-hub deliveries``: who was sent what, and why."""

from __future__ import annotations

import click

from hub.cli.common import as_json, opened, show


@click.command(name="deliveries")
@click.option("--state", help="Only these, such as blocked or dead.")
@click.option("--receiver", help="Only this party's.")
@click.option("--plan", help="Only this plan's.")
@as_json
def command(state: str | None, receiver: str | None, plan: str | None, json_: bool) -> None:
    """Deliveries, newest first, with reason, legal basis and history."""
    from hub.model.party import Viewer  # noqa: PLC0415
    from hub.services import overview, queries  # noqa: PLC0415

    viewer = Viewer("operator", "cli")
    with opened() as (hub, _):
        found = queries.deliveries(hub, viewer, state=state, receiver=receiver, plan_id=plan)
        rows = [overview.delivery_row(queries.delivery_detail(hub, viewer, d.id)) for d in found]
    columns = ("updated_at", "receiver", "format", "version", "state", "reason", "attempts")
    show(rows, columns, json_)

"""``ki-hub deliveries``: who was sent what, and why."""

from __future__ import annotations

import click

from hub.cli.common import as_json, opened, show
from hub.model.delivery import State


@click.command(name="deliveries")
@click.option("--state", type=click.Choice([s.value for s in State]), help="Only these.")
@click.option("--receiver", help="Only this party's, or the citizen's: citizen.")
@click.option("--plan", help="Only this plan's; the beginning of its id is enough.")
@as_json
def command(state: str | None, receiver: str | None, plan: str | None, json_: bool) -> None:
    """Deliveries, newest first, with reason, legal basis and history.

    Ids are shortened, and a narrow screen has fewer columns; --json has everything.
    """
    from hub.model.party import Viewer  # noqa: PLC0415
    from hub.services import overview, queries  # noqa: PLC0415

    viewer = Viewer("operator", "cli")
    with opened() as (hub, _):
        found = queries.deliveries(
            hub,
            viewer,
            state=state,
            receiver=queries.known_receiver(hub, receiver) if receiver else None,
            plan_id=queries.whole_plan_id(hub, viewer, plan) if plan else None,
        )
        rows = [overview.delivery_row(queries.delivery_detail(hub, viewer, d.id)) for d in found]
    columns = ("delivery", "plan", "version", "receiver", "state", "reason")
    show(rows, columns, json_, more=("format", "attempts", "updated_at"))

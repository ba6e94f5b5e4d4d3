"""``ki-hub actions``: what operators had done to many deliveries, and how far it is."""

from __future__ import annotations

import click

from hub.cli.common import as_json, opened, show
from hub.cli.deliveries_act import finish, tell


@click.group(name="actions")
def command() -> None:
    """Show what was done to many deliveries, and go on with what was interrupted."""


@command.command(name="list")
@as_json
def list_(json_: bool) -> None:
    """Actions, newest first."""
    from hub.model.party import Viewer  # noqa: PLC0415
    from hub.services.operate import many  # noqa: PLC0415

    with opened() as (hub, _):
        rows = many.action_rows(hub, Viewer("operator", "cli"))
    show(rows, ("action", "act", "by", "waits", "done", "refused"), json_,
         more=("failed", "created_at", "reason"))  # fmt: skip


@command.command(name="show")
@click.argument("action")
@as_json
def show_(action: str, json_: bool) -> None:
    """ACTION with what became of each delivery; the beginning of its id is enough."""
    from hub.model.party import Viewer  # noqa: PLC0415
    from hub.services.operate import many  # noqa: PLC0415

    viewer = Viewer("operator", "cli")
    with opened() as (hub, _):
        row = many.action_row(hub, viewer, many.whole_action_id(hub, viewer, action))
    tell(row, json_)


@command.command(name="go-on")
@click.argument("action")
@as_json
def go_on(action: str, json_: bool) -> None:
    """Do what is left of ACTION here and now; a running worker does it anyway."""
    from hub.model.party import Viewer  # noqa: PLC0415
    from hub.services.operate import many  # noqa: PLC0415

    viewer = Viewer("operator", "cli")
    with opened() as (hub, _):
        whole = many.whole_action_id(hub, viewer, action)
        finish(hub, whole)
        row = many.action_row(hub, viewer, whole)
    tell(row, json_)

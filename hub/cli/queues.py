"""``ki-hub queues``: every queue and how many messages wait."""

from __future__ import annotations

import click

from hub.cli.common import as_json, opened, show


@click.command(name="queues")
@as_json
def command(json_: bool) -> None:
    """Show the queues and their depths."""
    from hub.services.overview import queue_rows  # noqa: PLC0415

    with opened() as (hub, _):
        rows = queue_rows(hub)
    show(rows, ("queue", "ready", "unacknowledged", "consumers"), json_)

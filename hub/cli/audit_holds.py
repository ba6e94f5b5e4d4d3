"""``ki-hub audit holds``: legal holds in force."""

from __future__ import annotations

import getpass

import click

from hub.cli.common import as_json, opened, show


@click.command(name="holds")
@as_json
def command(json_: bool) -> None:
    """Plans, and citizens by the hub's own id, of which nothing may be deleted, and why."""
    from hub.model.party import Viewer  # noqa: PLC0415
    from hub.services import retention  # noqa: PLC0415

    with opened() as (hub, _):
        found = retention.holds(hub, Viewer("operator", getpass.getuser()))
    rows = [
        {
            "plan": h.plan_id or None,
            "citizen": h.citizen_id or None,
            "since": h.set_at.isoformat(),
            "by": h.set_by,
            "reason": h.reason,
        }
        for h in found
    ]
    show(rows, ("plan", "citizen", "since", "by", "reason"), json_)

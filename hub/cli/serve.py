"""``ki-hub serve``: answer HTTP; deliveries are another process's work."""

from __future__ import annotations

import click

from hub.cli.common import opened


@click.command(name="serve")
def command() -> None:
    """Answer HTTP until SIGTERM; requests in hand are answered first."""
    from hub.runtime.web import make_server  # noqa: PLC0415

    with opened() as (hub, settings):
        make_server(hub, settings.host, settings.port).run()

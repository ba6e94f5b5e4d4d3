"""``ki-hub serve``: answer HTTP; deliveries are another process's work."""

from __future__ import annotations

import click

from hub.cli.common import opened


@click.command(name="serve")
def command() -> None:
    """Answer HTTP until SIGTERM; requests in hand are answered first."""
    from hub.runtime.ending import Ending  # noqa: PLC0415
    from hub.runtime.sealing import sealing  # noqa: PLC0415
    from hub.runtime.web import Running, listen, make_server  # noqa: PLC0415

    with (
        opened(logs="all") as (hub, settings),
        listen(settings.host, settings.port) as listening,
        sealing(hub),
    ):
        ending = Ending(hub, settings.stop_seconds)
        ending.install()
        running = Running(make_server(hub, console=settings.console), listening)
        try:
            click.echo(f"KI-hub answers at {running.start()}", err=True)
            while running.alive and not ending.asked.wait(0.5):
                continue
            healthy = running.alive
        finally:
            running.finish()
    if not healthy:
        raise click.ClickException("The HTTP server ended unexpectedly; see the log")

"""``ki-hub serve``: answer HTTP; deliveries are another process's work."""

from __future__ import annotations

import click

from hub.cli.common import opened


@click.command(name="serve")
def command() -> None:
    """Answer HTTP until SIGTERM; requests in hand are answered first."""
    from threading import Event  # noqa: PLC0415

    from hub.runtime.loops import until_signal  # noqa: PLC0415
    from hub.runtime.sealing import sealing  # noqa: PLC0415
    from hub.runtime.web import Running, listen, make_server  # noqa: PLC0415

    with (
        opened(logs="all") as (hub, settings),
        listen(settings.host, settings.port) as listening,
        sealing(hub),
    ):
        stop = Event()
        until_signal(stop)
        running = Running(make_server(hub, console=settings.console), listening)
        try:
            click.echo(f"KI-hub answers at {running.start()}", err=True)
            while running.alive and not stop.wait(0.5):
                continue
            healthy = running.alive
        finally:
            running.finish()
    if not healthy:
        raise click.ClickException("The HTTP server ended unexpectedly; see the log")

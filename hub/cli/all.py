"""``ki-hub all``: serve and work in one process, the embedded deployment's way."""

from __future__ import annotations

import click

from hub.cli.common import opened


@click.command(name="all")
def command() -> None:
    """Serve and work until SIGTERM."""
    from hub.runtime.ending import Ending  # noqa: PLC0415
    from hub.runtime.loops import Loops  # noqa: PLC0415
    from hub.runtime.sealing import sealing  # noqa: PLC0415
    from hub.runtime.web import Running, listen, make_server  # noqa: PLC0415

    with (
        opened(logs="all") as (hub, settings),
        listen(settings.host, settings.port) as listening,
        sealing(hub),
    ):
        ending = Ending(hub, settings.stop_seconds)
        ending.install()
        loops = Loops(hub, settings.poll_seconds)
        running = Running(make_server(hub, console=settings.console), listening)
        loops.start()
        try:
            click.echo(f"KI-hub answers at {running.start()}", err=True)
            while loops.alive and not ending.asked.wait(0.2):
                continue
            healthy = loops.alive
        finally:
            running.finish()
            loops.finish()
    if not healthy:
        raise click.ClickException("A loop ended unexpectedly; see the log")

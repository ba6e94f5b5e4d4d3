"""``ki-hub worker``: process messages from the broker and deliver."""

from __future__ import annotations

from threading import Event

import click

from hub.cli.common import opened


@click.command(name="worker")
def command() -> None:
    """Work until SIGTERM; what is in hand is finished first."""
    from hub.runtime.loops import Loops, until_signal  # noqa: PLC0415
    from hub.runtime.sealing import sealing  # noqa: PLC0415

    with opened(logs="all") as (hub, settings), sealing(hub):
        stop = Event()
        until_signal(stop)
        loops = Loops(hub, settings.poll_seconds)
        loops.start()
        while loops.alive and not stop.wait(0.5):
            continue
        healthy = loops.alive
        loops.finish()
    if not healthy:
        raise click.ClickException("A loop ended unexpectedly; see the log")

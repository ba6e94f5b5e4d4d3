"""``ki-hub worker``: process messages from the broker and deliver."""

from __future__ import annotations

import click

from hub.cli.common import opened


@click.command(name="worker")
def command() -> None:
    """Work until SIGTERM; what is in hand is finished first."""
    from hub.runtime.ending import Ending  # noqa: PLC0415
    from hub.runtime.loops import Loops  # noqa: PLC0415
    from hub.runtime.sealing import sealing  # noqa: PLC0415

    with opened(logs="all") as (hub, settings), sealing(hub):
        ending = Ending(hub, settings.stop_seconds)
        ending.install()
        loops = Loops(hub, settings.poll_seconds)
        loops.start()
        while loops.alive and not ending.asked.wait(0.5):
            continue
        healthy = loops.alive
        loops.finish()
    if not healthy:
        raise click.ClickException("A loop ended unexpectedly; see the log")

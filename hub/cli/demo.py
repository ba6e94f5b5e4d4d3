"""``ki-hub demo``: the main job, played on the configured database."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub.cli.common import as_json, opened

if TYPE_CHECKING:
    from hub.services.hub import Hub

DEMO = "demo"


@click.command(name="demo")
@click.option("--serve", is_flag=True, help="Afterwards keep the console up until Ctrl-C.")
@as_json
def command(serve: bool, json_: bool) -> None:
    """Play the scenario with two fresh, fictitious citizens; exit 0 only if all of it happened.

    An empty database is migrated; one that is not a demo's, or where one is running, is refused.
    """
    from hub.console import Demo  # noqa: PLC0415
    from hub.runtime.loops import Loops  # noqa: PLC0415
    from hub.runtime.sealing import sealing  # noqa: PLC0415
    from hub.runtime.web import Running, listen, make_server  # noqa: PLC0415

    with (
        opened(checked=False, logs="warnings", demo=True) as (hub, settings),
        _alone(hub),
        listen("127.0.0.1", settings.port if serve else 0) as listening,
    ):
        credentials = _prepare(hub)
        units = {party: secret for party, secret in credentials.items() if party != "drift"}
        server = make_server(hub, demo=Demo(credentials["drift"], units))
        loops, running = Loops(hub, 0.05), Running(server, listening)
        loops.start()
        with sealing(hub):
            try:
                base = running.start()
                failed = _play(base, credentials, settings.bus_url, json_)
                if serve and failed is None:
                    _stay(base)
            finally:
                running.finish()
                loops.finish()
    if failed is not None:
        click.echo(f"FAILED  {failed}", err=True)
        sys.exit(1)


@contextmanager
def _alone(hub: Hub) -> Iterator[None]:
    """Two at once would renew each other's credentials and take each other's messages."""
    from hub.errors import Misconfigured  # noqa: PLC0415

    with hub.store.database.alone(DEMO) as only_one:
        if not only_one:
            text = "A demo is running on this database; end it, or set KI_HUB_DATA to a new folder"
            raise Misconfigured(text)
        yield


def _prepare(hub: Hub) -> dict[str, str]:
    from hub.errors import Misconfigured  # noqa: PLC0415
    from hub.runtime.parties import operator_entries, party_entries  # noqa: PLC0415
    from hub.runtime.parties_file import read_parties  # noqa: PLC0415
    from hub.services.admin import apply_parties  # noqa: PLC0415
    from hub.services.setup import claim_for  # noqa: PLC0415
    from hub.store.migrate import migrate  # noqa: PLC0415

    migrate(hub.store.database)
    if not claim_for(hub, DEMO):
        raise Misconfigured("This database is not a demo's; set KI_HUB_DATABASE_URL to another")
    file = Path(str(files("hub.demo") / "parties.yaml"))
    read = read_parties(file)
    applied = apply_parties(
        hub,
        party_entries(read, file.parent),
        operator_entries(read, file.parent),
        read.citizen_format,
        agreements=read.agreements,
        by=DEMO,
        renew=True,
    )
    return dict(applied.secrets)


def _play(base: str, credentials: dict[str, str], broker: str, json_: bool) -> str | None:
    from hub.demo.play import play, world  # noqa: PLC0415
    from hub.demo.telling import summary  # noqa: PLC0415

    everyone = world(base, credentials, broker)
    played = play(
        everyone,
        begin=_begin,
        done=lambda title: click.echo(f"\r  ✓  {title}", err=True),
    )
    everyone.close()
    if played.failed is not None:
        click.echo("", err=True)
    if json_:
        click.echo(json.dumps(played.report, ensure_ascii=False, indent=2))
    else:
        click.echo(summary(played.report))
    return played.failed


def _begin(title: str) -> None:
    """On a terminal, the line is written over when the step is done."""
    if sys.stderr.isatty():
        click.echo(f"  …  {title}", err=True, nl=False)


def _stay(base: str) -> None:
    import time  # noqa: PLC0415

    click.echo(f"\nThe console is at {base}/ until you press Ctrl-C.", err=True)
    with suppress(KeyboardInterrupt):
        while True:
            time.sleep(1)

"""``ki-hub doctor``: is this deployment ready to work?"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from hub.cli.common import as_json, opened, own_codes_of_nobody

if TYPE_CHECKING:
    from hub.services.hub import Hub


@click.command(name="doctor")
@as_json
def command(json_: bool) -> None:
    """Ask database, schema, broker, formats, parties and the rest; exit 4 if not ready.

    `writing`: a little is written to the database, and taken away again.
    """
    from hub.errors import HubError, Misconfigured  # noqa: PLC0415
    from hub.services.overview import party_rows  # noqa: PLC0415
    from hub.store.migrate import check_schema  # noqa: PLC0415

    found: dict[str, str] = {}
    with opened(checked=False) as (hub, chosen):

        def parties() -> None:
            if not party_rows(hub):
                raise Misconfigured("No parties yet; run: ki-hub parties apply FILE")

        def own_codes() -> None:
            found = own_codes_of_nobody(hub, chosen)
            if found:
                raise Misconfigured("; ".join(f"{place}: {text}" for place, text in found))

        own = {"own codes": own_codes} if chosen.mappings_dir else {}
        for name, ask in (
            ("database", hub.store.check),
            ("schema", lambda: check_schema(hub.store.database)),
            ("writing", hub.store.check_writing),
            ("broker", hub.bus.check),
            ("formats", lambda: _formats(hub)),
            ("access", hub.door.check),
            *hub.probes.items(),
            ("parties", parties),
            *own.items(),
        ):
            try:
                ask()
                found[name] = "ok"
            except HubError as e:
                found[name] = e.text
            if found[name] != "ok" and name not in {"broker", *hub.probes}:
                break
    if json_:
        click.echo(json.dumps(found, indent=2))
    else:
        for name, state in found.items():
            click.echo(f"{name}: {state}")
    if any(state != "ok" for state in found.values()):
        sys.exit(4)


def _formats(hub: Hub) -> None:
    """Raises if an installed adapter does not load, or a party receives in a format without one."""
    from hub.runtime.registry import Registry  # noqa: PLC0415
    from hub.services.overview import party_rows  # noqa: PLC0415

    Registry().adapters()
    for used in {format for row in party_rows(hub) for format in row["formats"]}:
        hub.adapters.adapter(used)

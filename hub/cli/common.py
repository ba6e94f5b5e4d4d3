"""What commands share: the hub from the settings, and output for people or as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Literal

import click
import structlog

if TYPE_CHECKING:
    from hub.runtime.settings import Settings
    from hub.services.hub import Hub

LOG = structlog.get_logger()
WIDE: Final = 120
"""Columns of a screen from which a table has all of its own."""
SHORT: Final = 8
"""Characters of an id in a table."""
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)\S*")

as_json = click.option("--json", "json_", is_flag=True, help="Print JSON.")


def settings() -> Settings:
    """From the environment; a wrong value is named without its content."""
    from pydantic import ValidationError  # noqa: PLC0415  (slow to load)

    from hub.errors import Misconfigured  # noqa: PLC0415
    from hub.runtime.settings import Settings  # noqa: PLC0415

    try:
        return Settings()
    except ValidationError as e:
        wrong = ", ".join(f"KI_HUB_{str(x['loc'][0]).upper()}" for x in e.errors())
        raise Misconfigured(f"Wrong setting: {wrong}") from None


Logs = Literal["failures", "warnings", "all"]


@contextmanager
def opened(
    *, checked: bool = True, logs: Logs = "failures", demo: bool = False
) -> Iterator[tuple[Hub, Settings]]:
    """A hub on what the settings name; refused when the schema is another.

    ``demo``: its credentials count, whatever the settings say; they are made now and for it alone.

    ``logs``: ``all`` for what serves and works, at the level of the settings; ``warnings``, unless
    the settings say otherwise; ``failures`` of the hub itself for a command that does one thing:
    of a refused input its stderr holds the OperationOutcome alone, whatever the settings say.
    """
    from hub.runtime import bootstrap, logging  # noqa: PLC0415
    from hub.runtime.sealing import seal_now  # noqa: PLC0415
    from hub.store.migrate import check_schema  # noqa: PLC0415

    chosen = settings()
    if demo:
        chosen = chosen.model_copy(update={"static_credentials": True})
    logging.configure(_level(logs, chosen), as_json=chosen.log_json)
    hub = bootstrap.build(chosen)
    try:
        if checked:
            check_schema(hub.store.database)
        if checked and logs == "all":
            for folder, text in own_codes_of_nobody(hub, chosen):
                LOG.warning("mappings.nobody", folder=folder, told=text, move="operator")
        try:
            yield hub, chosen
        finally:
            if checked:
                seal_now(hub)
    finally:
        bootstrap.close(hub)


def own_codes_of_nobody(hub: Hub, chosen: Settings) -> list[tuple[str, str]]:
    """Folders of own codes whose party is not registered: the place, and whose move it is."""
    if not chosen.mappings_dir:
        return []
    from pathlib import Path  # noqa: PLC0415

    from hub.mapping.overrides import stranger_findings  # noqa: PLC0415
    from hub.services.overview import party_rows  # noqa: PLC0415

    registered = {str(row["party"]) for row in party_rows(hub)}
    found = stranger_findings(Path(chosen.mappings_dir), registered)
    return [(str(f.file), f.text) for f in found]


def _level(logs: Logs, chosen: Settings) -> str:
    if logs == "failures":
        return "ERROR"
    if logs == "warnings" and "log_level" not in chosen.model_fields_set:
        return "WARNING"
    return chosen.log_level


def show(
    rows: Sequence[dict[str, Any]],
    columns: Sequence[str],
    json_: bool,
    *,
    more: Sequence[str] = (),
) -> None:
    """A table for people, everything for machines.

    ``more``: columns for a wide screen alone; on a narrow one they would break the words of the
    others. Ids are shortened; their beginning is enough for a command.
    """
    if json_:
        click.echo(json.dumps(list(rows), ensure_ascii=False, indent=2))
        return
    from rich.console import Console  # noqa: PLC0415  (slow to load)
    from rich.table import Table  # noqa: PLC0415

    console = Console()
    shown = [*columns, *more] if console.width >= WIDE else columns
    table = Table(box=None, pad_edge=False)
    for column in shown:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(c)) for c in shown))
    console.print(table if rows else "Nothing.", markup=False)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return ", ".join(f"{k} {v}" for k, v in value.items())
    if isinstance(value, list):
        return ", ".join(str(v) for v in value)
    return _short(str(value))


def _short(text: str) -> str:
    """Ids by their beginnings, times by the second."""
    return _MOMENT.sub(r"\1 \2", _ID.sub(lambda found: found[0][:SHORT], text))

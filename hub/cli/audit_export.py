"""``ki-hub audit export``: rows for a citizen or an auditor."""

from __future__ import annotations

import csv
import getpass
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from hub.cli.audit_whose import by_number, on_citizen
from hub.cli.common import as_json, opened

if TYPE_CHECKING:
    from hub.fhir.language import Language


@click.command(name="export")
@click.option("--citizen-of", metavar="PLAN", help="Rows about the citizen of this plan.")
@by_number
@click.option("--since", type=click.DateTime(), help="From this moment, UTC.")
@click.option("--until", type=click.DateTime(), help="Before this moment, UTC.")
@click.option(
    "--format", "format_", type=click.Choice(["csv", "fhir", "minlog"]), default="csv",
    show_default=True, help="Columns as they are, AuditEvents, or words for the citizen.",
)  # fmt: skip
@click.option(
    "--language", type=click.Choice(["da", "en"]), default="da", show_default=True,
    help="Of the words for the citizen.",
)  # fmt: skip
@as_json
def command(
    citizen_of: str | None,
    number: str | None,
    since: datetime | None,
    until: datetime | None,
    format_: str,
    language: Language,
    json_: bool,
) -> None:
    """Print audit rows, oldest first; that they were printed is a row of its own.

    --format minlog: who has seen the citizen's plans or tried to, when, and on what basis.
    """
    from hub.model.party import Viewer  # noqa: PLC0415
    from hub.services import access_record  # noqa: PLC0415
    from hub.store.trail import Wanted  # noqa: PLC0415

    wanted = Wanted(since=_utc(since), until=_utc(until))
    if citizen_of is not None or number is not None:
        with on_citizen(citizen_of or "", number) as named:
            rows = access_record.export(named.hub, named.viewer, wanted, citizen_of=named.whose)
            _print(rows, format_, language, json_, named.hub.base_url)
        return
    if since is None and until is None:
        raise click.UsageError("Give --citizen-of, --number, --since or --until")
    viewer = Viewer("operator", getpass.getuser())
    with opened() as (hub, _):
        rows = access_record.export(hub, viewer, wanted)
        _print(rows, format_, language, json_, hub.base_url)


def _print(
    rows: Sequence[Mapping[str, Any]], format_: str, language: Language, json_: bool, base: str
) -> None:
    from hub.fhir.audit_event import audit_event, bundle  # noqa: PLC0415
    from hub.model.access_record import lines  # noqa: PLC0415
    from hub.services.access_record import audit_row, line_row  # noqa: PLC0415

    if format_ == "fhir":
        made = bundle([audit_event(row, base) for row in rows])
        click.echo(json.dumps(made, ensure_ascii=False, indent=2))
        return
    if format_ == "minlog":
        told = [line_row(line) for line in lines(rows, language)]
    else:
        told = [audit_row(row) for row in rows]
    if json_:
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    writer = csv.writer(sys.stdout, delimiter=";")
    if told:
        writer.writerow(told[0])
    writer.writerows([_cell(value) for value in row.values()] for row in told)


def _cell(value: Any) -> str:
    """A spreadsheet runs what begins like a formula; a quote before it makes it a text."""
    text = " ".join(value) if isinstance(value, list) else "" if value is None else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None

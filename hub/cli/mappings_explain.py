"""``ki-hub mappings explain``: a format's tables in words, and where a document's values go."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import click

from hub.cli.translate import DEMO_PARTIES, LazyPrinter, check_once, moment, party_of
from hub.contract import Loss, Party, PlanUpdate
from hub.mapping.explain import described
from hub.mapping.source import Mapped
from hub.mapping.trace import Origin, Step, recording, traced
from hub.runtime.mapping_docs import page
from hub.runtime.mappings import overrides as overrides_in
from hub.runtime.mappings import with_tables
from hub.runtime.parties_file import read_parties
from hub.runtime.registry import Registry
from hub.services.translate import context_of, read_plan


@click.command("explain")
@click.argument("format", metavar="FORMAT")
@click.argument("file", type=click.File("rb"), required=False)
@click.option(
    "--parties",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=DEMO_PARTIES,
    help="Parties file; the fictitious parties of the demo unless given.",
)
@click.option(
    "--overrides",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of parties' own codes.",
)
@click.option("--sender", metavar="PARTY", help="Who made FILE; else whom FILE names.")
@click.option("--now", callback=moment, metavar="TIME", help="The time to read at; else now.")
@click.option("--values", is_flag=True, help="Print the values too; they are personal data.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    format: str,
    file: IO[bytes] | None,
    parties: Path,
    overrides: Path | None,
    sender: str | None,
    now: datetime,
    values: bool,
    as_json: bool,
) -> None:
    """Show the tables of FORMAT: in, out, codes, and what is not shared with the reason.

    With FILE, a document in that format: where every value of the result came from (a row of a
    table, a code table, a fixed value, the hub's own knowledge, the adapter's code), and what was
    lost. Paths alone are printed unless --values is given.
    """
    registry = Registry()
    adapter = _with_tables(registry, format)
    if file is None:
        told = described(adapter.tables)
        click.echo(json.dumps(told, ensure_ascii=False, indent=2) if as_json else page(told))
        return
    entries, body = read_parties(parties).parties, file.read()
    check = check_once(registry)
    real = registry.adapter(format)
    origin = party_of(sender, entries, real, body, now, check)
    known: list[Party] = [e.party for e in entries]
    context = context_of(origin, now=now, printer=LazyPrinter(registry), parties=known, check=check)
    context = replace(context, local=overrides_in(overrides, registry)(origin.id, format))
    with recording() as recorder:
        update = read_plan(body, real, traced(context))
        steps = list(recorder.steps(update.resources))
    if as_json:
        click.echo(json.dumps(_json(steps, update, values), ensure_ascii=False, indent=2))
    else:
        _tell(steps, update, values=values)


def _with_tables(registry: Registry, format: str) -> Mapped:
    known = with_tables(registry)
    adapter = registry.adapter(format) if format in known else None
    if not isinstance(adapter, Mapped):
        raise click.UsageError(f"No tables for that format; there are for: {', '.join(known)}")
    return adapter


def _tell(steps: Sequence[Step], update: PlanUpdate, *, values: bool) -> None:
    for step in steps:
        shown = f" = {step.value}" if values else ""
        click.echo(f"{step.target}{shown}\n    <- {words(step.origin)}")
    for title, losses in _lost(update):
        click.echo(f"\n{title}:" if losses else f"\n{title}: nothing")
        for loss in losses:
            click.echo(f"{loss.path}\n    {loss.kind}: {loss.reason}")


def _lost(update: PlanUpdate) -> Iterator[tuple[str, Sequence[Loss]]]:
    yield "Lost", update.losses
    yield "Not shared", update.not_shared


def words(origin: Origin) -> str:
    """Where a value came from, on one line."""
    local = f", the sender's own code by {origin.local}" if origin.local else ""
    if origin.kind == "row":
        codes = f", codes {origin.codes}" if origin.codes else ""
        return f"{origin.source}, row {origin.table}:{origin.line}{codes}{local}"
    if origin.kind == "fixed":
        return f"a fixed value, {origin.table}:{origin.line}"
    if origin.kind == "source":
        by = f", by {origin.table}" if origin.table else ", by the adapter's code"
        return f"{origin.source}{by}{local}"
    if origin.kind == "default":
        return f"the format's default, for want of {origin.source}"
    if origin.kind == "context":
        return f"what the hub knows of the message: {origin.source}"
    return origin.source or "the adapter's code"


def _json(steps: Sequence[Step], update: PlanUpdate, values: bool) -> Mapping[str, Any]:
    return {
        "values": [
            {
                "target": s.target,
                "kind": s.origin.kind,
                "table": s.origin.table,
                "line": s.origin.line,
                "source": s.origin.source,
                "codes": s.origin.codes,
                "local": s.origin.local,
                **({"value": s.value} if values else {}),
            }
            for s in steps
        ],
        "losses": [_loss(x) for x in update.losses],
        "notShared": [_loss(x) for x in update.not_shared],
    }


def _loss(loss: Loss) -> Mapping[str, str]:
    return {"path": loss.path, "kind": loss.kind, "reason": loss.reason}

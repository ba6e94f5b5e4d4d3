"""``ki-hub mappings explain``: a format's tables in words, and where a document's values go."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final

import click

from hub.cli.document import LazyPrinter, check_once, own_codes, party_of, read_as
from hub.contract import Adapter, Decision, Loss, Parsed, Party, PlanUpdate
from hub.errors import Unsupported
from hub.mapping.explain import reader_of
from hub.mapping.trace import Origin, Recorder, Step, recording, traced
from hub.runtime.mapping_docs import page, told
from hub.runtime.parties_file import read_parties
from hub.runtime.registry import Registry
from hub.services.translate import context_of, read_any

_NO_PLANS: Final = {
    "Receipt": "receipt: it settles the delivery that it names",
    "Correspondence": "letter: it is kept with the plan, and a person reads it",
    "Decision": "decision of the citizen's: it is registered",
}


@click.command("explain")
@click.argument("format", metavar="FORMAT")
@click.argument("file", type=click.File("rb"), required=False)
@read_as("read")
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
    """Show the tables of FORMAT: in, out, codes, what is not shared with the reason, and code.

    With FILE, a document in that format: where every value of the result came from (a row of a
    table, a code table, a fixed value, the hub's own knowledge, the adapter's code), and what was
    lost. Paths alone are printed unless --values is given. A document that is no plan (a letter, a
    receipt, a decision) is explained as what it is.
    """
    registry = Registry()
    adapter = _known(registry, format)
    if file is None:
        found = told(adapter)
        click.echo(json.dumps(found, ensure_ascii=False, indent=2) if as_json else page(found))
        return
    entries, body = read_parties(parties).parties, file.read()
    check = check_once(registry)
    local = own_codes(overrides, registry)
    origin = party_of(sender, entries, adapter, body, now, check, local)
    known: list[Party] = [e.party for e in entries]
    context = context_of(origin, now=now, printer=LazyPrinter(registry), parties=known, check=check)
    context = replace(context, local=local(origin.id, format))
    with recording() as recorder:
        parsed = read_any(body, adapter, traced(context))
        steps = list(_steps(recorder, parsed, reader_of(adapter, parsed)))
    if as_json:
        click.echo(json.dumps(_json(steps, parsed, values), ensure_ascii=False, indent=2))
    else:
        _tell(steps, parsed, values=values)


def _known(registry: Registry, format: str) -> Adapter:
    try:
        return registry.adapter(format)
    except Unsupported as e:
        raise click.UsageError(e.text) from None


def _steps(recorder: Recorder, parsed: Parsed, reader: str) -> Iterator[Step]:
    """Every value; those that the adapter's code made, by the function that did."""
    if isinstance(parsed, PlanUpdate | Decision):
        found = parsed.resources if isinstance(parsed, PlanUpdate) else (parsed.resource,)
        for step in recorder.steps(found):
            by_code = step.origin == Origin("code")
            yield replace(step, origin=Origin("code", source=reader)) if by_code else step
        return
    for name, value in vars(parsed).items():
        if value:
            yield Step(f"{type(parsed).__name__}.{name}", Origin("code", source=reader), value)


def _tell(steps: Sequence[Step], parsed: Parsed, *, values: bool) -> None:
    if not isinstance(parsed, PlanUpdate):
        click.echo(f"It is no plan, but a {_NO_PLANS[type(parsed).__name__]}.\n")
    for step in steps:
        shown = f" = {step.value}" if values else ""
        click.echo(f"{step.target}{shown}\n    <- {words(step.origin)}")
    for title, losses in _lost(parsed):
        click.echo(f"\n{title}:" if losses else f"\n{title}: nothing")
        for loss in losses:
            click.echo(f"{loss.path}\n    {loss.kind}: {loss.reason}")


def _lost(parsed: Parsed) -> Iterator[tuple[str, Sequence[Loss]]]:
    """Of what is no plan nothing is lost: it is kept as it is."""
    if isinstance(parsed, PlanUpdate):
        yield "Lost", parsed.losses
        yield "Not shared", parsed.not_shared


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


def _json(steps: Sequence[Step], parsed: Parsed, values: bool) -> Mapping[str, Any]:
    lost = dict(_lost(parsed))
    return {
        "result": type(parsed).__name__,
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
        "losses": [_loss(x) for x in lost.get("Lost", ())],
        "notShared": [_loss(x) for x in lost.get("Not shared", ())],
    }


def _loss(loss: Loss) -> Mapping[str, str]:
    return {"path": loss.path, "kind": loss.kind, "reason": loss.reason}

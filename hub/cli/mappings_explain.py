"""``ki-hub mappings explain``: a format's tables in words, and where a document's values go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import IO, Final

import click

from hub.cli.document import LazyPrinter, check_once, own_codes, party_of, read_as
from hub.cli.lineage import Lineage, Request, written_as
from hub.contract import Adapter, Decision, Parsed, PlanUpdate
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
@click.option("--to", "target", metavar="FORMAT", help="Explain what FILE becomes in that format.")
@click.option("--own", type=click.File("rb"), help="With --to: the receiver's own last document.")
@click.option("--receiver", metavar="PARTY", help="With --to: who gets it, as for translate.")
@click.option("--values", is_flag=True, help="Print the values too; they are personal data.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    format: str,
    file: IO[bytes] | None,
    parties: Path,
    overrides: Path | None,
    sender: str | None,
    now: datetime,
    target: str | None,
    own: IO[bytes] | None,
    receiver: str | None,
    values: bool,
    as_json: bool,
) -> None:
    """Show the tables of FORMAT: in, out, codes, what is not shared with the reason, and code.

    With FILE, a document in that format: where every value of the result came from (a row of a
    table, a code table, a fixed value, the hub's own knowledge, the adapter's code), and what was
    lost. Paths alone are printed unless --values is given. A document that is no plan (a letter, a
    receipt, a decision) is explained as what it is.

    With --to, the document that FILE becomes in that format: where each of its values came from,
    by the plan's own path, and where in FILE that was read.
    """
    registry = Registry()
    adapter = _known(registry, format)
    if file is None:
        if target is not None:
            raise click.UsageError("--to explains a document; give FILE")
        found = told(adapter)
        click.echo(json.dumps(found, ensure_ascii=False, indent=2) if as_json else page(found))
        return
    entries, body = read_parties(parties).parties, file.read()
    check, local = check_once(registry), own_codes(overrides, registry)
    origin = party_of(sender, entries, adapter, body, now, check, local)
    request = Request(registry, adapter, body, origin, entries, now, check, local)
    if target is None:
        made = _read(request)
    else:
        made = written_as(request, _known(registry, target), receiver=receiver, own=own)
    made.show(values=values, as_json=as_json)


def _known(registry: Registry, format: str) -> Adapter:
    try:
        return registry.adapter(format)
    except Unsupported as e:
        raise click.UsageError(e.text) from None


def _read(request: Request) -> Lineage:
    """What the hub makes of the document."""
    adapter, sender = request.adapter, request.sender
    context = context_of(
        sender,
        now=request.now,
        printer=LazyPrinter(request.registry),
        parties=[e.party for e in request.entries],
        check=request.check,
    )
    context = replace(context, local=request.local(sender.id, adapter.format))
    with recording() as recorder:
        parsed = read_any(request.body, adapter, traced(context))
        steps = list(_steps(recorder, parsed, reader_of(adapter, parsed)))
    kind = type(parsed).__name__
    if not isinstance(parsed, PlanUpdate):
        # Of what is no plan nothing is lost: it is kept as it is.
        return Lineage(kind, steps, note=f"It is no plan, but a {_NO_PLANS[kind]}.")
    return Lineage(kind, steps, parsed.losses, parsed.not_shared)


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

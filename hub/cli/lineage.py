"""Where the values of a document came from: found for one that goes out, and shown for any."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import IO, Any

import click

from hub.cli.document import LazyPrinter
from hub.cli.translate import own_document, receiver_of, refused
from hub.codes import LocalCodesOf
from hub.contract import Adapter, Check, Loss, Party
from hub.errors import CannotRender
from hub.mapping.explain import full_name
from hub.mapping.trace import Origin, Step, recording
from hub.mapping.trace_out import Known, steps_out
from hub.ports import reissues
from hub.runtime.parties_file import PartyEntry
from hub.runtime.registry import Registry
from hub.services.translate import translate


@dataclass(frozen=True)
class Request:
    """A document to explain, and what it is read with."""

    registry: Registry
    adapter: Adapter
    body: bytes
    sender: Party
    entries: Sequence[PartyEntry]
    now: datetime
    check: Check
    local: LocalCodesOf


@dataclass(frozen=True)
class Lineage:
    """Where every value came from, and what was lost."""

    result: str
    """What the document is, or ``Document`` for one that goes out."""
    steps: Sequence[Step]
    losses: Sequence[Loss] | None = None
    not_shared: Sequence[Loss] | None = None
    note: str = ""

    def show(self, *, values: bool, as_json: bool) -> None:
        """Print it; the values too only if asked."""
        if as_json:
            click.echo(json.dumps(self._json(values), ensure_ascii=False, indent=2))
            return
        if self.note:
            click.echo(f"{self.note}\n")
        for step in self.steps:
            shown = f" = {step.value}" if values else ""
            click.echo(f"{step.target}{shown}\n    <- {words(step.origin)}")
            if step.origin.earlier is not None:
                click.echo(f"    <- {words(step.origin.earlier)}")
        for title, losses in self._lost():
            click.echo(f"\n{title}:" if losses else f"\n{title}: nothing")
            for loss in losses:
                click.echo(f"{loss.path}\n    {loss.kind}: {loss.reason}")

    def _lost(self) -> Iterator[tuple[str, Sequence[Loss]]]:
        if self.losses is not None:
            yield "Lost", self.losses
        if self.not_shared is not None:
            yield "Not shared", self.not_shared

    def _json(self, values: bool) -> Mapping[str, Any]:
        return {
            "result": self.result,
            "values": [
                {"target": s.target, **_origin(s.origin), **({"value": s.value} if values else {})}
                for s in self.steps
            ],
            "losses": [_loss(x) for x in self.losses or ()],
            "notShared": [_loss(x) for x in self.not_shared or ()],
        }


def written_as(
    request: Request, target: Adapter, *, receiver: str | None, own: IO[bytes] | None
) -> Lineage:
    """What the document becomes in another format; raises what translate raises, and Unsupported
    for a format whose documents have no paths."""
    document = own_document(own, target)
    to = receiver_of(
        receiver, request.entries, target, document, request.sender, request.now,
        request.check, request.local,
    )  # fmt: skip
    with recording() as recorder:
        try:
            made = translate(
                request.body,
                request.adapter,
                target,
                sender=request.sender,
                receiver=to,
                now=request.now,
                printer=LazyPrinter(request.registry),
                own=document,
                check=request.check,
                parties=[e.party for e in request.entries],
                local=request.local,
            )
        except CannotRender as e:
            raise refused(e, ask=reissues(target) and document is None) from e
        mine = made.own.body if made.own and reissues(target) else b""
        known = Known(made.resources, mine, request.now, recorder.made)
        writer = full_name(type(target).render)
        steps = [_by(writer, s) for s in steps_out(made.body, recorder, known)]
    return Lineage("Document", steps, made.losses)


def _by(writer: str, step: Step) -> Step:
    by_code = step.origin == Origin("code")
    return replace(step, origin=Origin("code", source=writer)) if by_code else step


def words(origin: Origin) -> str:
    """Where a value came from, on one line."""
    codes = f", codes {origin.codes}" if origin.codes else ""
    local = f", the sender's own code by {origin.local}" if origin.local else ""
    by = f"by {origin.table}" if origin.table else "by the adapter's code"
    told = {
        "row": f"{origin.source}, row {origin.table}:{origin.line}{codes}{local}",
        "fixed": f"a fixed value, {origin.table}:{origin.line}",
        "source": f"{origin.source}, {by}{codes}{local}",
        "default": f"the format's default, for want of {origin.source}",
        "context": f"what the hub knows of the message: {origin.source}",
        "own": f"the receiver's own document, {origin.source}",
        "composed": f"put together from {origin.source}",
        "code": origin.source or "the adapter's code",
    }
    return told[origin.kind]


def _origin(origin: Origin) -> dict[str, Any]:
    found: dict[str, Any] = {
        "kind": origin.kind,
        "table": origin.table,
        "line": origin.line,
        "source": origin.source,
        "codes": origin.codes,
        "local": origin.local,
    }
    if origin.earlier is not None:
        found["earlier"] = _origin(origin.earlier)
    return found


def _loss(loss: Loss) -> Mapping[str, str]:
    return {"path": loss.path, "kind": loss.kind, "reason": loss.reason}

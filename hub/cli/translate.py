"""``ki-hub translate``: one document from one format to another, without a server."""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO

import click

from hub.cli.document import LazyPrinter, check_once, named, own_codes, party_of, read_as
from hub.codes import LocalCodesOf
from hub.contract import (
    Adapter,
    Check,
    Loss,
    Party,
    SourceDocument,
)
from hub.errors import CannotRender, Issue, Unsupported
from hub.fhir.codec import dump_json
from hub.model.party import CITIZEN
from hub.ports import audiences_of, reissues
from hub.runtime.parties_file import PartyEntry, read_parties
from hub.runtime.registry import Registry
from hub.services.media import UNSAID, media_type_of
from hub.services.translate import (
    THE_CITIZEN,
    Translation,
    translate,
)


@click.command("translate")
@click.option("--from", "source", required=True, metavar="FORMAT", help="Format of FILE.")
@click.option("--to", "target", required=True, metavar="FORMAT", help="Format to make.")
@click.argument("file", type=click.File("rb"), default="-")
@click.option(
    "--losses",
    type=click.File("wb", lazy=True),
    help="Write what is not carried over: a JSON array of {path, kind, reason}.",
)
@click.option(
    "--own",
    type=click.File("rb"),
    help="The receiver's own last document, in --to; needed where --to re-issues that.",
)
@read_as("render")
@click.option(
    "--receiver",
    metavar="PARTY",
    help="Who gets the result, or citizen; else whom --own names, else the sender.",
)
@click.option("--json", "as_json", is_flag=True, help="Result and losses as one JSON object.")
def command(
    source: str,
    target: str,
    file: IO[bytes],
    losses: IO[bytes] | None,
    own: IO[bytes] | None,
    parties: Path,
    overrides: Path | None,
    sender: str | None,
    receiver: str | None,
    now: datetime,
    as_json: bool,
) -> None:
    """Translate FILE (or standard input) and write the result to standard output.

    Nothing is stored or sent, and no consent is asked for: this shows what a format carries.
    Items of a sector's own plan that its owner has not marked for coordination are left out
    for any other receiver.
    """
    registry = Registry()
    source_adapter, target_adapter = registry.adapter(source), registry.adapter(target)
    if receiver == CITIZEN:
        _for_the_citizen(registry, target_adapter)
    entries, body = read_parties(parties).parties, file.read()
    check = check_once(registry)
    local = own_codes(overrides, registry)
    origin = party_of(sender, entries, source_adapter, body, now, check, local)
    document = own_document(own, target_adapter)
    try:
        made = translate(
            body,
            source_adapter,
            target_adapter,
            sender=origin,
            receiver=receiver_of(
                receiver, entries, target_adapter, document, origin, now, check, local
            ),
            now=now,
            printer=LazyPrinter(registry),
            own=document,
            check=check,
            parties=[e.party for e in entries],
            local=local,
        )
    except CannotRender as e:
        raise refused(e, ask=reissues(target_adapter) and document is None) from e
    if losses is not None:
        losses.write(dump_json(_rows(made.losses), indent=2) + b"\n")
    sys.stdout.buffer.write(_as_json(target, made) if as_json else made.body)
    sys.stdout.buffer.flush()


def _for_the_citizen(registry: Registry, adapter: Adapter) -> None:
    """Raises Unsupported, naming the formats that have a version for the citizen."""
    if "citizen" not in audiences_of(adapter):
        known = (a.format for a in registry.adapters() if "citizen" in audiences_of(a))
        raise Unsupported(f"No version for the citizen in this format; in: {', '.join(known)}")


def _as_json(format: str, made: Translation) -> bytes:
    found = {
        "format": format,
        "mediaType": made.media_type,
        "body": base64.b64encode(made.body).decode("ascii"),
        "losses": _rows(made.losses),
    }
    return dump_json(found, indent=2) + b"\n"


def refused(error: CannotRender, *, ask: bool) -> Unsupported:
    """There is no subscription to mend here: whoever asked for this pair must ask otherwise."""
    hint = "The format re-issues its receiver's own document; give that document with --own"
    told = (Issue("information", "informational", hint),) if ask else ()
    return Unsupported(error.text, issues=(*error.issues, *told))


def receiver_of(
    name: str | None,
    entries: Sequence[PartyEntry],
    adapter: Adapter,
    own: SourceDocument | None,
    origin: Party,
    now: datetime,
    check: Check,
    local: LocalCodesOf,
) -> Party:
    """The named party; else the one whose own document is given; else the sender."""
    if name == CITIZEN:
        return THE_CITIZEN
    if name or own is None:
        return named(name, entries) if name else origin
    return party_of(None, entries, adapter, own.body, now, check, local)


def own_document(file: IO[bytes] | None, adapter: Adapter) -> SourceDocument | None:
    """The receiver's own last document as given on the command line."""
    if file is None:
        return None
    body = file.read()
    kind = media_type_of(adapter, body) if adapter.media_types else UNSAID
    return SourceDocument(adapter.format, body, kind)


def _rows(losses: Iterable[Loss]) -> list[dict[str, str]]:
    return [{"path": x.path, "kind": x.kind, "reason": x.reason} for x in losses]

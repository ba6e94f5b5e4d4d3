"""``ki-hub translate``: one document from one format to another, without a server."""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import IO

import click

from hub.codes import LocalCodesOf, no_local_codes
from hub.contract import (
    Adapter,
    Check,
    Loss,
    Party,
    PlanView,
    Resource,
    SourceDocument,
)
from hub.errors import CannotRender, Issue, Misconfigured, Unsupported
from hub.fhir.codec import dump_json
from hub.model.party import CITIZEN
from hub.ports import Validator, audiences_of, reissues
from hub.runtime.parties_file import PartyEntry, read_parties
from hub.runtime.registry import Registry
from hub.services.media import UNSAID, media_type_of
from hub.services.translate import (
    THE_CITIZEN,
    Translation,
    context_of,
    party_finder,
    read_plan,
    translate,
)

DEMO_PARTIES = Path(__file__).parent.parent / "demo" / "parties.yaml"


class LazyPrinter:
    """The installed printer, loaded when something is printed: most formats print nothing."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def plan(self, view: PlanView, *, now: datetime) -> bytes:
        """A tagged PDF of the view."""
        return self._registry.printer().plan(view, now=now)


def moment(ctx: click.Context, param: click.Parameter, value: str | None) -> datetime:
    """A time given on the command line; now if none is."""
    if value is None:
        return datetime.now(UTC)
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter("expected ISO 8601, such as 2026-03-01T12:00:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


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
@click.option(
    "--receiver",
    metavar="PARTY",
    help="Who gets the result, or citizen; else whom --own names, else the sender.",
)
@click.option("--now", callback=moment, metavar="TIME", help="The time to render at; else now.")
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
    local = _local(overrides, registry)
    origin = party_of(sender, entries, source_adapter, body, now, check)
    document = _own(own, target_adapter)
    try:
        made = translate(
            body,
            source_adapter,
            target_adapter,
            sender=origin,
            receiver=_receiver(receiver, entries, target_adapter, document, origin, now, check),
            now=now,
            printer=LazyPrinter(registry),
            own=document,
            check=check,
            parties=[e.party for e in entries],
            local=local,
        )
    except CannotRender as e:
        raise _refused(e, ask=reissues(target_adapter) and document is None) from e
    if losses is not None:
        losses.write(dump_json(_rows(made.losses), indent=2) + b"\n")
    sys.stdout.buffer.write(_as_json(target, made) if as_json else made.body)
    sys.stdout.buffer.flush()


def _local(folder: Path | None, registry: Registry) -> LocalCodesOf:
    """The parties' own codes."""
    if folder is None:
        return no_local_codes
    from hub.runtime.mappings import overrides  # noqa: PLC0415 - slow to load

    return overrides(folder, registry)


def check_once(registry: Registry) -> Check:
    """The validator, loaded when a format asks for it, and not asked again about what it was
    asked last: the document is read twice where it says itself who sent it."""

    @cache
    def validator() -> Validator:
        from hub.fhir.validation import EmbeddedValidator  # noqa: PLC0415 - slow to load

        return EmbeddedValidator(coded=registry.profiles)

    last: tuple[Resource, Sequence[Issue]] | None = None

    def check(resource: Resource) -> Sequence[Issue]:
        nonlocal last
        if last is None or last[0] != resource:
            last = resource, validator().check([resource])
        return last[1]

    return check


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


def _refused(error: CannotRender, *, ask: bool) -> Unsupported:
    """There is no subscription to mend here: whoever asked for this pair must ask otherwise."""
    hint = "The format re-issues its receiver's own document; give that document with --own"
    told = (Issue("information", "informational", hint),) if ask else ()
    return Unsupported(error.text, issues=(*error.issues, *told))


def _receiver(
    name: str | None,
    entries: Sequence[PartyEntry],
    adapter: Adapter,
    own: SourceDocument | None,
    origin: Party,
    now: datetime,
    check: Check,
) -> Party:
    """The named party; else the one whose own document is given; else the sender."""
    if name == CITIZEN:
        return THE_CITIZEN
    if name or own is None:
        return _named(name, entries) if name else origin
    return party_of(None, entries, adapter, own.body, now, check)


def party_of(
    name: str | None,
    entries: Sequence[PartyEntry],
    adapter: Adapter,
    body: bytes,
    now: datetime,
    check: Check,
) -> Party:
    """The named party; else whom the document names; else the first that uses its format."""
    if name:
        return _named(name, entries)
    if not entries:
        raise Misconfigured("The parties file names no party")
    users = (e.party for e in entries if any(s.format == adapter.format for s in e.subscriptions))
    first = next(users, entries[0].party)
    parties = [e.party for e in entries]
    context = context_of(first, now=now, printer=None, parties=parties, check=check)
    claimed = read_plan(body, adapter, context).claimed_sender
    return party_finder(parties)(claimed) or first


def _named(name: str, entries: Iterable[PartyEntry]) -> Party:
    found = next((e.party for e in entries if e.party.id == name), None)
    if found is None:
        raise click.UsageError(f"No party {name} in the parties file")
    return found


def _own(file: IO[bytes] | None, adapter: Adapter) -> SourceDocument | None:
    if file is None:
        return None
    body = file.read()
    kind = media_type_of(adapter, body) if adapter.media_types else UNSAID
    return SourceDocument(adapter.format, body, kind)


def _rows(losses: Iterable[Loss]) -> list[dict[str, str]]:
    return [{"path": x.path, "kind": x.kind, "reason": x.reason} for x in losses]

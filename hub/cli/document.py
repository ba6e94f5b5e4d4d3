"""What commands that read one document without a hub share: who made it, when, in whose codes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import click

from hub.codes import LocalCodesOf, no_local_codes
from hub.contract import Adapter, Check, Party, PlanView, Resource
from hub.errors import InputRefused, Issue, Misconfigured
from hub.ports import Validator
from hub.runtime.parties_file import PartyEntry
from hub.runtime.registry import Registry
from hub.services.translate import context_of, party_finder, read_any

DEMO_PARTIES = Path(__file__).parent.parent / "demo" / "parties.yaml"


def moment(ctx: click.Context, param: click.Parameter, value: str | None) -> datetime:
    """A time given on the command line; now if none is."""
    if value is None:
        return datetime.now(UTC)
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter("expected ISO 8601, such as 2026-03-01T12:00:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def read_as(what: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The options parties, overrides, sender, and now: the time to do ``what`` at."""
    options = (
        click.option(
            "--parties",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            default=DEMO_PARTIES,
            help="Parties file; the fictitious parties of the demo unless given.",
        ),
        click.option(
            "--overrides",
            type=click.Path(exists=True, file_okay=False, path_type=Path),
            help="Folder of parties' own codes.",
        ),
        click.option("--sender", metavar="PARTY", help="Who made FILE; else whom FILE names."),
        click.option(
            "--now", callback=moment, metavar="TIME", help=f"The time to {what} at; else now."
        ),
    )

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return add


class LazyPrinter:
    """The installed printer, loaded when something is printed: most formats print nothing."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def plan(self, view: PlanView, *, now: datetime) -> bytes:
        """A tagged PDF of the view."""
        return self._registry.printer().plan(view, now=now)


def own_codes(folder: Path | None, registry: Registry) -> LocalCodesOf:
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


def party_of(
    name: str | None,
    entries: Sequence[PartyEntry],
    adapter: Adapter,
    body: bytes,
    now: datetime,
    check: Check,
    local: LocalCodesOf,
) -> Party:
    """The named party; else whom the document names; else the first that uses its format.

    A document in a party's own codes is read with the codes of each party that has some: it is
    theirs who can read it and whom it names.
    """
    if name:
        return named(name, entries)
    if not entries:
        raise Misconfigured("The parties file names no party")
    parties = [e.party for e in entries]
    users = (e.party for e in entries if any(s.format == adapter.format for s in e.subscriptions))
    first = next(users, entries[0].party)
    find = party_finder(parties)

    def claimed(reader: Party) -> Party | None:
        context = context_of(reader, now=now, printer=None, parties=parties, check=check)
        context = replace(context, local=local(reader.id, adapter.format))
        found = read_any(body, adapter, context)
        return find(getattr(found, "claimed_sender", ()))

    try:
        return claimed(first) or first
    except InputRefused:
        for party in parties:
            if local(party.id, adapter.format) is None:
                continue
            with suppress(InputRefused):
                if claimed(party) in {party, None}:
                    return party
        raise


def named(name: str, entries: Iterable[PartyEntry]) -> Party:
    """The party of that id; UsageError for none."""
    found = next((e.party for e in entries if e.party.id == name), None)
    if found is None:
        raise click.UsageError(f"No party {name} in the parties file")
    return found

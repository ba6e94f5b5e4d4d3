"""``ki-hub citizens``: a citizen's numbers, on behalf of a unit that knows the citizen."""

from __future__ import annotations

import json
import sys

import click

from hub.cli.acting import unit_of
from hub.cli.common import as_json, opened

_KIND = click.Choice(["cpr", "x-ecpr", "d-ecpr"])


@click.group(name="citizens")
def command() -> None:
    """Say that a citizen has another number now."""


@command.command(name="link-number")
@click.option("--party", required=True, help="The unit that knows the citizen.")
@click.option("--person", required=True, help="Name and function of who says so.")
@click.option("--known-kind", type=_KIND, default="cpr", show_default=True, help="Of the known.")
@click.option("--new-kind", type=_KIND, default="cpr", show_default=True, help="Of the new one.")
@as_json
def link_number(party: str, person: str, known_kind: str, new_kind: str, json_: bool) -> None:
    """From now on both numbers find the citizen.

    The known and the new number are asked for, or read from standard input, a line each: numbers
    on a command line would be kept by the shell.
    """
    from hub.services import numbers  # noqa: PLC0415

    known = click.prompt("Known number", err=True, hide_input=sys.stdin.isatty())
    new = click.prompt("New number", err=True, hide_input=sys.stdin.isatty())
    with opened() as (hub, _):
        pair = numbers.number(known_kind, known), numbers.number(new_kind, new)
        numbers.link(hub, unit_of(hub, party), *pair, person)
    click.echo(json.dumps({"linked": True}) if json_ else "Both numbers find the citizen.")

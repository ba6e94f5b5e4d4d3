"""``ki-hub profiles``: work with the published FHIR profiles.

Each subcommand is the object ``command`` of a module of its own, imported when it runs.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Final

import click

_SUBCOMMANDS: Final = {
    "base": "Make the tables of R4's own rules.",
    "build": "Make the profiles from their FSH sources.",
}


class _Subcommands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name in _SUBCOMMANDS if find_spec(_module(name)) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        found: click.Command = import_module(_module(cmd_name)).command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, _SUBCOMMANDS[name]) for name in self.list_commands(ctx)])


def _module(name: str) -> str:
    return f"hub.cli.profiles_{name}"


@click.group(name="profiles", cls=_Subcommands)
def command() -> None:
    """Build the FHIR profiles."""

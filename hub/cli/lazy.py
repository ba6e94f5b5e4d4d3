"""Groups whose commands are imported one at a time, when they run."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import click


class LazyCommands(click.Group):
    """Each command is the object ``command`` of a module; only those that exist are listed."""

    def __init__(self, *args: Any, lazy: Mapping[str, str], prefix: str, **more: Any) -> None:
        """``lazy``: command to its line in ``--help``; ``prefix``: what module names begin with."""
        super().__init__(*args, **more)
        self._lazy, self._prefix = lazy, prefix

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands of this installation: those whose module exists."""
        return [name for name in self._lazy if find_spec(self._module(name)) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command's module."""
        if cmd_name not in self.list_commands(ctx):
            return None
        found: click.Command = import_module(self._module(cmd_name)).command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in ``--help``, from the table instead of from every module."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._lazy[name]) for name in self.list_commands(ctx)])

    def _module(self, command: str) -> str:
        return self._prefix + command.replace("-", "_")

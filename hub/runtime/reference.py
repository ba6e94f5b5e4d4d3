"""Reference pages made from the code: settings, commands, statutes, XML schemas, and mappings.

``make reference`` writes them to ``docs/``; a test says that they are in step. The settings
come from the fields of :class:`hub.runtime.settings.Settings`, the commands from click, the
schemas' pages from :mod:`hub.runtime.schema_reference`. Pure and repeatable but for :func:`main`:
the same code gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import click
from pydantic.fields import FieldInfo

from hub.cli.main import cli
from hub.law import statutes
from hub.runtime.law_docs import legal_basis_page
from hub.runtime.mapping_docs import mapping_pages
from hub.runtime.schema_reference import schema_pages
from hub.runtime.settings import Settings

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
WIDTH: Final = 88
"""Columns of a command's help, whatever the terminal."""

_MADE: Final = "<!-- Made by `make reference`; edit the code instead. -->"
_SETTINGS: Final = """\
Read once, at start, from the environment; every command honours them. A value of the wrong form
ends the command with exit code 4 and names the variable, never its value. `KI_HUB_DATABASE_URL`
and `KI_HUB_BUS_URL` choose the deployment: without them everything is in one SQLite file.
"""
_COMMANDS: Final = """\
`ki-hub COMMAND --help` says the same. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 input
refused (stderr then holds exactly one OperationOutcome as JSON and nothing else), 4 not ready.
Settings come from the environment: [settings](settings.md).
"""


def pages() -> Mapping[str, str]:
    """File name in ``docs/`` to its text."""
    return {
        "settings.md": settings_page(Settings.model_fields),
        "commands.md": commands_page(cli),
        "legal-basis.md": legal_basis_page(statutes()),
        **schema_pages(),
        **mapping_pages(),
    }


def settings_page(fields: Mapping[str, FieldInfo]) -> str:
    """Every setting as a table row: variable, form, default, meaning."""
    prefix = str(Settings.model_config.get("env_prefix", ""))
    rows = [
        f"| `{prefix}{name.upper()}` | {_form(field)} | {_default(field.default)} "
        f"| {field.description} |"
        for name, field in fields.items()
    ]
    head = ["| Variable | Form | Default | Meaning |", "|---|---|---|---|"]
    return "\n".join(["# Settings", _MADE, "", _SETTINGS, *head, *rows, ""])


def _form(field: FieldInfo) -> str:
    words: dict[Any, str] = {
        str: "text", int: "whole number", float: "number", bool: "`true` or `false`", Path: "path",
        str | None: "text", bool | None: "`true` or `false`",
    }  # fmt: skip
    return words[field.annotation]


def _default(value: Any) -> str:
    if value in ("", None):
        return "–"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def commands_page(root: click.Command) -> str:
    """Every command with its help, a group before its members."""
    parts = ["# Commands", _MADE, "", _COMMANDS]
    for context in commands(root):
        parts += [f"## {context.command_path}", "```text", _help(context), "```", ""]
    return "\n".join(parts)


def commands(root: click.Command) -> Iterator[click.Context]:
    """A context for every command below ``root``, in the order of ``--help``."""
    todo = [click.Context(root, info_name="ki-hub", terminal_width=WIDTH)]
    while todo:
        context = todo.pop(0)
        if context.parent is not None:
            yield context
        if isinstance(context.command, click.Group):
            named = context.command.list_commands(context)
            found = [(n, context.command.get_command(context, n)) for n in named]
            todo[:0] = [
                click.Context(c, context, info_name=n, terminal_width=WIDTH)
                for n, c in found
                if c is not None
            ]


def _help(context: click.Context) -> str:
    lines = context.command.get_help(context).splitlines()
    return "\n".join(line.rstrip() for line in lines)


def main() -> None:
    """Write every page, and remove those of schemas and mappings that are no longer there."""
    made = pages()
    for old in (*(DOCS / "schemas").glob("*.html"), *(DOCS / "mappings").glob("*.md")):
        if f"{old.parent.name}/{old.name}" not in made:
            old.unlink()
    for name, text in made.items():
        (DOCS / name).parent.mkdir(exist_ok=True)
        (DOCS / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

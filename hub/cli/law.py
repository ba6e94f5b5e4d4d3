"""``ki-hub law``: the statutes as data."""

from __future__ import annotations

from pathlib import Path

import click


@click.group(name="law")
def command() -> None:
    """The statutes that the hub keeps and discloses on."""


@command.command(name="check")
@click.argument(
    "file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
def check(file: Path | None) -> int:
    """Check the hub's own statutes, or those in FILE.

    Each finding is a line. Exit code 1 if there is one, 3 if the file cannot be read as statutes.
    """
    from hub.law import FILE  # noqa: PLC0415
    from hub.runtime.law import findings  # noqa: PLC0415

    found = findings(file or FILE)
    for text in found:
        click.echo(text)
    return 1 if found else 0

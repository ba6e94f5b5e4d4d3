"""``ki-hub mappings check``: what is wrong with the tables, with file and line."""

from __future__ import annotations

import json
from pathlib import Path

import click

from hub.errors import Unsupported
from hub.mapping.findings import Finding
from hub.runtime.mappings import check
from hub.runtime.registry import Registry


@click.command("check")
@click.argument("formats", nargs=-1, metavar="[FORMAT]...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(formats: tuple[str, ...], as_json: bool) -> int:
    """Check the tables, code tables and samples of FORMAT, or of all formats.

    Each finding is a line FILE:LINE: KIND: what is wrong. Exit code 1 if there is one.
    """
    registry = Registry()
    _known(registry, formats)
    found = check(registry, formats or registry.formats())
    if as_json:
        rows = [{"file": shown(f.file), "line": f.line, "kind": f.kind, "text": f.text}
                for f in found]  # fmt: skip
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        _tell(found)
    return 1 if found else 0


def _known(registry: Registry, formats: tuple[str, ...]) -> None:
    for format in formats:
        try:
            registry.adapter(format)
        except Unsupported as e:
            raise click.UsageError(e.text) from None


def _tell(found: list[Finding]) -> None:
    for finding in found:
        click.echo(finding.told(shown(finding.file)))
    if found:
        click.echo(f"{len(found)} finding(s)", err=True)


def shown(file: Path) -> str:
    """The file as it is named from here."""
    here = Path.cwd()
    return str(file.relative_to(here) if file.is_relative_to(here) else file)

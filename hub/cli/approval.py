"""``ki-hub approval``: register a citizen's decision from a file."""

from __future__ import annotations

from pathlib import Path

import click

from hub.cli.common import as_json
from hub.cli.decisions import register


@click.group(name="approval")
def command() -> None:
    """Register a citizen's decision."""


@command.command(name="register")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--party", required=True, help="The unit whose person registers it.")
@as_json
def register_(file: Path, party: str, json_: bool) -> None:
    """Register a KiApproval (FHIR Consent, JSON) from FILE."""
    register("approval", file, party, json_)

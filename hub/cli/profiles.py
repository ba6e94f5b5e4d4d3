"""``ki-hub profiles``: work with the published FHIR profiles.

Each subcommand is the object ``command`` of a module of its own, imported when it runs.
"""

from __future__ import annotations

from typing import Final

import click

from hub.cli.lazy import LazyCommands

_SUBCOMMANDS: Final = {
    "base": "Make the tables of R4's own rules.",
    "build": "Make the profiles from their FSH sources.",
    "sidecar": "Make HL7's own validator, to run beside the hub.",
}


@click.group(name="profiles", cls=LazyCommands, lazy=_SUBCOMMANDS, prefix="hub.cli.profiles_")
def command() -> None:
    """Build the FHIR profiles."""

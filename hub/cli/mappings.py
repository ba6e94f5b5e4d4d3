"""``ki-hub mappings``: for those who read and change the mapping tables.

Each subcommand is the object ``command`` of a module of its own, imported when it runs.
"""

from __future__ import annotations

from typing import Final

import click

from hub.cli.lazy import LazyCommands

_SUBCOMMANDS: Final = {
    "build": "Make the FHIR ConceptMaps from the code tables.",
    "check": "Say what is wrong with the tables, with file and line.",
    "explain": "Show a format's tables in words, and where a document's values go.",
}


@click.group(name="mappings", cls=LazyCommands, lazy=_SUBCOMMANDS, prefix="hub.cli.mappings_")
def command() -> None:
    """Check and explain the mapping tables."""

"""``ki-hub audit``: check, show and keep the audit trail."""

from __future__ import annotations

from typing import Final

import click

from hub.cli.lazy import LazyCommands

_COMMANDS: Final = {
    "export": "Print rows: of a citizen, or of a time.",
    "forget": "Erase the key that leads from the trail to a citizen.",
    "head": "Print the newest chain hash, to keep elsewhere.",
    "hold": "Let nothing of a plan be deleted.",
    "holds": "Show the plans of which nothing may be deleted.",
    "release": "Lift the hold on a plan.",
    "subject": "Write everything that is held about a citizen to a file.",
    "verify": "Check that no row was changed, removed, put in or moved.",
}


@click.group(name="audit", cls=LazyCommands, lazy=_COMMANDS, prefix="hub.cli.audit_")
def command() -> None:
    """Check, show and keep the audit trail."""

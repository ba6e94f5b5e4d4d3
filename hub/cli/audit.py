"""``ki-hub audit``: check, show and keep the audit trail."""

from __future__ import annotations

import click

from hub.cli.lazy import LazyCommands

_COMMANDS = {
    "verify": "Check that no row was changed, removed, put in or moved.",
    "export": "Print rows: of a citizen, or of a time.",
    "head": "Print the newest chain hash, to keep elsewhere.",
}


@click.group(name="audit", cls=LazyCommands, lazy=_COMMANDS, prefix="hub.cli.audit_")
def command() -> None:
    """Check, show and keep the audit trail."""

"""``ki-hub audit forget``: erase the key of a citizen's pseudonym."""

from __future__ import annotations

import click

from hub.cli.audit_whose import on_citizen, reason_of, whose


@click.command(name="forget")
@whose
@reason_of("Why the link is erased")
def command(plan: str, number: str | None, reason: str) -> None:
    """Erase the key that leads from the citizen of PLAN to the audit trail's rows.

    The rows stay, and the chain stays whole; nothing finds them by the citizen any more. Refused
    while a plan of the citizen's, or a koordinationsplan, is open, or anything is under a hold.
    """
    from hub.services import retention  # noqa: PLC0415

    with on_citizen(plan, number) as named:
        retention.forget(named.hub, named.viewer, named.whose, reason=reason)
    click.echo("Erased.")

"""``ki-hub audit forget``: erase the key of a citizen's pseudonym."""

from __future__ import annotations

import click

from hub.cli.audit_plan import on_plan, reason_of


@click.command(name="forget")
@click.argument("plan")
@reason_of("Why the link is erased")
def command(plan: str, reason: str) -> None:
    """Erase the key that leads from the citizen of PLAN to the audit trail's rows.

    The rows stay, and the chain stays whole; nothing finds them by the citizen any more. Refused
    while a plan of the citizen's is open or under a hold.
    """
    from hub.services import retention  # noqa: PLC0415

    with on_plan(plan) as (hub, viewer, whole):
        retention.forget(hub, viewer, whole, reason=reason)
    click.echo("Erased.")

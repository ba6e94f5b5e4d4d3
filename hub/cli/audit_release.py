"""``ki-hub audit release``: the end of a legal hold."""

from __future__ import annotations

import click

from hub.cli.audit_plan import on_plan, reason_of


@click.command(name="release")
@click.argument("plan")
@reason_of("Why it may be deleted when its time is up")
def command(plan: str, reason: str) -> None:
    """Lift the hold on PLAN; what is old enough is deleted from now on."""
    from hub.services import retention  # noqa: PLC0415

    with on_plan(plan) as (hub, viewer, whole):
        retention.release(hub, viewer, whole, reason=reason)
    click.echo(f"Released: {whole}")

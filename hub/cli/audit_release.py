"""``ki-hub audit release``: the end of a legal hold."""

from __future__ import annotations

import click

from hub.cli.audit_plan import on_plan, reason_of


@click.command(name="release")
@click.argument("plan")
@click.option("--citizen", is_flag=True, help="The hold on its citizen.")
@reason_of("Why it may be deleted when its time is up")
def command(plan: str, reason: str, citizen: bool) -> None:
    """Lift the hold on PLAN; what is old enough is deleted from now on."""
    from hub.services import retention  # noqa: PLC0415

    with on_plan(plan) as (hub, viewer, whole):
        retention.release(hub, viewer, whole, reason=reason, citizen=citizen)
    click.echo(f"Released: {'the citizen of ' if citizen else ''}{whole}")

"""``ki-hub audit hold``: a legal hold on a plan, or on its citizen."""

from __future__ import annotations

import click

from hub.cli.audit_plan import on_plan, reason_of


@click.command(name="hold")
@click.argument("plan")
@click.option("--citizen", is_flag=True, help="All about its citizen, of any plan or of none.")
@reason_of("Why nothing may be deleted")
def command(plan: str, reason: str, citizen: bool) -> None:
    """Let nothing of PLAN be deleted until it is released: audit rows, bytes, tasks."""
    from hub.services import retention  # noqa: PLC0415

    with on_plan(plan) as (hub, viewer, whole):
        retention.hold(hub, viewer, whole, reason=reason, citizen=citizen)
    click.echo(f"Held: {'the citizen of ' if citizen else ''}{whole}")

"""``ki-hub audit hold``: a legal hold on a plan, or on a citizen."""

from __future__ import annotations

import click

from hub.cli.audit_whose import on_citizen, reason_of, whose


@click.command(name="hold")
@whose
@click.option("--citizen", is_flag=True, help="All about its citizen, of any plan or of none.")
@reason_of("Why nothing may be deleted")
def command(plan: str, number: str | None, reason: str, citizen: bool) -> None:
    """Let nothing of PLAN be deleted until it is released: audit rows, bytes, tasks.

    PLAN may be a koordinationsplan; then, and with --number, all about the citizen is held.
    """
    from hub.services import retention  # noqa: PLC0415

    with on_citizen(plan, number) as named:
        made = retention.hold(named.hub, named.viewer, named.whose, reason=reason, citizen=citizen)
    click.echo(f"Held: {named.told(citizen=bool(made.citizen_id))}")

"""``ki-hub audit release``: the end of a legal hold."""

from __future__ import annotations

import click

from hub.cli.audit_whose import on_citizen, reason_of, whose


@click.command(name="release")
@whose
@click.option("--citizen", is_flag=True, help="The hold on its citizen.")
@reason_of("Why it may be deleted when its time is up")
def command(plan: str, number: str | None, reason: str, citizen: bool) -> None:
    """Lift the hold on PLAN; what is old enough is deleted from now on.

    PLAN may be a koordinationsplan; then, and with --number, it is the hold on the citizen.
    """
    from hub.services import retention  # noqa: PLC0415

    with on_citizen(plan, number) as named:
        of = retention.release(named.hub, named.viewer, named.whose, reason=reason, citizen=citizen)
    click.echo(f"Released: {named.told(citizen=of == 'citizen')}")

"""``ki-hub deliveries``: who was sent what, and why."""

from __future__ import annotations

import getpass
import json

import click

from hub.cli.common import as_json, opened, show
from hub.cli.deliveries_act import add_to
from hub.model.delivery import State


@click.group(name="deliveries", invoke_without_command=True)
@click.option("--state", type=click.Choice([s.value for s in State]), help="Only these.")
@click.option("--receiver", help="Only this party's, or the citizen's: citizen.")
@click.option("--plan", help="Only this plan's; the beginning of its id is enough.")
@as_json
@click.pass_context
def command(
    ctx: click.Context, state: str | None, receiver: str | None, plan: str | None, json_: bool
) -> None:
    """Deliveries, newest first, with reason, legal basis and history.

    Ids are shortened, and a narrow screen has fewer columns; --json has everything.
    """
    if ctx.invoked_subcommand is not None:
        return
    from hub.model.party import Viewer  # noqa: PLC0415
    from hub.services import overview, queries  # noqa: PLC0415

    viewer = Viewer("operator", "cli")
    with opened() as (hub, _):
        found = queries.deliveries(
            hub,
            viewer,
            state=state,
            receiver=queries.known_receiver(hub, receiver) if receiver else None,
            plan_id=queries.whole_plan_id(hub, viewer, plan) if plan else None,
        )
        rows = [overview.delivery_row(queries.delivery_detail(hub, viewer, d.id)) for d in found]
    columns = ("delivery", "plan", "version", "receiver", "state", "reason")
    show(rows, columns, json_, more=("format", "attempts", "updated_at"))


@command.command(name="entered-in-error")
@click.argument("delivery")
@click.option("--reason", required=True, help="Without names and numbers; kept in the audit trail.")
def entered_in_error(delivery: str, reason: str) -> None:
    """The receiver of DELIVERY was the wrong one: it gets a correction.

    That it gets no more is said in the plan's team, or in the consent.
    """
    from hub.model.party import Viewer  # noqa: PLC0415
    from hub.services import queries  # noqa: PLC0415
    from hub.services.retract import sent_in_error  # noqa: PLC0415

    with opened() as (hub, _):
        whole = queries.whole_delivery_id(hub, Viewer("operator", "cli"), delivery)
        sent_in_error(hub, whole, actor=getpass.getuser(), reason=reason)
    click.echo(f"{whole}: its receiver is told.")


@command.command(name="accept-losses")
@click.argument("delivery")
@click.option("--reason", required=True, help="Why it may go as it is; kept in the audit trail.")
@as_json
def accept_losses(delivery: str, reason: str, json_: bool) -> None:
    """Let DELIVERY go although it loses what its receiver does not accept.

    The beginning of its id is enough; `ki-hub deliveries --state held` shows it.
    """
    from hub.model.party import Viewer  # noqa: PLC0415
    from hub.services import queries  # noqa: PLC0415
    from hub.services.holding import accept_losses as let_go  # noqa: PLC0415

    with opened() as (hub, _):
        whole = queries.whole_delivery_id(hub, Viewer("operator", "cli"), delivery)
        found = let_go(hub, whole, actor=getpass.getuser(), reason=reason)
    done = {"delivery": found.id, "state": found.state.value}
    click.echo(json.dumps(done) if json_ else f"{found.id} may go.")


add_to(command)

"""What commands that act for an operator share: who, why, and which deliveries."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hub.model.delivery import State

if TYPE_CHECKING:
    from hub.contract import Party
    from hub.services.hub import Hub
    from hub.store.operating import Wanted

Command = TypeVar("Command", bound=Callable[..., Any])

reason = click.option(
    "--reason", required=True, help="Why; without names and numbers, kept in the audit trail."
)
by = click.option(
    "--by", default=getpass.getuser, show_default="your user name", help="Who does it."
)
_FILTERS = (
    click.option("--receiver", help="Only this party's, or the citizen's: citizen."),
    click.option("--format", "format_", help="Only in this format."),
    click.option("--state", type=click.Choice([s.value for s in State]), help="Only these."),
    click.option("--plan", help="Only this plan's; the beginning of its id is enough."),
    click.option("--since", type=click.DateTime(), help="Last changed then or later (UTC)."),
    click.option("--until", type=click.DateTime(), help="Last changed before (UTC)."),
    click.option("--because", help="Only with these words in the reason, in English."),
)


def filters(command: Command) -> Command:
    """Which deliveries; they narrow each other."""
    for option in reversed(_FILTERS):
        command = option(command)
    return command


def wanted(hub: Hub, ids: tuple[str, ...], said: dict[str, Any]) -> Wanted:
    """What the options say; beginnings of ids become whole ones, and what is unknown is refused."""
    from hub.model.party import Viewer  # noqa: PLC0415
    from hub.services import queries  # noqa: PLC0415
    from hub.store.operating import Wanted  # noqa: PLC0415

    viewer = Viewer("operator", "cli")
    receiver, plan = said["receiver"], said["plan"]
    return Wanted(
        tuple(queries.whole_delivery_id(hub, viewer, i) for i in ids),
        queries.known_receiver(hub, receiver) if receiver else None,
        said["format_"],
        said["state"],
        queries.whole_plan_id(hub, viewer, plan) if plan else None,
        utc(said["since"]),
        utc(said["until"]),
        said["because"],
    )


def utc(moment: datetime | None) -> datetime | None:
    """What ``click.DateTime`` gives, which is said to be UTC."""
    from datetime import UTC  # noqa: PLC0415

    return moment.replace(tzinfo=UTC) if moment else None


def unit_of(hub: Hub, party: str) -> Party:
    """The party on whose behalf a command acts; NotFound names where to look."""
    from hub.errors import NotFound  # noqa: PLC0415

    with hub.store.reading() as work:
        found = work.parties.get(party)
    if found is None:
        raise NotFound("No such party; see: ki-hub parties list")
    return found.party

"""What commands on one citizen's records share: whose they are, and the reason they must give."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from hub.cli.common import opened

if TYPE_CHECKING:
    from hub.model.party import Viewer
    from hub.services.hub import Hub
    from hub.services.whose import Whose


def reason_of(what: str) -> Callable[[Any], Any]:
    """The option ``--reason``, which there is no way around."""
    return click.option("--reason", required=True, help=f"{what}; kept in the audit trail.")


by_number = click.option(
    "--number", type=click.Choice(["cpr", "x-ecpr", "d-ecpr"]), metavar="KIND",
    help="Name the citizen by number instead: cpr, x-ecpr or d-ecpr. It is asked for, or read "
    "from standard input; a shell would keep it.",
)  # fmt: skip


def whose(command: Callable[..., Any]) -> Callable[..., Any]:
    """The argument PLAN and the option that takes its place."""
    return click.argument("plan", required=False, default="")(by_number(command))


@dataclass(frozen=True)
class Named:
    """Whom a command is about."""

    hub: Hub
    viewer: Viewer
    whose: Whose
    id: str
    """The hub's own, whole; empty by number."""

    def told(self, *, citizen: bool) -> str:
        """In a command's answer, where a number never stands."""
        if not citizen:
            return self.id
        return f"the citizen of {self.id}" if self.id else "the citizen"


@contextmanager
def on_citizen(plan: str, number: str | None) -> Iterator[Named]:
    """The hub, who asks, and the plan, or document that stands alone, that begins so; or who has
    the number that is asked for."""
    from hub.model.party import Viewer  # noqa: PLC0415
    from hub.services.numbers import number as read  # noqa: PLC0415
    from hub.services.whose import whole_id  # noqa: PLC0415

    if bool(plan) == (number is not None):
        raise click.UsageError("Give a plan, or --number")
    viewer = Viewer("operator", getpass.getuser())
    typed = (
        click.prompt("Number", err=True, hide_input=sys.stdin.isatty())
        if number is not None
        else ""
    )
    with opened() as (hub, _):
        if number is not None:
            yield Named(hub, viewer, read(number, typed), "")
        else:
            whole = whole_id(hub, viewer, plan)
            yield Named(hub, viewer, whole, whole)

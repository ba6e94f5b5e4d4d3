"""What commands on one plan's records share: whose they are, and the reason they must give."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from hub.cli.common import opened

if TYPE_CHECKING:
    from hub.model.party import Viewer
    from hub.services.hub import Hub


def reason_of(what: str) -> Callable[[Any], Any]:
    """The option ``--reason``, which there is no way around."""
    return click.option("--reason", required=True, help=f"{what}; kept in the audit trail.")


@contextmanager
def on_plan(beginning: str) -> Iterator[tuple[Hub, Viewer, str]]:
    """The hub, who asks, and the whole id of the plan that begins so."""
    from hub.model.party import Viewer  # noqa: PLC0415
    from hub.services import queries  # noqa: PLC0415

    viewer = Viewer("operator", getpass.getuser())
    with opened() as (hub, _):
        yield hub, viewer, queries.whole_plan_id(hub, viewer, beginning)

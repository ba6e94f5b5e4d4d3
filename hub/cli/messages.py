"""``ki-hub messages``: received documents, and the content of what could not be understood."""

from __future__ import annotations

import getpass
import json
import sys
from typing import TYPE_CHECKING, Any, cast, get_args

import click

from hub.cli.acting import by, reason
from hub.cli.common import as_json, opened, show
from hub.model.records import InboxState

if TYPE_CHECKING:
    from hub.model.party import Viewer


@click.group(name="messages")
def command() -> None:
    """Show received documents and the hub's answers."""


@command.command(name="list")
@click.option("--state", type=click.Choice(get_args(InboxState)), help="Only these.")
@as_json
def list_(state: str | None, json_: bool) -> None:
    """Received documents, newest first, without what they hold."""
    from hub.services import kept, received  # noqa: PLC0415

    wanted = cast(InboxState | None, state)
    with opened() as (hub, _):
        rows = [kept.message_row(m) for m in received.received(hub, _operator(), wanted)]
    columns = ("message", "sender", "state", "answer")
    show(rows, columns, json_, more=("format", "status", "received_at"))


@command.command(name="show")
@click.argument("message")
@as_json
def show_(message: str, json_: bool) -> None:
    """One received document and the hub's answer; the beginning of its id is enough."""
    from hub.services import kept, received  # noqa: PLC0415

    viewer = _operator()
    with opened() as (hub, _):
        found = received.received_one(hub, viewer, kept.whole_message_id(hub, viewer, message))
    row: dict[str, Any] = kept.message_row(found)
    if json_:
        click.echo(json.dumps(row, ensure_ascii=False, indent=2))
        return
    issues = row.pop("issues")
    for name, value in row.items():
        if value is not None and name != "answer":
            click.echo(f"{name}: {value}")
    for issue in issues:
        place = f" ({issue['at']})" if issue["at"] else ""
        click.echo(f"{issue['severity']}: {issue['text']}{place}")


@command.command(name="bytes")
@click.argument("message")
@click.option("--reason", required=True, help="Why it must be seen; kept in the audit trail.")
def bytes_(message: str, reason: str) -> None:
    """Write to standard output what was received, byte for byte.

    Only of a document that was refused, set aside or belongs to no plan; never of a sealed one.
    The look is kept in the audit trail with your user name and the reason.
    """
    from hub.services import kept  # noqa: PLC0415

    viewer = _operator()
    with opened() as (hub, _):
        whole = kept.whole_message_id(hub, viewer, message)
        found = kept.look(hub, viewer, whole, reason=reason)
    sys.stdout.buffer.write(found.body)
    sys.stdout.buffer.flush()


@command.command(name="entered-in-error")
@click.argument("message")
@click.option("--reason", required=True, help="Without names and numbers; kept in the audit trail.")
def entered_in_error(message: str, reason: str) -> None:
    """The document of MESSAGE should never have been published: take it back.

    Nobody is shown it any more, and every unit that had it gets a correction.
    """
    from hub.services import kept  # noqa: PLC0415
    from hub.services.retract import document_in_error  # noqa: PLC0415

    with opened() as (hub, _):
        whole = kept.whole_message_id(hub, _operator(), message)
        document_in_error(hub, whole, actor=getpass.getuser(), reason=reason)
    click.echo(f"{whole} is entered in error; who had it is told.")


@command.command(name="release")
@click.argument("message")
@reason
@by
@as_json
def release(message: str, reason: str, by: str, json_: bool) -> None:
    """Process MESSAGE again, which was set aside, now that the cause is mended.

    Its sender gets the answer of this time; a newer document of the case stands.
    """
    from hub.model.party import Viewer  # noqa: PLC0415
    from hub.services import kept  # noqa: PLC0415
    from hub.services.operate.release import release as take_up  # noqa: PLC0415

    viewer = Viewer("operator", by)
    with opened() as (hub, _):
        whole = kept.whole_message_id(hub, viewer, message)
        take_up(hub, viewer, whole, reason=reason)
    done = {"message": whole, "state": "received"}
    click.echo(json.dumps(done) if json_ else f"{whole} is processed again.")


def _operator() -> Viewer:
    from hub.model.party import Viewer  # noqa: PLC0415

    return Viewer("operator", getpass.getuser())

"""``ki-hub deliveries resend|send-anew|skip|cancel``: look first, then do exactly that many."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from hub.cli.acting import by, filters, reason, wanted
from hub.cli.common import as_json, opened, show
from hub.model.operate import Act

if TYPE_CHECKING:
    from hub.services.hub import Hub
    from hub.services.operate.choose import Preview
    from hub.store.operating import Wanted

_HELP: dict[Act, str] = {
    "resend": """Send the same once more: the same content, id and number, in a new envelope where
    its format asks for that.

    Of an older version only to a receiver that wants every version.""",
    "send-anew": """Make what the receiver may have now once more and send it, all ids new.

    What it may have, and in which format, is decided again.""",
    "skip": """Do not send what waits (`not_sent`), or leave what failed as it is.

    The receiver does not get this shared part unless it is sent anew.""",
    "cancel": """End what is due, blocked, held or tried again (`cancelled`).

    A newer version is sent as ever; this one is not made again unless it is sent anew.""",
}
_MORE = """

    Nothing is done without --yes or --expect: what would be done, and what not and why, is shown.
    DELIVERY is the beginning of an id; the options say which others."""


def add_to(group: click.Group) -> None:
    """Put the four commands into ``ki-hub deliveries``."""
    for act, text in _HELP.items():
        group.add_command(_command(act, text + _MORE))


def _command(act: Act, text: str) -> click.Command:
    @click.command(name=act, help=text)
    @click.argument("delivery", nargs=-1)
    @filters
    @reason
    @by
    @click.option("--yes", is_flag=True, help="Do it.")
    @click.option("--expect", type=int, help="Do it, if it is done to so many; else nothing.")
    @as_json
    def _run(
        delivery: tuple[str, ...],
        reason: str,
        by: str,
        yes: bool,
        expect: int | None,
        json_: bool,
        **said: Any,
    ) -> None:
        with opened() as (hub, _):
            chosen = wanted(hub, delivery, said)
            if yes or expect is not None:
                _do(hub, act, chosen, reason, by, expect, json_)
            else:
                _look(hub, act, chosen, json_)

    return _run


def _look(hub: Hub, act: Act, chosen: Wanted, json_: bool) -> None:
    from hub.model.party import Viewer  # noqa: PLC0415
    from hub.services.operate.choose import preview, preview_row  # noqa: PLC0415

    found: Preview = preview(hub, Viewer("operator", "cli"), act, chosen)
    columns = ("delivery", "receiver", "state", "refused")
    show_preview(preview_row(found), "deliveries", columns, ("version", "format"), json_)


def show_preview(
    row: Mapping[str, Any], of: str, columns: Sequence[str], more: Sequence[str], json_: bool
) -> None:
    """What would be done and what not, and how to say that it shall be; ``of``: the rows' key."""
    if json_:
        click.echo(json.dumps(row, ensure_ascii=False, indent=2))
        return
    show(row[of], columns, False, more=more)
    for why, number in row["refused_because"].items():
        click.echo(f"{number} not: {why}")
    click.echo(f"{row['act']}: {row['count']} of {len(row[of])}. Nothing is done yet.")
    click.echo(f"To do it, repeat with --expect {row['count']}, or with --yes however many it is.")


def _do(
    hub: Hub, act: Act, chosen: Wanted, reason: str, by: str, expect: int | None, json_: bool
) -> None:
    from hub.model.party import Viewer  # noqa: PLC0415
    from hub.services.operate import many  # noqa: PLC0415

    viewer = Viewer("operator", by)
    action = many.begin(hub, viewer, act, chosen, reason=reason, expect=expect)
    finish(hub, action)
    tell(many.action_row(hub, viewer, action), json_)


def finish(hub: Hub, action: str) -> None:
    """Do all of it here and now, telling how far it is on a screen."""
    from hub.model.party import Viewer  # noqa: PLC0415
    from hub.services.operate import many  # noqa: PLC0415

    row = many.action_row(hub, Viewer("operator", "cli"), action)
    # On a screen alone: what the command prints is the result.
    bar = click.progressbar(
        length=row["waits"], label=row["act"], file=sys.stderr, hidden=not sys.stderr.isatty()
    )
    with bar as shown:
        while done := many.advance(hub, action):
            shown.update(done)


def tell(row: dict[str, Any], json_: bool) -> None:
    """What became of it."""
    if json_:
        click.echo(json.dumps(row, ensure_ascii=False, indent=2))
        return
    left = [d for d in row["deliveries"] if d["outcome"] in {"refused", "failed"}]
    if left:
        show(left, ("delivery", "outcome", "told"), False)
    click.echo(f"{row['act']}: {row['done']} done, {row['refused']} not, {row['failed']} failed, "
               f"{row['waits']} to do. Action {row['action']}.")  # fmt: skip

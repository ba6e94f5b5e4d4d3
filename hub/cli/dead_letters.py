"""``ki-hub dead-letters``: what the broker gave up, and what an operator does with it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from hub.cli.acting import by, reason, utc
from hub.cli.common import as_json, opened, show
from hub.cli.deliveries_act import show_preview

if TYPE_CHECKING:
    from hub.services.operate.dead_many import LetterAct

_WAYS = ("document", "receipt", "delivery", "answer", "unknown")


@click.group(name="dead-letters")
def command() -> None:
    """List, show, replay and discard what the broker gave up; the beginning of an id is enough."""


@command.command(name="list")
@as_json
def list_(json_: bool) -> None:
    """What nobody has seen to, oldest first, without what it holds."""
    from hub.model.party import Viewer  # noqa: PLC0415
    from hub.services.operate import dead_letters  # noqa: PLC0415

    with opened() as (hub, _):
        found = dead_letters.letters(hub, Viewer("operator", "cli"))
    rows = [dead_letters.letter_row(x) for x in found]
    show(rows, ("letter", "way", "sender", "reason"), json_, more=("about", "bytes", "at"))


@command.command(name="show")
@click.argument("letter")
@reason
@by
@click.option("--envelope", is_flag=True, help="Only what is known without opening it.")
@as_json
def show_(letter: str, reason: str, by: str, envelope: bool, json_: bool) -> None:
    """Write to standard output what LETTER holds, byte for byte.

    The look is kept in the audit trail with your name and the reason. With --envelope or --json
    nothing is opened: where it came from, where it died, and of what.
    """
    from hub.model.party import Viewer  # noqa: PLC0415
    from hub.services.operate import dead_letters  # noqa: PLC0415

    viewer = Viewer("operator", by)
    with opened() as (hub, _):
        key = dead_letters.whole_key(hub, viewer, letter)
        if envelope or json_:
            row = dead_letters.letter_row(dead_letters.letter(hub, viewer, key))
            text = json.dumps(row, ensure_ascii=False, indent=2)
            click.echo(text if json_ else "\n".join(f"{k}: {v}" for k, v in row.items() if v))
            return
        found = dead_letters.look(hub, viewer, key, reason=reason)
    sys.stdout.buffer.write(found.body)
    sys.stdout.buffer.flush()


def _many(act: LetterAct, text: str) -> click.Command:
    @click.command(name=act, help=text + _MORE)
    @click.argument("letter", nargs=-1)
    @click.option("--way", type=click.Choice(_WAYS), help="Only of this kind.")
    @click.option("--sender", help="Only this party's.")
    @click.option("--queue", help="Only what died in this queue.")
    @click.option("--format", "format_", help="Only in this format.")
    @click.option("--since", type=click.DateTime(), help="Came then or later (UTC).")
    @click.option("--until", type=click.DateTime(), help="Came before (UTC).")
    @click.option("--because", help="Only with these words in the broker's reason.")
    @reason
    @by
    @click.option("--yes", is_flag=True, help="Do it to every one.")
    @click.option("--expect", type=int, help="Do it, if there are so many; else nothing.")
    @as_json
    def _run(
        letter: tuple[str, ...],
        reason: str,
        by: str,
        yes: bool,
        expect: int | None,
        json_: bool,
        **said: Any,
    ) -> int:
        from hub.model.party import Viewer  # noqa: PLC0415
        from hub.services.operate import dead_letters, dead_many  # noqa: PLC0415

        viewer = Viewer("operator", by)
        with opened() as (hub, _):
            keys = tuple(dead_letters.whole_key(hub, viewer, one) for one in letter)
            which = dead_many.Which(
                keys, said["way"], said["sender"], said["queue"], said["format_"],
                utc(said["since"]), utc(said["until"]), said["because"],
            )  # fmt: skip
            # Letters that are named one by one need no second look.
            if not yes and expect is None and any(said.values()):
                found = dead_many.letters_row(dead_many.preview_letters(hub, viewer, act, which))
                columns = ("letter", "way", "sender", "refused")
                show_preview(found, "letters", columns, ("reason", "at"), json_)
                return 0
            rows = dead_many.act_on_letters(hub, viewer, act, which, reason=reason, expect=expect)
        show(rows, ("letter", "became", "refused"), json_)
        return int(any(r["refused"] for r in rows))

    return _run


_MORE = """

    LETTER is the beginning of an id; the options say which others, and with one of them nothing is
    done without --yes or --expect: what would be done, and what not and why, is shown. Exits with 1
    if one of them stays where it is."""

command.add_command(
    _many(
        "replay",
        """Put letters back, now that the cause is mended.

    A document or receipt comes in again as its sender's; what was taken meanwhile is not done
    twice. A delivery is sent again if it may be.""",
    )
)
command.add_command(
    _many(
        "discard",
        """Let letters go: they are not put back.

    Their bytes are deleted when those of unreadable documents are.""",
    )
)

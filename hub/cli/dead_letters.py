"""``ki-hub dead-letters``: what the broker gave up, and what an operator does with it."""

from __future__ import annotations

import json
import sys

import click

from hub.cli.acting import by, reason
from hub.cli.common import as_json, opened, show

_BACK = ("document", "receipt", "delivery", "answer")


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


@command.command(name="replay")
@click.argument("letter", nargs=-1)
@click.option("--way", type=click.Choice(_BACK), help="Every one of this kind.")
@click.option("--sender", help="Every one of this party's; with --way, of both.")
@reason
@by
@click.option("--yes", is_flag=True, help="Do it to every one.")
@click.option("--expect", type=int, help="Do it, if there are so many; else nothing.")
@as_json
def replay(
    letter: tuple[str, ...],
    way: str | None,
    sender: str | None,
    reason: str,
    by: str,
    yes: bool,
    expect: int | None,
    json_: bool,
) -> int:
    """Put each LETTER back, now that the cause is mended.

    A document or receipt comes in again as its sender's; what was taken meanwhile is not done
    twice. A delivery is sent again if it may be. With --way or --sender nothing is done without
    --yes or --expect. Exits with 1 if one of them could not be put back.
    """
    from hub.errors import PreconditionFailed  # noqa: PLC0415
    from hub.model.party import Viewer  # noqa: PLC0415
    from hub.services.operate import dead_letters  # noqa: PLC0415

    viewer = Viewer("operator", by)
    with opened() as (hub, _):
        keys = [dead_letters.whole_key(hub, viewer, one) for one in letter]
        if way or sender:
            keys += [
                x.key for x in dead_letters.letters(hub, viewer)
                if way in {None, x.way} and sender in {None, x.user}
            ]  # fmt: skip
            if expect not in {None, len(keys)}:
                raise PreconditionFailed(f"There are {len(keys)} now, and not {expect}")
            if not yes and expect is None:
                told = f"replay: {len(keys)}. Nothing is done yet.\n"
                told += f"To do it, repeat with --expect {len(keys)}, or with --yes."
                click.echo(json.dumps({"count": len(keys), "letters": keys}) if json_ else told)
                return 0
        rows = dead_letters.replay_many(hub, viewer, keys, reason=reason)
    show(rows, ("letter", "became", "refused"), json_)
    return int(any(r["refused"] for r in rows))


@command.command(name="discard")
@click.argument("letter")
@reason
@by
@as_json
def discard(letter: str, reason: str, by: str, json_: bool) -> None:
    """LETTER is not put back. Its bytes are deleted when those of unreadable documents are."""
    from hub.model.party import Viewer  # noqa: PLC0415
    from hub.services.operate import dead_letters  # noqa: PLC0415

    viewer = Viewer("operator", by)
    with opened() as (hub, _):
        key = dead_letters.whole_key(hub, viewer, letter)
        dead_letters.discard(hub, viewer, key, reason=reason)
    done = {"letter": key, "became": "discarded"}
    click.echo(json.dumps(done) if json_ else f"{key} is let go.")

"""Many dead letters at once: which by filter, counted before anything is done, then one by one.

Each letter is put back or let go in a transaction of its own, with its audit row. What was
interrupted is begun again with the same filter: a letter that was seen to waits no more.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final, Literal

from hub.errors import InputRefused, Invalid, NotPermitted
from hub.model.dead_letter import DeadLetter, Way
from hub.model.party import Viewer
from hub.services.hub import Hub, sha256
from hub.services.kept import kept_reason
from hub.services.operate.as_seen import require_as_seen
from hub.services.operate.dead_letters import (
    NOT_KEPT,
    NOT_KNOWN,
    discard,
    letter_row,
    letters,
    replay,
)
from hub.services.overview import for_operators

LetterAct = Literal["replay", "discard"]
LETTER_ACTS: Final[tuple[LetterAct, ...]] = ("replay", "discard")
AT_ONCE: Final = 1_000
"""Letters that one call sees to, the oldest first."""


@dataclass(frozen=True)
class Which:
    """The letters that are meant; what is not said narrows nothing."""

    letters: tuple[str, ...] = ()
    way: Way | None = None
    sender: str | None = None
    queue: str | None = None
    format: str | None = None
    since: datetime | None = None
    """Came then or later."""
    until: datetime | None = None
    """Came before."""
    because: str | None = None
    """Words in what the broker says of it."""

    def said(self) -> dict[str, Any]:
        """What was said, as JSON."""
        return {
            k: v.isoformat() if isinstance(v, datetime) else v for k, v in asdict(self).items() if v
        }

    def fits(self, letter: DeadLetter) -> bool:
        """The letter is one of them."""
        said = (
            (self.way, letter.way), (self.sender, letter.user), (self.queue, letter.queue),
            (self.format, letter.format),
        )  # fmt: skip
        return (
            (not self.letters or letter.key in self.letters)
            and all(wanted in {None, found} for wanted, found in said)
            and (self.since is None or letter.at >= self.since)
            and (self.until is None or letter.at < self.until)
            and (self.because is None or self.because.lower() in letter.reason.lower())
        )


@dataclass(frozen=True)
class LetterPreview:
    """What would be done, oldest first, and what not and why."""

    act: LetterAct
    which: Which
    items: tuple[tuple[DeadLetter, str], ...]
    """Each letter with the objection to it; empty if it would be done."""

    @cached_property
    def able(self) -> tuple[DeadLetter, ...]:
        """Those that it would be done to."""
        return tuple(letter for letter, objection in self.items if not objection)

    @property
    def count(self) -> int:
        """How many they are."""
        return len(self.able)

    @cached_property
    def objections(self) -> Counter[str]:
        """Why it would not be done, and to how many."""
        return Counter(objection for _, objection in self.items if objection)

    @cached_property
    def token(self) -> str:
        """Of exactly this: another set, or another objection, has another token."""
        said = [self.act, [[letter.key, objection] for letter, objection in self.items]]
        return sha256(json.dumps(said).encode())


def preview_letters(hub: Hub, viewer: Viewer, act: LetterAct, which: Which) -> LetterPreview:
    """Look, and change nothing. Raises Invalid where nothing says which letters are meant."""
    for_operators(viewer)
    if not which.said():
        raise Invalid("Say which dead letters: nothing is done to all there are")
    for name in ("since", "until"):
        moment = getattr(which, name)
        if moment is not None and moment.tzinfo is None:
            raise Invalid("Give the time with its offset from UTC", at=name)
    found = [x for x in letters(hub, viewer) if which.fits(x)][:AT_ONCE]
    return LetterPreview(act, which, tuple((x, _objection(act, x)) for x in found))


def _objection(act: LetterAct, letter: DeadLetter) -> str:
    """What is known before it is tried; each is decided on once more when its turn comes."""
    if act == "discard":
        return ""
    if letter.way == "unknown":
        return NOT_KNOWN
    return NOT_KEPT if letter.way in {"document", "receipt"} and not letter.size else ""


def act_on_letters(
    hub: Hub,
    viewer: Viewer,
    act: LetterAct,
    which: Which,
    *,
    reason: str,
    actor: str = "",
    token: str | None = None,
    expect: int | None = None,
) -> list[dict[str, Any]]:
    """See to each of them; what became of each, or why it stays where it is.

    With ``token`` (a preview's) or ``expect`` (how many) nothing is done if it is not what a person
    saw any more: PreconditionFailed. Raises Invalid for a reason that cannot be kept, and where
    nothing would be done.
    """
    kept_reason(reason)
    seen = preview_letters(hub, viewer, act, which)
    require_as_seen(seen.count, seen.token, token=token, expect=expect)
    return [*_each(hub, viewer, act, [x.key for x in seen.able], reason, actor)]


def _each(
    hub: Hub, viewer: Viewer, act: LetterAct, keys: list[str], reason: str, actor: str
) -> Iterator[dict[str, Any]]:
    for key in keys:
        row: dict[str, Any] = {"letter": key, "became": None, "refused": None}
        try:
            if act == "replay":
                row["became"] = replay(hub, viewer, key, reason=reason, actor=actor)
            else:
                discard(hub, viewer, key, reason=reason, actor=actor)
                row["became"] = "discarded"
        except (InputRefused, NotPermitted) as e:
            row["refused"] = e.text
        yield row


def counts(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """How many were seen to, and how many stay."""
    refused = sum(bool(r["refused"]) for r in rows)
    return {"done": len(rows) - refused, "refused": refused}


def letters_row(found: LetterPreview) -> dict[str, Any]:
    """As API and CLI give it."""
    return {
        "act": found.act,
        "wanted": found.which.said(),
        "count": found.count,
        "refused": len(found.items) - found.count,
        "refused_because": dict(found.objections.most_common()),
        "token": found.token,
        "letters": [
            letter_row(letter) | {"refused": objection or None} for letter, objection in found.items
        ],
    }

"""What each party should hold of a plan, or a document that stands alone, beside what became of
its deliveries. Pure.

A stray is what the ordinary course of things does not see: neither settled, nor on its way, nor a
person's who knows. There is at most one of a (receiver, format), the gravest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from hub.model.delivery import State

StrayKind = Literal["keeps", "gone", "nobody", "unanswered", "behind"]
ORDER: Final[tuple[StrayKind, ...]] = ("keeps", "gone", "nobody", "unanswered", "behind")
"""The gravest first: kept against the consent, lost, waiting for nobody, unanswered, too old."""
_COMES_TO_NOTHING: Final = frozenset({State.CANCELLED, State.SUPERSEDED})
_AT_THE_RECEIVER: Final = frozenset({State.SENT, State.DELIVERED})


@dataclass(frozen=True)
class Wanted:
    """A version that a receiver should hold, or a newer one."""

    receiver: str
    format: str
    version: int
    anew: bool = False
    """No copy of it that there is holds just what the receiver may have now."""


@dataclass(frozen=True)
class Held:
    """One delivery of it, or one notice about it."""

    id: str
    receiver: str
    format: str
    version: int
    state: State
    made: int
    """The order in which they were made, whatever the clocks said."""
    updated_at: datetime
    retry_at: datetime | None = None
    notice: bool = False
    asked: bool = False
    """A person has an open task about it."""
    receipts: bool = True
    """Its receiver is to answer it."""
    wait: timedelta = timedelta(hours=1)
    """So long it may take."""
    had: bool = False
    """Its receiver had it before it asked for it once more."""
    stopped: bool = False
    """A person ended it: its receiver is not to have this version."""
    lies: bool = False
    """It may lie where it was put; False: it surely does not."""


@dataclass(frozen=True)
class Stray:
    """What is not as it should be, in a sentence for the operator."""

    receiver: str
    format: str
    kind: StrayKind
    text: str
    delivery: str | None = None


def strays(
    wanted: Iterable[Wanted],
    denied: Collection[str],
    rows: Iterable[Held],
    heard: Mapping[str, datetime],
    now: datetime,
) -> tuple[Stray, ...]:
    """All of one plan or document. ``denied``: parties that may have nothing of it any more, and
    must be told; ``heard``: party to when it last fetched or answered anything."""
    known = tuple(rows)
    found: dict[tuple[str, str], Stray] = {}
    every = [*_of_rows(known, heard, now), *_kept(denied, known), *_behind(wanted, known)]
    for stray in sorted(every, key=lambda s: ORDER.index(s.kind)):
        found.setdefault((stray.receiver, stray.format), stray)
    return tuple(sorted(found.values(), key=lambda s: (s.receiver, s.format)))


def unscheduled(rows: Iterable[Held]) -> tuple[str, ...]:
    """Sent ones whose receiver is to answer, and that nobody would ever look for."""
    return tuple(r.id for r in rows if _waits(r) and r.retry_at is None)


def _waits(row: Held) -> bool:
    return row.state is State.SENT and row.receipts and not row.asked


def _of_rows(rows: Iterable[Held], heard: Mapping[str, datetime], now: datetime) -> Iterator[Stray]:
    for row in rows:
        who, version = row.receiver, row.version
        if row.state in {State.BLOCKED, State.HELD} and not row.asked:
            text = f"{who}: version {version} waits for a person, and nobody is asked"
            yield Stray(who, row.format, "nobody", text, row.id)
        if row.state is State.RETRY_AT and row.retry_at is None:
            text = f"{who}: version {version} is to be sent again, and no time is set"
            yield Stray(who, row.format, "nobody", text, row.id)
        if not _waits(row):
            continue
        if not row.lies and (row.retry_at is None or row.retry_at + row.wait < now):
            text = f"{who}: version {version} was sent, lies nowhere, and nobody looks for it"
            yield Stray(who, row.format, "gone", text, row.id)
        if now - row.updated_at > row.wait and heard.get(who, row.updated_at) > row.updated_at:
            text = f"{who}: version {version} has no receipt in time, although others came since"
            yield Stray(who, row.format, "unanswered", text, row.id)


def _kept(denied: Collection[str], rows: Collection[Held]) -> Iterator[Stray]:
    """Held by a party that may not have it any more and that was not told so since."""
    told: dict[str, int] = {}
    for row in rows:
        if row.notice and row.state not in _COMES_TO_NOTHING:
            told[row.receiver] = max(row.made, told.get(row.receiver, 0))
    for row in rows:
        has = row.had or row.state in _AT_THE_RECEIVER
        kept = has and not row.notice and row.receiver in denied
        if kept and told.get(row.receiver, -1) < row.made:
            text = f"{row.receiver}: has had version {row.version}, may not have it, was not told"
            yield Stray(row.receiver, row.format, "keeps", text, row.id)


def _behind(wanted: Iterable[Wanted], rows: Collection[Held]) -> Iterator[Stray]:
    for one in wanted:
        own = [r for r in rows if r.receiver == one.receiver and not r.notice]
        if any(r.version >= one.version and _counts(r) for r in own):
            if one.anew:
                text = f"{one.receiver}: should hold another copy of version {one.version}"
                text += ", with more or less in it, and none is on its way"
                yield Stray(one.receiver, one.format, "behind", text)
            continue
        last = max((r.version for r in own if r.state is State.DELIVERED), default=0)
        text = f"{one.receiver}: should hold version {one.version}, nothing is on its way"
        if last:
            text = (
                f"{one.receiver}: should hold version {one.version}, last delivered {last}, "
                "nothing is on its way"
            )
        yield Stray(one.receiver, one.format, "behind", text)


def _counts(row: Held) -> bool:
    """It is settled, on its way, or a person's."""
    return row.stopped or row.state not in _COMES_TO_NOTHING


def silent(since: datetime | None, heard: datetime | None, now: datetime, hours: int) -> bool:
    """Something has waited for the receiver so long, and it was not heard of in that time; with no
    hours, never. ``since``: since when the oldest waits; None: nothing does."""
    if since is None or hours == 0:
        return False
    return now - max(since, heard or since) >= timedelta(hours=hours)

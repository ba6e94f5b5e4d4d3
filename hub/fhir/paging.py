"""Pages of an ordered result, without a copy of it on the server.

The address of the next page says what was asked, as of when, and after which result to go on. It
is opaque to clients (R4 "Search", 3.1.1.5), and holds nothing but what they sent themselves and
ids and dates they have seen; it grants nothing, every page is decided anew.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cmp_to_key
from typing import Final, TypeVar
from urllib.parse import quote, urlencode

from hub.errors import Malformed

PAGE: Final = "_page"
"""The parameter that holds a token; the only one of a next link."""

Pair = tuple[str, str]
Key = tuple[str | None, ...]
"""What results are ordered by; None comes last either way."""
Item = TypeVar("Item")

_LONGEST: Final = 16_000


@dataclass(frozen=True)
class Token:
    """Where a reader stands."""

    about: str
    """What is paged: ``CarePlan``, ``CarePlan/_history``, …; a token fits nothing else."""
    pairs: tuple[Pair, ...]
    until: datetime
    """What was written later is not in this result."""
    after: Key

    @property
    def as_of(self) -> datetime | None:
        """None for the first page, which has all there is: what a clock that was ahead has dated
        later than now is there all the same."""
        return self.until if self.after else None

    def going_on(self, after: Key, dates: Iterable[datetime]) -> Token:
        """The page after that of the same result, in which everything has one of these dates."""
        return replace(self, after=after, until=max((self.until, *dates)))

    def write(self) -> str:
        """As text for an address."""
        value = [self.about, self.pairs, self.until.isoformat(), self.after]
        packed = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def read_token(text: str, about: str) -> Token:
    """The token in an address; raises Malformed for anything this server did not make."""
    try:
        if len(text) > _LONGEST:
            raise ValueError
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        what, pairs, until, after = json.loads(packed)
        moment = datetime.fromisoformat(until)
        if what != about or moment.tzinfo is None or not isinstance(after, list):
            raise ValueError
        if not all(a is None or isinstance(a, str) for a in after):
            raise ValueError
        found = tuple((str(name), str(value)) for name, value in pairs)
        return Token(about, found, moment.astimezone(UTC), tuple(after))
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error):
        raise Malformed("Not a page of this result; begin again", at=PAGE) from None


def ordered(
    items: Sequence[Item], key: Callable[[Item], Key], descending: Sequence[bool]
) -> list[Item]:
    """The items by their keys, whose places go down where ``descending`` says so."""
    return sorted(items, key=lambda item: cmp_to_key(_comparison(descending))(key(item)))


def page_of(
    items: Sequence[Item],
    key: Callable[[Item], Key],
    descending: Sequence[bool],
    after: Key | None,
    count: int,
) -> tuple[list[Item], Key | None]:
    """The next ``count`` of the ordered items, and where to go on; None at the end.

    ``after`` need not be among the items any more: what left the result in between neither
    hides nor repeats another one.
    """
    compare = _comparison(descending)
    if after is not None and len(after) != len(descending):
        raise Malformed("Not a page of this result; begin again", at=PAGE)
    rest = [i for i in items if after is None or compare(key(i), after) > 0]
    page = rest[:count]
    return page, key(page[-1]) if page and len(rest) > count else None


def address(base: str, path: str, pairs: Sequence[Pair]) -> str:
    """``base/path?name=value&…``."""
    query = urlencode(pairs, quote_via=quote, safe=":/|,")
    return f"{base}/{path}?{query}" if query else f"{base}/{path}"


def moment_key(moment: datetime) -> str:
    """A time as text that orders as the time does."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _comparison(descending: Sequence[bool]) -> Callable[[Key, Key], int]:
    def compare(one: Key, other: Key) -> int:
        for mine, theirs, down in zip(one, other, descending, strict=True):
            if mine == theirs:
                continue
            if mine is None or theirs is None:
                return 1 if mine is None else -1
            return 1 if (mine > theirs) != down else -1
        return 0

    return compare

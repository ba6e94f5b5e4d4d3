"""Dates as the ranges they stand for (R4 "Search", 3.1.1.4.8 date): ``2026-09`` is all September.

Dates and times without an offset are Danish ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

ZONE: Final = ZoneInfo("Europe/Copenhagen")
_EVER: Final = datetime.min.replace(tzinfo=UTC)
_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_LAST: Final = 9999
_FIELDS: Final = ("year", "month", "day", "hour", "minute", "second")
_FORM = re.compile(
    r"(?P<year>[0-9]{4})(-(?P<month>[0-9]{2})(-(?P<day>[0-9]{2})"
    r"(T(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(:(?P<second>[0-9]{2})(\.(?P<part>[0-9]{1,9}))?)?"
    r"(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?"
)


@dataclass(frozen=True)
class Range:
    """From ``low`` until before ``high``."""

    low: datetime
    high: datetime

    def holds(self, other: Range) -> bool:
        """The other lies wholly inside."""
        return self.low <= other.low and other.high <= self.high


def range_of(text: str) -> Range | None:
    """What a FHIR date, dateTime or instant stands for; None for anything else."""
    found = _FORM.fullmatch(text)
    if found is None:
        return None
    try:
        return _range(found)
    except (ValueError, OverflowError):
        return None


def element_range(value: Any) -> Range | None:
    """The range of an element: a date, or a Period, whose open ends are for ever."""
    if isinstance(value, str):
        return range_of(value)
    if not isinstance(value, Mapping):
        return None
    start = range_of(str(value["start"])) if "start" in value else Range(_EVER, _EVER)
    end = range_of(str(value["end"])) if "end" in value else Range(_NEVER, _NEVER)
    return Range(start.low, end.high) if start and end else None


_COMPARE: Final[Mapping[str, Callable[[Range, Range], bool]]] = {
    "eq": lambda asked, found: asked.holds(found),
    "ne": lambda asked, found: not asked.holds(found),
    "gt": lambda asked, found: found.high > asked.high,
    "lt": lambda asked, found: found.low < asked.low,
    "ge": lambda asked, found: found.high > asked.high or asked.holds(found),
    "le": lambda asked, found: found.low < asked.low or asked.holds(found),
    "sa": lambda asked, found: found.low >= asked.high,
    "eb": lambda asked, found: found.high <= asked.low,
}
PREFIXES: Final = frozenset(_COMPARE)
"""``ap`` is not among them: R4 leaves it to each server, so that nobody could rely on it."""


def compares(prefix: str, asked: Range, found: Range) -> bool:
    """R4's table of prefixes; ``found`` is the resource's."""
    return _COMPARE[prefix](asked, found)


def prefixed(text: str) -> tuple[str, str]:
    """(prefix, date) of a search value; ``eq`` where it has none."""
    if text[:2].isalpha():
        return text[:2], text[2:]
    return "eq", text


def _range(found: re.Match[str]) -> Range:
    part = {k: v for k, v in found.groupdict().items() if v is not None}
    start = datetime(
        int(part["year"]),
        int(part.get("month", 1)),
        int(part.get("day", 1)),
        int(part.get("hour", 0)),
        int(part.get("minute", 0)),
        int(part.get("second", 0)),
        int(part.get("part", "0")[:6].ljust(6, "0")),
        _zone(part.get("zone")),
    )
    precision = sum(1 for field in _FIELDS if field in part)
    # The first and the last year have no UTC time everywhere; they are written to mean "ever".
    low = _EVER if start.year == 1 else start.astimezone(UTC)
    if start.year == _LAST:
        return Range(low, _NEVER)
    return Range(low, _after(start, precision, part.get("part")).astimezone(UTC))


def _zone(text: str | None) -> tzinfo:
    if text is None:
        return ZONE
    return datetime.strptime(text, "%z").tzinfo or UTC


def _after(start: datetime, precision: int, part: str | None) -> datetime:
    """The first moment that the date no longer stands for; months and days by the calendar."""
    if precision == 1:
        return start.replace(year=start.year + 1)
    if precision == 2:
        return (start.replace(day=1) + timedelta(days=32)).replace(day=1)
    if precision == 3:
        return start + timedelta(days=1)
    step = timedelta(minutes=1) if precision == 5 else timedelta(seconds=1)
    if part is not None:
        step = timedelta(microseconds=10 ** (6 - min(len(part), 6)))
    # Clock time jumps twice a year, what is shorter than a day does not.
    return start.astimezone(UTC) + step

"""Compares dates and times as FHIRPath does: only as far as both are precise."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

_PARTS: Final = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)?)?)?)?"
)


def not_after(start: str, end: str) -> bool | None:
    """``start <= end`` of two FHIR dates or dateTimes; None where their precision cannot tell.

    None as well for what is no date; that is found elsewhere.
    """
    first, second = _parts(start), _parts(end)
    if first is None or second is None:
        return None
    shared = min(len(first), len(second))
    if first[:shared] != second[:shared]:
        return first[:shared] < second[:shared]
    return True if len(first) == len(second) else None


def _parts(written: str) -> tuple[Decimal | int, ...] | None:
    """Year, month, day and the time of day in seconds, as far as given; in UTC with a time."""
    found = _PARTS.fullmatch(written)
    if found is None:
        return None
    numbers = [int(g) for g in found.groups()[:6] if g is not None]
    if len(numbers) < 6:
        return tuple(numbers)
    year, month, day, hour, minute, second = numbers
    try:
        # A leap second has no place in datetime; the seconds are counted apart.
        at = datetime(year, month, day, hour, minute, tzinfo=UTC) - _offset(found[8])
    except (ValueError, OverflowError):
        return None
    within = at.hour * 3600 + at.minute * 60 + second + Decimal(found[7] or 0)
    return at.year, at.month, at.day, within


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone == "Z":
        return timedelta()
    sign = -1 if zone.startswith("-") else 1
    return sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))

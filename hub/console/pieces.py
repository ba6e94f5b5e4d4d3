"""What a piece of a plan says, in the reader's language: its names and codes are FHIR's. Pure.

A line is ``name: value``, perhaps after a number (hub/model/wording.py). What people wrote is left
as it is, and so is a name that has no word here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from hub.console.render import DENMARK
from hub.console.words import known
from hub.fhir.language import Language

_LINE: Final = re.compile(r"(?P<number>\d+\. )?(?P<name>[A-Za-z-]+): (?P<value>.+)", re.DOTALL)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_DATES: Final[dict[Language, str]] = {"da": "%d.%m.%Y", "en": "%d %b %Y"}
_TIMES: Final[dict[Language, str]] = {"da": "%d.%m.%Y kl. %H.%M", "en": "%d %b %Y %H:%M"}


def told(language: Language, piece: str, lines: Sequence[str], *, text: bool) -> list[str]:
    """The lines for a reader. ``text``: the first is what a person wrote, as it is."""
    kept = list(lines[:1]) if text else []
    # A field of the plan itself has no name on its line.
    own = piece.rpartition("/")[2]
    return kept + [_line(language, own, line) for line in lines[len(kept) :]]


def in_words(language: Language, value: str) -> str:
    """A date or a moment as Danish clocks show it; anything else as it is."""
    return _value(language, "", value)


def apart(*texts: Sequence[str]) -> tuple[list[list[str]], list[str]]:
    """Each text without what all of them say, and that; a first line is always kept."""
    same = [x for x in texts[0][1:] if all(x in other[1:] for other in texts[1:])]
    return [[*t[:1], *(x for x in t[1:] if x not in same)] for t in texts], same


def _line(language: Language, own: str, line: str) -> str:
    found = _LINE.fullmatch(line)
    word = known(language, f"line.{found['name']}", "") if found else ""
    if not found or not word:
        return _value(language, own, line)
    return f"{found['number'] or ''}{word}: {_value(language, found['name'], found['value'])}"


def _value(language: Language, name: str, value: str) -> str:
    if name == "section":
        return known(language, f"section.{value}", value)
    try:
        if _DATE.fullmatch(value):
            return date.fromisoformat(value).strftime(_DATES[language])
        if _MOMENT.fullmatch(value):
            return datetime.fromisoformat(value).astimezone(DENMARK).strftime(_TIMES[language])
    except ValueError:
        return value  # No day of any calendar: shown as it was written.
    return known(language, f"coded.{name}.{value}", value)

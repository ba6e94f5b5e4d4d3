"""A table's values: text in the source, typed in FHIR."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from hub.errors import Invalid

TYPES = ("text", "integer", "boolean", "date")

_WHOLE = re.compile(r"[+-]?[0-9]+")
_DATE = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(T([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?"
    r"(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00))?"
    r"|[0-9]{4}(-(0[1-9]|1[0-2]))?"
)
"""FHIR R4 date and dateTime, https://hl7.org/fhir/R4/datatypes.html#dateTime."""


def typed(value: Any, kind: str, at: str) -> Any:
    """The FHIR value of a source value; raises Invalid with the place, never the value."""
    text = source_text(value)
    if kind == "integer":
        if not _WHOLE.fullmatch(text):
            raise Invalid("Not a whole number", at=at)
        return int(text)
    if kind == "boolean":
        if text not in {"true", "false", "1", "0"}:
            raise Invalid("Not true or false", at=at)
        return text in {"true", "1"}
    if kind == "date" and not _is_date(text):
        raise Invalid("Not a date, or a date and time with its offset", at=at)
    return text


def _is_date(text: str) -> bool:
    match = _DATE.fullmatch(text)
    if match is None:
        return False
    if match["day"] is None:
        return True
    try:
        date.fromisoformat(match["day"])
    except ValueError:
        return False
    return True


def source_text(value: Any) -> str:
    """A FHIR value as the source writes it: ``true`` and ``false``, otherwise as it is."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)

"""Whether a JSON value is one of a primitive type (R4 4.0.1 "Data Types").

The form is R4's own regex for the type. Beyond it: dates must exist in the calendar, numbers
must fit, and text must be free of control characters and within R4's size limit.
"""

from __future__ import annotations

import binascii
import re
from datetime import date
from decimal import Decimal
from typing import Any, Final

from hub.fhir.validation.tables import BaseTables

MAX_STRING: Final = 1024 * 1024
"""Characters; R4: "strings SHALL NOT exceed 1MB in size"."""

_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_WHOLE: Final = {
    "integer": (-(2**31), 2**31 - 1),
    "unsignedInt": (0, 2**31 - 1),
    "positiveInt": (1, 2**31 - 1),
}
_DATES: Final = frozenset({"date", "dateTime", "instant"})
_TEXTS: Final = frozenset({"string", "markdown", "code", "xhtml"})
_URIS: Final = frozenset({"uri", "url", "canonical"})
_URN: Final = {"urn:uuid:": "uuid", "urn:oid:": "oid"}

Problem = tuple[str, dict[str, object]]
"""A key of TEXTS with its facts."""


def problem(tables: BaseTables, kind: str, value: Any) -> Problem | None:
    """What is wrong with a value as a ``kind``; None if nothing is.

    ``value`` is a JSON value with numbers as int, float or Decimal. Never holds the value.
    """
    if kind == "boolean":
        return None if isinstance(value, bool) else _json(kind, "true/false")
    if kind in _WHOLE:
        return _whole(tables, kind, value)
    if kind == "decimal":
        return _decimal(value)
    if not isinstance(value, str):
        return _json(kind, "string")
    return _text(value, kind) or _lexical(tables, kind, value)


def _text(value: str, kind: str) -> Problem | None:
    if value == "":
        return "empty-string", {}
    if kind in _TEXTS and len(value) > MAX_STRING:
        return "too-long", {"max": MAX_STRING}
    return ("characters", {}) if kind in _TEXTS and _CONTROL.search(value) else None


def _lexical(tables: BaseTables, kind: str, value: str) -> Problem | None:
    if kind == "base64Binary":
        # R4's own regex backtracks without bound on a large value.
        return None if _base64(value) else _form(kind)
    form = tables.regex(kind)
    if form is not None and form.fullmatch(value) is None:
        return _form(kind)
    if kind in _DATES and not _exists(value):
        return "no-such-date", {}
    return _urn(tables, value) if kind in _URIS else None


def _json(kind: str, wanted: str) -> Problem:
    return "json-type", {"json": wanted, "type": kind}


def _form(kind: str) -> Problem:
    return "format", {"type": kind}


def _whole(tables: BaseTables, kind: str, value: Any) -> Problem | None:
    if not isinstance(value, int) or isinstance(value, bool):
        # 1.0 is no integer: R4 has no fraction in the lexical form.
        return _json(kind, "number")
    least, most = _WHOLE[kind]
    if not least <= value <= most:
        return "out-of-range", {"type": kind}
    form = tables.regex(kind)
    return None if form is None or form.fullmatch(str(value)) else _form(kind)


def _decimal(value: Any) -> Problem | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return _json("decimal", "number")
    # NaN and the infinities are no JSON, but a caller's own parser may have made them.
    endless = not isinstance(value, int) and not Decimal(value).is_finite()
    return _form("decimal") if endless else None


def _base64(value: str) -> bool:
    """R4's regex (groups of four, white space between them), and that it can be decoded."""
    pieces = value.split()
    if not pieces or any(len(piece) % 4 for piece in pieces):
        return False
    try:
        binascii.a2b_base64("".join(pieces), strict_mode=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _exists(value: str) -> bool:
    """A value of the right form names a day of the calendar; a month or year always does."""
    day = value[:10]
    if len(day) < 10:
        return True
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True


def _urn(tables: BaseTables, value: str) -> Problem | None:
    """A uuid or oid as a URI has the form of its own type (R4 uri: lower case)."""
    for start, kind in _URN.items():
        form = tables.regex(kind)
        if value.startswith(start) and form is not None and not form.fullmatch(value):
            return _form(kind)
    return None

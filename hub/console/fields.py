"""A posted form: read within bounds, and only with the token its page was given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl

from fastapi import Request

from hub.console.render import DENMARK
from hub.errors import Invalid, Malformed, TooLarge

LARGEST: Final = 32 * 1024
"""Bytes; the longest form here needs a fifth of it."""
MOST: Final = 500
"""Fields."""


@dataclass(frozen=True)
class Fields:
    """What was filled in. A field's text is trimmed; a missing one is empty."""

    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def one(self, name: str) -> str:
        """The field's text, or the empty string."""
        return self.values.get(name, ("",))[0].strip()

    def many(self, name: str) -> tuple[str, ...]:
        """Every ticked box of that name, in order."""
        return self.values.get(name, ())


async def posted(request: Request) -> Fields:
    """The form in the body; raises TooLarge or Malformed, never with a value in the text."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise TooLarge("The form is too large")
    found: dict[str, tuple[str, ...]] = {}
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST)
    except ValueError:
        # From None: the error could quote the body.
        raise Malformed("The form cannot be read") from None
    for name, value in pairs:
        # A browser sends every line end of a text area as CR LF, whatever was typed.
        found[name] = (*found.get(name, ()), value.replace("\r\n", "\n"))
    return Fields(found)


def moment(text: str, field_: str) -> datetime | None:
    """A time as a field sends it, as clocks in Denmark show it; None for none. Raises Invalid."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=DENMARK)
    except ValueError:
        raise Invalid("The time is not of the right form", at=field_) from None

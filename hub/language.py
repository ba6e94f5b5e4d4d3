"""Danish and English: which one a reader wants, and Danish for what the hub says in English.

Reasons, refusals and task texts are kept in English where they arise; ``said.json`` maps each to
Danish, with ids as ``{id}`` and numbers as ``{n}``.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import Final, Literal, cast, get_args

Language = Literal["da", "en"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)

_CHANGING: Final = re.compile(r"(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})|\d+")
"""What differs from one saying to the next: an id, or a number."""


@cache
def _said() -> dict[str, str]:
    text = (files("hub") / "said.json").read_text(encoding="utf-8")
    return cast(dict[str, str], json.loads(text))


def said(language: Language, sentence: str) -> str | None:
    """What the hub said, in this language; None if there is no translation."""
    if language == "en":
        return sentence
    if sentence in _said():
        return _said()[sentence]
    changing = [(m["id"] is not None, m[0]) for m in _CHANGING.finditer(sentence)]
    pattern = _CHANGING.sub(lambda m: "{id}" if m["id"] else "{n}", sentence)
    found = _said().get(pattern)
    if found is None:
        return None
    for is_id, value in changing:
        found = found.replace("{id}" if is_id else "{n}", value, 1)
    return found


def preferred(accept: str, default: Language) -> Language:
    """The first known of an ``Accept-Language`` header (RFC 9110, 12.5.4), else the default."""
    ranked = sorted(_accepted(accept), key=lambda found: -found[1])
    for tag, quality in ranked:
        short = tag.split("-")[0]
        if short in LANGUAGES and quality > 0:
            return short
    return default


def _accepted(header: str) -> list[tuple[str, float]]:
    found = []
    for part in header.lower().split(","):
        tag, _, rest = part.strip().partition(";")
        weight = rest.strip().removeprefix("q=")
        try:
            found.append((tag.strip(), float(weight) if weight else 1.0))
        except ValueError:
            found.append((tag.strip(), 0.0))
    return found

"""The console's words: one catalog per language, and Danish for what the hub itself says.

Keys are the same in both catalogs. Reasons and task texts are kept in English where they arise;
``said.json`` maps each to Danish, with ids as ``{id}`` and numbers as ``{n}``.
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
def catalog(language: Language) -> dict[str, str]:
    """Key to text."""
    return _read(f"{language}.json")


@cache
def _said() -> dict[str, str]:
    return _read("said.json")


def _read(name: str) -> dict[str, str]:
    text = (files("hub.console") / "words" / name).read_text(encoding="utf-8")
    return cast(dict[str, str], json.loads(text))


def word(language: Language, key: str, **values: object) -> str:
    """The text of a key; a missing key is a bug and raises KeyError."""
    return catalog(language)[key].format(**values) if values else catalog(language)[key]


def known(language: Language, key: str, default: str) -> str:
    """The text of a key that data made, such as a kind of party; else the data's own."""
    return catalog(language).get(key, default)


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


def choose(cookie: str | None, accept: str) -> Language:
    """The visitor's own choice, else the first known of ``Accept-Language``, else Danish."""
    if cookie in LANGUAGES:
        return cookie
    ranked = sorted(_accepted(accept), key=lambda found: -found[1])
    for tag, quality in ranked:
        short = tag.split("-")[0]
        if short in LANGUAGES and quality > 0:
            return short
    return "da"


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

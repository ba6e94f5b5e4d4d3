"""The console's words: one catalog per language, with the same keys."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import cast

from hub.fhir.language import LANGUAGES, Language, preferred


@cache
def catalog(language: Language) -> dict[str, str]:
    """Key to text."""
    return _read(f"{language}.json")


def _read(name: str) -> dict[str, str]:
    text = (files("hub.console") / "words" / name).read_text(encoding="utf-8")
    return cast(dict[str, str], json.loads(text))


def word(language: Language, key: str, **values: object) -> str:
    """The text of a key; a missing key is a bug and raises KeyError."""
    return catalog(language)[key].format(**values) if values else catalog(language)[key]


def known(language: Language, key: str, default: str) -> str:
    """The text of a key that data made, such as a kind of party; else the data's own."""
    return catalog(language).get(key, default)


def choose(cookie: str | None, accept: str) -> Language:
    """The visitor's own choice, else the first known of ``Accept-Language``, else Danish."""
    return cookie if cookie in LANGUAGES else preferred(accept, "da")

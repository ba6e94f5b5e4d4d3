"""Values into a page: every value escaped, every character one that HTML allows."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Page:
    """A page, and the characters that no page may hold."""

    body: bytes
    unshown: frozenset[str] = frozenset()
    """Each is shown as U+FFFD."""


def page(template: str, values: Mapping[str, Any]) -> Page:
    """The template filled in; equal values, equal bytes."""
    unshown = frozenset(c for text in _texts(values) for c in text if not _allowed(c))
    text = _environment().get_template(template).render(d=_shown(values))
    return Page(text.encode("utf-8"), unshown)


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield _lines(value)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _shown(value: Any) -> Any:
    """The same tree with every character that HTML does not allow replaced."""
    if isinstance(value, str):
        return "".join(c if _allowed(c) else REPLACEMENT for c in _lines(value))
    if isinstance(value, Mapping):
        return {k: _shown(v) for k, v in value.items()}
    return [_shown(v) for v in value] if isinstance(value, list) else value


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _allowed(char: str) -> bool:
    """HTML, 13.2.3.5: no controls but tab and line feed, no surrogates, no noncharacters."""
    if char in "\t\n":
        return True
    code = ord(char)
    noncharacter = 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE
    return not noncharacter and unicodedata.category(char) not in {"Cc", "Cs"}

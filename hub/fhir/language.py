"""Danish and English: which one a reader wants, and Danish for what the hub says in English.

Reasons, refusals and task texts are kept in English where they arise; ``said.json`` maps each to
Danish. What differs from one saying to the next is a hole: ``{id}``, ``{n}`` (a number),
``{codes}`` (a list, to the end), ``{type}``, ``{path}`` and ``{format}``; both texts have them
in the same order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Final, Literal, cast, get_args

Language = Literal["da", "en"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)

_HOLES: Final = {
    "id": r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "n": r"\d+",
    "codes": r".+",
    "type": r"\w+",
    "path": r"[\w.]+",
    "format": r"[a-z0-9-]+",
}
_HOLE: Final = re.compile(r"\{(" + "|".join(_HOLES) + r")\}")


@cache
def _said() -> dict[str, str]:
    text = (files("hub.fhir") / "said.json").read_text(encoding="utf-8")
    return cast(dict[str, str], json.loads(text))


def said(language: Language, sentence: str) -> str | None:
    """What the hub said, in this language; None if there is no translation."""
    if language == "en":
        return sentence
    if sentence in _said():
        return _said()[sentence]
    for pattern, danish in _patterns():
        found = pattern.fullmatch(sentence)
        if found is not None:
            return _filled(danish, found.groups())
    return _with_its_cause(language, sentence)


def _with_its_cause(language: Language, sentence: str) -> str | None:
    """Two sentences in one: what became of it, and why in parentheses at its end."""
    what, found, why = sentence.removesuffix(")").rpartition(" (")
    if not found or not sentence.endswith(")"):
        return None
    both = (said(language, what), said(language, why))
    return f"{both[0]} ({both[1]})" if None not in both else None


def _filled(text: str, values: Sequence[str]) -> str:
    left = iter(values)
    return _HOLE.sub(lambda _: next(left), text)


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """The sentences with holes."""
    return tuple(
        (re.compile(_with_groups(english)), danish)
        for english, danish in _said().items()
        if _HOLE.search(english)
    )


def _with_groups(english: str) -> str:
    parts = _HOLE.split(english)
    # Of the parts, every second one is a hole's name.
    return "".join(f"({_HOLES[p]})" if i % 2 else re.escape(p) for i, p in enumerate(parts))


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

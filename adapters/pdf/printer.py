"""The printer: values in, a tagged PDF/UA-1 in Danish out; pure and repeatable.

Values reach the templates as one JSON string (``sys.inputs``), so that nothing in a plan is
ever read as markup. Only the fonts inside the typst package are used: the same bytes on every
machine.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import typst

from adapters.pdf.content import content, printed_at
from hub.contract import Notice, PlanView
from hub.errors import CannotRender

FOLDER = Path(str(files(__package__)))
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
MAX_REPLACED = 200
"""Distinct characters without a glyph; a text with more is in a script no font here has."""

_UNPRINTABLE = re.compile(r'the text(?: contains the disallowed codepoint)? `"(.+?)"`')
_LONG_WORD = re.compile(r"[^\s/-]{32,}")
_PIECE = re.compile(r".{1,16}")
_BREAK = "\N{ZERO WIDTH SPACE}"
_ESCAPE = re.compile(r"\\u\{([0-9a-fA-F]+)\}")


@dataclass(frozen=True)
class Printed:
    """A PDF, and the characters that no font could print."""

    body: bytes
    unprintable: frozenset[str] = frozenset()
    """Each is printed as U+FFFD."""


class TypstPrinter:
    """Prints with typst; implements :class:`hub.contract.Printer`."""

    def plan(self, view: PlanView, *, now: datetime) -> bytes:
        """A tagged PDF/UA-1; the view's audience decides which version.

        Raises CannotRender for a code without a Danish word, or a script without a font.
        """
        return self.printed(view, now=now).body

    def printed(self, view: PlanView, *, now: datetime) -> Printed:
        """As :meth:`plan`, and which characters were replaced."""
        template = "citizen.typ" if view.audience == "citizen" else "plan.typ"
        return _print(template, content(view, now), now)

    def notice(self, notice: Notice, *, now: datetime) -> Printed:
        """A notice about a plan on one page."""
        values = {"plan_id": notice.plan_id, "text": notice.text, "printed": printed_at(now)}
        return _print("notice.typ", values, now)


PRINTER = TypstPrinter()


def _print(template: str, values: dict[str, Any], now: datetime) -> Printed:
    data = json.dumps(_printable(values), ensure_ascii=False)
    replaced: set[str] = set()
    while len(replaced) <= MAX_REPLACED:
        made = _attempt(template, data, now)
        if isinstance(made, bytes):
            return Printed(made, frozenset(replaced))
        if not made - replaced:
            break
        replaced |= made
        data = data.translate({ord(c): REPLACEMENT for c in made})
    raise CannotRender("The plan cannot be typeset; see its characters")


def _attempt(template: str, data: str, now: datetime) -> bytes | set[str]:
    """The document, or the characters no font has (none: another fault).

    The compiler's error quotes the text it stumbled on, so it goes no further than here.
    """
    try:
        return _compile(template, data, now)
    except typst.TypstError as e:
        return _unprintable(e.diagnostic)


def _compile(template: str, data: str, now: datetime) -> bytes:
    made = typst.compile(
        FOLDER / template,
        root=FOLDER,
        sys_inputs={"data": data},
        ignore_system_fonts=True,
        format="pdf",
        pdf_standards="ua-1",
        timestamp=int(now.timestamp()),
    )
    if not isinstance(made, bytes):
        raise CannotRender("The typesetter gave no document")
    return made


def _unprintable(message: str) -> set[str]:
    found = "".join(_UNPRINTABLE.findall(message))
    clusters = _ESCAPE.sub(lambda m: chr(int(m[1], 16)), found)
    # A cluster may be a common letter with an odd mark on it; the letter is not at fault.
    return {c for c in clusters if ord(c) > 0xFF}


def _printable(value: Any) -> Any:
    """The same tree with every text fit for paper."""
    if isinstance(value, str):
        return _fit(value)
    if isinstance(value, dict):
        return {k: _printable(v) for k, v in value.items()}
    return [_printable(v) for v in value] if isinstance(value, list) else value


def _fit(text: str) -> str:
    """Without characters that have no shape; very long words get places to break.

    Line breaks stay. Control, unassigned and byte-order characters are refused by PDF/UA.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    seen = "".join(c for c in text if c == "\n" or not _shapeless(c))
    return _LONG_WORD.sub(lambda word: _BREAK.join(_PIECE.findall(word[0])), seen)


def _shapeless(char: str) -> bool:
    return unicodedata.category(char) in {"Cc", "Cn", "Cs"} or char == "\ufeff"

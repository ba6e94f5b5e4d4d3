"""Bytes to values and back, safe against hostile input.

JSON: duplicate keys, NaN and deep nesting are refused; decimals keep their lexeme (parsed as
:class:`Lexeme`, written as they were). XML: no DOCTYPE, no entities, no network, bounded depth.
"""

from __future__ import annotations

import json
import re
from contextvars import ContextVar
from decimal import Decimal
from typing import Any, Final, NoReturn, Self

import simplejson
from lxml import etree

from hub.errors import Malformed, TooLarge

MAX_DEPTH = 64
"""FHIR's own examples stay below 20 levels."""
MAX_PARTS = 500_000
"""Elements of a document. A plan has some thousand; each costs a parser some 100 bytes, so that
32 MB of nothing but small ones would cost more than a gigabyte."""
MAX_ATTRIBUTES = 64
"""Of one XML element. A schema's check of an element takes the square of their number."""

LONGEST_NUMBER = 64
"""Characters of a number; R4's own decimals have 18 digits."""
MAX_EXPONENT = 400
"""Powers of ten; more than a double has. ``1e999999999`` as a whole number fills any memory."""

# R4 "string", 2.24.0.1: no control characters but tab and line ends; XML has no U+FFFE, U+FFFF.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPE = re.compile(r"\\[ubf]")
"""How JSON can write a character that is not there as itself, among them the forbidden ones."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("A JSON object has the same key twice; send each key once")
    return found


def _no_constant(_: str) -> NoReturn:
    raise Malformed("NaN and Infinity are not JSON; leave the element out")


class Lexeme(Decimal):
    """A decimal that is written as it was: ``1.50``, ``1e-7``, ``-0``."""

    __slots__ = ("_text",)
    _text: str

    def __new__(cls, text: str) -> Self:
        """Of a JSON number."""
        made = super().__new__(cls, text)
        made._text = text
        return made

    def __str__(self) -> str:
        return self._text

    def __deepcopy__(self, _: object) -> Self:
        return self


def decimal(text: str) -> Decimal:
    """A JSON number with its lexeme; raises TooLarge for one that is too long or too large."""
    found = Lexeme(text) if len(text) <= LONGEST_NUMBER else None
    if found is None or abs(found.adjusted()) > MAX_EXPONENT:
        raise TooLarge(
            f"A number has more than {LONGEST_NUMBER} characters, or an exponent beyond "
            f"{MAX_EXPONENT}; send the value that is meant"
        )
    return found


def _whole(text: str) -> int | Decimal:
    found = decimal(text)
    return found if text == "-0" else int(found)


def parse_json(body: bytes) -> dict[str, Any]:
    """A JSON object; raises Malformed or TooLarge, never with a value in the text."""
    _few(body, b"{", b"[", b",")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as e:
        raise Malformed(f"Not UTF-8 at byte {e.start}; FHIR JSON is UTF-8") from None
    try:
        found = json.loads(
            text,
            parse_float=decimal,
            parse_int=_whole,
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
        )
    except json.JSONDecodeError as e:
        raise Malformed(f"Not JSON at line {e.lineno}, column {e.colno}") from None
    except RecursionError:
        raise TooLarge(f"Nested deeper than {MAX_DEPTH} levels; send a FHIR resource") from None
    if not isinstance(found, dict):
        raise Malformed("The document is JSON but not an object; send a FHIR resource")
    _bounded(found)
    if _ESCAPE.search(text) or _FORBIDDEN.search(text):
        _clean(found)
    return found


_KEPT = json.JSONDecoder(parse_float=decimal, parse_int=_whole)


def parse_kept(text: str) -> dict[str, Any]:
    """What :func:`dump_json` made of values that were checked when they came in, with the same
    lexemes: four times as fast without asking again what a stranger may have sent."""
    found: dict[str, Any] = _KEPT.decode(text)
    return found


def _few(body: bytes, *signs: bytes, most: int = MAX_PARTS) -> None:
    """Counted before anything is parsed; a sign in a text counts too."""
    if sum(body.count(sign) for sign in signs) > most:
        raise TooLarge(f"More than {most} elements; send one plan in each document")


def _bounded(value: Any) -> None:
    around = [value]
    for _ in range(MAX_DEPTH - 1):
        around = [
            inner
            for item in around
            for inner in (item.values() if isinstance(item, dict) else item)
            if isinstance(inner, dict | list)
        ]
    if any(around):
        raise TooLarge(f"Nested deeper than {MAX_DEPTH} levels; send a FHIR resource")


def _clean(value: Any) -> None:
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            if _FORBIDDEN.search(item):
                raise Malformed(
                    "A text has a character that FHIR forbids (R4 string); leave it out"
                )
        elif isinstance(item, dict):
            todo.extend(item.values())
            todo.extend(item)
        elif isinstance(item, list):
            todo.extend(item)


# Making an encoder takes longer than writing a small value with it.
_COMPACT, _SORTED = (
    simplejson.JSONEncoder(
        use_decimal=True, ensure_ascii=False, separators=(",", ":"), sort_keys=sort_keys
    )
    for sort_keys in (False, True)
)


watched: Final[ContextVar[list[tuple[Any, bytes]] | None]] = ContextVar("watched", default=None)
"""Whoever wants to know what was written as JSON puts a list here."""


def dump_json(value: Any, *, indent: int | None = None, sort_keys: bool = False) -> bytes:
    """Compact UTF-8 JSON, key order kept unless sorted, decimals as they were written."""
    if indent is None:
        written = (_SORTED if sort_keys else _COMPACT).encode(value).encode("utf-8")
        if (watching := watched.get()) is not None:
            watching.append((value, written))
        return written
    text = simplejson.dumps(
        value,
        use_decimal=True,
        ensure_ascii=False,
        separators=(",", ": "),
        indent=indent,
        sort_keys=sort_keys,
    )
    return text.encode("utf-8")


def parse_xml(body: bytes, *, parts: int = MAX_PARTS) -> etree._Element:
    """The root element; raises Malformed or TooLarge, never with a value in the text.

    ``parts`` bounds the tags, for a reader that needs more than time in proportion to them.
    """
    if b"<!DOCTYPE" in body[:65536] or b"<!ENTITY" in body:
        raise Malformed("The document has a DOCTYPE; send it without DTD and entities")
    _few(body, b"<", most=parts)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as e:
        line = e.lineno or 0
        if "depth" in (e.msg or "").lower():
            raise TooLarge(f"Nested too deep at line {line}") from None
        raise Malformed(f"Not well-formed XML at line {line}, in the declared encoding") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise Malformed("The document has a DOCTYPE; send it without DTD and entities")
    if any(len(element.attrib) > MAX_ATTRIBUTES for element in root.iter()):
        raise TooLarge(f"An element has more than {MAX_ATTRIBUTES} attributes")
    return root

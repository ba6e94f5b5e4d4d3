"""Markdown pages as these tests read them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
_MARKDOWN = MarkdownIt("commonmark").enable("table")


def every_page() -> list[Path]:
    """README, changelog, and everything in docs/ and deploy/."""
    found = [ROOT / "README.md", ROOT / "CHANGELOG.md"]
    return found + [p for d in ("docs", "deploy") for p in sorted((ROOT / d).rglob("*.md"))]


def tokens(page: Path) -> Iterator[Token]:
    """Every token, those inside lines too."""
    for token in _MARKDOWN.parse(page.read_text("utf-8")):
        yield token
        yield from token.children or ()


def links(page: Path) -> list[str]:
    """Where links and images lead."""
    found = [t.attrGet("href") if t.type == "link_open" else t.attrGet("src") for t in tokens(page)]
    return [str(target) for target in found if target is not None]


def fences(page: Path, language: str) -> list[str]:
    """The code blocks of a language, in order."""
    return [t.content for t in tokens(page) if t.type == "fence" and t.info.strip() == language]


def headings(page: Path) -> dict[str, str]:
    """Anchor to heading, as GitHub makes anchors."""
    found, opened = {}, False
    for token in _MARKDOWN.parse(page.read_text("utf-8")):
        if opened and token.type == "inline":
            plain = re.sub(r"[`*]", "", token.content)
            found[_anchor(plain)] = plain
        opened = token.type == "heading_open"
    return found


def _anchor(heading: str) -> str:
    kept = (c for c in heading.lower() if c in " -_" or unicodedata.category(c)[0] in "LN")
    return "".join(kept).replace(" ", "-")


def code_spans(page: Path) -> list[str]:
    """Everything set in backticks inside lines."""
    return [t.content for t in tokens(page) if t.type == "code_inline"]


def first_cells(page: Path) -> list[str]:
    """The first cell of every table row, as written."""
    found, first = [], False
    for token in _MARKDOWN.parse(page.read_text("utf-8")):
        if token.type == "tr_open":
            first = True
        elif token.type == "inline" and first:
            found.append(token.content)
            first = False
    return found


def section(page: Path, heading: str) -> str:
    """The text under a heading of the second level, up to the next one."""
    text = page.read_text("utf-8")
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    assert found is not None, f"{page.name} has no section {heading}"
    return found[1]

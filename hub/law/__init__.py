"""Statutes as data: what the law lets the hub keep and disclose. See docs/legal-basis.md."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from hub.law.reading import read_statutes
from hub.law.statute import Statute, Statutes

__all__ = ["FILE", "Statute", "Statutes", "statutes"]

FILE = Path(__file__).with_name("statutes.yaml")


@cache
def statutes() -> Statutes:
    """The statutes in the project's own file, read once."""
    return read_statutes(FILE.read_text("utf-8"), name=FILE.name)

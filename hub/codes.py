"""Pairs of codes, and a party's own ones. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True)
class CodePair:
    """One row of a code table: columns of a FHIR ConceptMap."""

    source_system: str
    source_code: str
    source_display: str
    target_system: str
    target_code: str
    target_display: str
    equivalence: str
    """From source to target, as in R4: equal, equivalent, wider, narrower, inexact."""
    comment: str
    line: int = field(default=0, compare=False)
    """Where it stands in its file, from 1."""
    origin: str = field(default="shared", compare=False)
    """``shared``, or ``local`` for a party's own."""

    @property
    def lossless(self) -> bool:
        """Nothing is lost from source to target."""
        return self.equivalence in {"equal", "equivalent"}

    @property
    def coding(self) -> dict[str, str]:
        """The target as a FHIR Coding; what the table leaves empty is left out."""
        parts = {
            "system": self.target_system,
            "code": self.target_code,
            "display": self.target_display,
        }
        return {name: value for name, value in parts.items() if value}


@dataclass(frozen=True, eq=False)
class LocalCodes:
    """A party's own codes in one format: they lie over the format's shared code tables.

    One object for a party and format as long as the process lives: tables are kept by it.
    """

    tables: Mapping[str, tuple[CodePair, ...]]
    """By the shared table's name, such as ``effort-type``; its pairs come first."""

    @cached_property
    def codes(self) -> frozenset[str]:
        """Every code that the party itself writes."""
        return frozenset(p.source_code for pairs in self.tables.values() for p in pairs)

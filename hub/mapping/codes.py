"""Code tables: CSV with the columns of a FHIR ConceptMap, one row a pair of codes.

Columns: source_system, source_code, source_display, target_system, target_code,
target_display, equivalence (R4: equal, equivalent, wider, narrower, inexact), comment.
A ``wider`` or ``inexact`` pair is a coarsening and is reported as a loss.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from hub.errors import Misconfigured, UnknownCode

_COLUMNS = (
    "source_system",
    "source_code",
    "source_display",
    "target_system",
    "target_code",
    "target_display",
    "equivalence",
    "comment",
)
_EQUIVALENCES = {"equal", "equivalent", "wider", "narrower", "inexact"}


@dataclass(frozen=True)
class Pair:
    """One row of a code table."""

    source_system: str
    source_code: str
    source_display: str
    target_system: str
    target_code: str
    target_display: str
    equivalence: str
    comment: str

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


@dataclass(frozen=True)
class CodeTable:
    """A two-way code table; an unknown code is refused, never guessed."""

    name: str
    pairs: tuple[Pair, ...]

    @classmethod
    def load(cls, file: Path) -> CodeTable:
        """Read a CSV file; raises Misconfigured when it is not such a table."""
        with file.open(encoding="utf-8", newline="") as lines:
            rows = csv.DictReader(lines)
            if set(rows.fieldnames or ()) != set(_COLUMNS):
                raise Misconfigured(f"{file.name}: the columns are {', '.join(_COLUMNS)}")
            found = tuple(cls._pair(file, number, row) for number, row in enumerate(rows, 2))
        return cls(file.stem, found)

    @classmethod
    def _pair(cls, file: Path, line: int, row: dict[str, str]) -> Pair:
        # DictReader puts surplus cells under the key None and fills short rows with None.
        if any(key is None or value is None for key, value in row.items()):
            raise Misconfigured(f"{file.name}, line {line}: not {len(_COLUMNS)} cells")
        if row["equivalence"] not in _EQUIVALENCES:
            allowed = ", ".join(sorted(_EQUIVALENCES))
            raise Misconfigured(f"{file.name}, line {line}: equivalence is one of {allowed}")
        return Pair(**row)

    @cached_property
    def _forward(self) -> dict[tuple[str, str], Pair]:
        return {(p.source_system, p.source_code): p for p in reversed(self.pairs)}

    @cached_property
    def _backward(self) -> dict[tuple[str, str], Pair]:
        return {(p.target_system, p.target_code): p for p in reversed(self.pairs)}

    def forward(self, code: str, *, system: str = "", at: str) -> Pair:
        """The pair for a source code; raises UnknownCode naming the place, not the value."""
        return self._find(self._forward, system, code, at)

    def backward(self, code: str, *, system: str = "", at: str) -> Pair:
        """The pair for a target code."""
        return self._find(self._backward, system, code, at)

    def _find(self, index: dict[tuple[str, str], Pair], system: str, code: str, at: str) -> Pair:
        found = index.get((system, code))
        if found is None:
            raise UnknownCode(f"The code is not in the table {self.name}; use a listed code", at=at)
        return found

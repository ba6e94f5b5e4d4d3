"""Code tables: CSV with the columns of a FHIR ConceptMap, one row a pair of codes.

Columns: source_system, source_code, source_display, target_system, target_code,
target_display, equivalence (R4: equal, equivalent, wider, narrower, inexact), comment.
A ``wider`` or ``inexact`` pair is a coarsening and is reported as a loss.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

from hub.codes import CodePair
from hub.errors import UnknownCode
from hub.mapping.findings import Finding, refuse
from hub.mapping.trace import translated

COLUMNS: Final = (
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
class CodeTable:
    """A two-way code table; an unknown code is refused, never guessed.

    Where several pairs have one code, the first is the one that counts.
    """

    name: str
    pairs: tuple[CodePair, ...]
    file: Path | None = None

    @classmethod
    def load(cls, file: Path) -> CodeTable:
        """Read a CSV file; raises Misconfigured when it is not such a table."""
        found, findings = read_codes(file)
        refuse(findings)
        return found

    @property
    def place(self) -> str:
        """``folder/codes/name.csv``, as people speak of it."""
        folder = f"{self.file.parent.parent.name}/codes/" if self.file is not None else ""
        return f"{folder}{self.name}.csv"

    @cached_property
    def _forward(self) -> dict[tuple[str, str], CodePair]:
        return {(p.source_system, p.source_code): p for p in reversed(self.pairs)}

    @cached_property
    def _backward(self) -> dict[tuple[str, str], CodePair]:
        return {(p.target_system, p.target_code): p for p in reversed(self.pairs)}

    def forward(self, code: str, *, system: str = "", at: str) -> CodePair:
        """The pair for a source code; raises UnknownCode naming the place, not the value."""
        return self._find(self._forward, system, code, at)

    def backward(self, code: str, *, system: str = "", at: str) -> CodePair:
        """The pair for a target code."""
        pair = self._find(self._backward, system, code, at)
        written = translated(pair.source_code, code, f"{self.place}:{pair.line}")
        return pair if written is pair.source_code else replace(pair, source_code=written)

    def unused(self) -> Iterator[tuple[CodePair, CodePair]]:
        """Pairs that no code leads to in either direction, each with the one before it."""
        for pair in self.pairs:
            first = self._forward[(pair.source_system, pair.source_code)]
            back = self._backward[(pair.target_system, pair.target_code)]
            if first is not pair and back is not pair:
                yield pair, first

    def _find(
        self, index: dict[tuple[str, str], CodePair], system: str, code: str, at: str
    ) -> CodePair:
        found = index.get((system, code))
        if found is None:
            raise UnknownCode(f"The code is not in the table {self.name}; use a listed code", at=at)
        return found


def is_code_table(file: Path) -> bool:
    """It has the columns of a ConceptMap; other lists of codes are their adapter's own."""
    return set(_header(file)) == set(COLUMNS)


def listed_codes(file: Path) -> frozenset[str]:
    """The column ``code`` of another list of codes; empty where it has none."""
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return frozenset(row["code"] for row in csv.DictReader(lines) if row.get("code"))


def read_codes(file: Path) -> tuple[CodeTable, list[Finding]]:
    """What can be read of a CSV file, and what is wrong with the rest."""
    if set(_header(file)) != set(COLUMNS):
        told = f"the columns are {', '.join(COLUMNS)}"
        return CodeTable(file.stem, (), file), [Finding(file, 1, "form", told)]
    pairs, findings = [], []
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.DictReader(lines)
        for row in rows:
            wrong = _wrong(row)
            if wrong:
                findings.append(Finding(file, rows.line_num, "form", wrong))
            else:
                pairs.append(CodePair(**row, line=rows.line_num))
    return CodeTable(file.stem, tuple(pairs), file), findings


def _header(file: Path) -> list[str]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            return next(csv.reader(lines), [])
    except UnicodeDecodeError:
        return []


def _wrong(row: dict[str, str]) -> str | None:
    # DictReader puts surplus cells under the key None and fills short rows with None.
    if any(key is None or value is None for key, value in row.items()):
        return f"not {len(COLUMNS)} cells"
    if row["equivalence"] not in _EQUIVALENCES:
        return f"equivalence is one of {', '.join(sorted(_EQUIVALENCES))}"
    if not row["source_code"] or not row["target_code"]:
        return "a pair has a source_code and a target_code"
    return None

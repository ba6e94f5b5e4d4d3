"""A mapping table: rows ``from`` a source path ``to`` a FHIR path, read both ways.

A table file (YAML)::

    resource: Goal                      # what `to:` starts with; Type/element for a part of one
    record: GoalType                    # what one record is in the document's schema; or a list
    profile: https://…/KiGoal           # what `to` is held to, if not the profile in `fixed`
    part: extension[url=convener]       # the record's place in that profile, if not its root
    names: {rank: https://…/ki-rank}    # what @rank stands for in a path or a fixed value
    fixed:
      - to: Goal/lifecycleStatus        # what every such resource says; never read back
        value: active
    rows:
      - from: Maal/Tekst
        to: Goal/description/text
        cardinality: 1..1               # 0..1 when absent; 1..* or 0..* with [*] in `from`
        codes: severity                 # a CSV beside it, in codes/; other/severity: in a
                                        # folder beside this one
        coding: true                    # `to` is the whole Coding: system, code and display
        type: integer                   # text (default), integer, boolean, date (or dateTime)
        with: {Goal/use: official}      # fixed values that stand beside this one
        direction: both                 # both (default), in, out; needs a note if not both
        note: why, where it is not obvious
    not_shared:
      - from: Maal/Internt
        reason: why it never leaves
    elsewhere:
      - from: Maal/Delmaal
        by: delmaal.yaml                # a table, a code table (codes/x.csv), a function
                                        # (module.function of the adapter's package), or a list
        reason: what for, in words

Path grammar: :mod:`hub.mapping.paths`.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from hub.codes import CodePair, LocalCodes
from hub.contract import Loss, LossKind
from hub.errors import Invalid
from hub.mapping.codes import CodeTable
from hub.mapping.findings import refuse
from hub.mapping.loading import TableFile
from hub.mapping.paths import at_index, counted_from, find, leaves, put, without_indices
from hub.mapping.trace import Origin, Recorder, recorder
from hub.mapping.values import source_text, typed

_NO_PLACE = "no place in the shared plan"


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    source: str
    target: str
    required: bool = False
    codes: CodeTable | None = None
    type: Literal["text", "integer", "boolean", "date"] = "text"
    direction: Literal["both", "in", "out"] = "both"
    note: str = ""
    coding: bool = False
    """The target is the whole Coding, not only its code."""
    beside: tuple[tuple[str, Any], ...] = ()
    """Fixed values written together with this one, by target path."""
    line: int = 0
    """Where it stands in its file, from 1."""
    to_line: int = 0
    """Where its target does."""
    with_line: int = 0
    """Where what stands beside it does."""


@dataclass(frozen=True)
class Table:
    """One resource's mapping."""

    resource: str
    rows: tuple[Row, ...]
    not_shared: Mapping[str, str] = field(default_factory=dict)
    """Source path to the reason it stays where it is."""
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    """Source path to what else reads it, and where that is said; neither mapped here nor a loss."""
    fixed: tuple[tuple[str, Any], ...] = ()
    """What every such resource says, by target path."""
    name: str = ""
    """``folder/file.yaml``."""
    fixed_lines: tuple[int, ...] = ()

    def keeping_back(self, own: LocalCodes | None) -> Table:
        """The table for a party that does not share some of what its rows share."""
        more = own.not_shared.get(self.name, {}) if own is not None else {}
        if not more:
            return self
        plain = (without_indices(r.source).replace("[*]", "") for r in self.rows)
        kept = tuple(
            row
            for row, source in zip(self.rows, plain, strict=True)
            if row.direction == "out" or _reason(source, more) is None
        )
        return replace(self, rows=kept, not_shared={**more, **self.not_shared})

    def forward(
        self, record: Mapping[str, Any], *, at: str = "", first: int = 0
    ) -> tuple[dict[str, Any], list[Loss], list[Loss]]:
        """Source record to resource, with losses and with what is declared not shared.

        ``at`` is the record's own path in the document and stands before every reported path;
        ``first`` is the number of a list's first member there (0, or 1 for XPath). Every leaf
        is mapped, not shared, read elsewhere, or a loss. Raises Invalid for a missing required
        value or one of the wrong type, and UnknownCode for a code in no table.
        """
        made: dict[str, Any] = {} if "/" in self.resource else {"resourceType": self.resource}
        trace = recorder()
        if trace is not None:
            trace.visit(at, self.elsewhere)
        for number, (target, value) in enumerate(self.fixed):
            written = put(made, self._inside(target), deepcopy(value))
            if trace is not None:
                origin = Origin("fixed", self.name, self.fixed_lines[number])
                trace.note(written, origin)
                trace.note_keys(made, self._inside(target), origin)
        losses: list[Loss] = []
        read: set[str] = set()
        for row in self.rows:
            if row.direction == "out":
                continue
            found = list(find(record, row.source))
            read.update(place for place, _ in found)
            told = [(_place(at, p, first), v) for p, v in found if _says_something(v)]
            if row.required and not told:
                raise Invalid(
                    "A required element is missing or empty", at=_place(at, row.source, first)
                )
            for number, (place, value) in enumerate(told):
                losses += self._write(made, row, number, value, place, trace)
        unmapped, kept_back = self._rest(record, read, at, first)
        return made, losses + unmapped, kept_back

    def backward(self, resource: Mapping[str, Any]) -> tuple[dict[str, Any], list[Loss]]:
        """Resource to source record, with losses for codes the other side does not have.

        A loss is named by its FHIR path. Raises UnknownCode for a code in no table.
        """
        made: dict[str, Any] = {}
        losses: list[Loss] = []
        trace = recorder()
        for row in self.rows:
            if row.direction == "in":
                continue
            for number, (_, value) in enumerate(find(resource, self._inside(row.target))):
                written, codes = value, ""
                if row.codes is not None:
                    pair = self._pair(row, row.codes, value)
                    losses += _coarser(row, pair)
                    written, codes = pair.source_code, f"{row.codes.place}:{pair.line}"
                where = put(made, at_index(row.source, number), source_text(written))
                if trace is not None:
                    trace.note(where, self._written_from(row, value, codes))
        return made, losses

    def _written_from(self, row: Row, value: Any, codes: str) -> Origin:
        code = value.get("code") if isinstance(value, Mapping) else value
        read = getattr(code, "origin", None)
        if not isinstance(read, Origin):
            return Origin("row", self.name, row.line, row.target, codes)
        return Origin("row", self.name, row.line, read.source, codes, earlier=read.earlier)

    def _pair(self, row: Row, codes: CodeTable, value: Any) -> CodePair:
        if not row.coding:
            return codes.backward(str(value), at=row.target)
        coding = value if isinstance(value, Mapping) else {}
        system, code = str(coding.get("system", "")), str(coding.get("code", ""))
        return codes.backward(code, system=system, at=row.target)

    def _inside(self, target: str) -> str:
        return target.removeprefix(f"{self.resource}/")

    def _write(
        self,
        made: dict[str, Any],
        row: Row,
        number: int,
        value: Any,
        place: str,
        trace: Recorder | None,
    ) -> list[Loss]:
        losses = []
        written: Any
        codes = ""
        if row.codes is None:
            written = typed(value, row.type, place)
        else:
            pair = row.codes.forward(str(value), at=place)
            codes = f"{row.codes.place}:{pair.line}" if trace else ""
            if not pair.lossless:
                losses.append(Loss(place, "coarsened", pair.comment or "nearest wider code"))
            written = pair.coding if row.coding else pair.target_code
        values = [(row.target, written), *((t, deepcopy(v)) for t, v in row.beside)]
        for target, one in values:
            where = put(made, at_index(self._inside(target), number), one)
            if trace is not None:
                origin = Origin("row", self.name, row.line, place, codes)
                trace.note(where, origin)
                trace.note_keys(made, at_index(self._inside(target), number), origin)
        return losses

    def _rest(
        self, record: Mapping[str, Any], read: set[str], at: str, first: int
    ) -> tuple[list[Loss], list[Loss]]:
        losses, kept_back = [], []
        for path, _ in leaves(record):
            plain = without_indices(path)
            if path in read or _reason(plain, self.elsewhere) is not None:
                continue
            reason = _reason(plain, self.not_shared)
            place = _place(at, path, first)
            if reason is not None:
                kept_back.append(Loss(place, "dropped", reason))
            else:
                losses.append(Loss(place, "dropped", _NO_PLACE))
        return losses, kept_back


def _coarser(row: Row, pair: CodePair) -> list[Loss]:
    """What is lost from the FHIR code to the source's: a wider one is narrowed by assumption."""
    if pair.lossless:
        return []
    kind: LossKind = "defaulted" if pair.equivalence == "wider" else "coarsened"
    return [Loss(row.target, kind, pair.comment or "nearest code")]


def _says_something(value: Any) -> bool:
    return value != "" and not isinstance(value, Mapping | list)


def _place(at: str, path: str, first: int) -> str:
    inside = counted_from(path, first)
    return f"{at}/{inside}" if at else inside


def _reason(path: str, declared: Mapping[str, str]) -> str | None:
    return next(
        (why for top, why in declared.items() if path == top or path.startswith(f"{top}/")), None
    )


@lru_cache(maxsize=128)
def load_table(file: Path) -> Table:
    """Read and check one table file; raises Misconfigured naming file and line."""
    found = TableFile.read(file)
    refuse(found.findings)
    return Table(
        resource=found.resource,
        rows=tuple(Row(**fields) for fields in found.rows),
        not_shared={d.source: d.reason for d in found.not_shared},
        elsewhere={d.source: d.told(file) for d in found.elsewhere},
        fixed=tuple(found.fixed),
        name=f"{file.parent.name}/{file.name}",
        fixed_lines=tuple(found.fixed_lines),
    )

"""One table held to its profile and to its documents' schema."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub.codes import CodePair
from hub.fhir.validation import Profiles
from hub.mapping.findings import Finding, Kind
from hub.mapping.loading import TableFile
from hub.mapping.paths import parse_path
from hub.mapping.sources import Elements, Way, types_below, uncovered, way
from hub.mapping.targets import (
    Target,
    Targets,
    Unreachable,
    outside,
    type_problem,
    value_problem,
)

Row = Mapping[str, Any]
_CODE: Final = "Coding"


@dataclass(frozen=True)
class TableCheck:
    """Everything that is wrong with a table that can be read."""

    table: TableFile
    profiles: Profiles

    def finding(self, line: int, kind: Kind, text: str) -> Finding:
        """One in this file."""
        return Finding(self.table.file, line, kind, text)

    def meaning(self) -> Iterator[Finding]:
        """What the profile cannot have: targets, cardinalities, types, values, codes."""
        targets = self.targets()
        if isinstance(targets, Finding):
            yield targets
            return
        for (path, value), line in zip(self.table.fixed, self.table.fixed_lines, strict=True):
            yield from self._fixed(targets, path, value, line)
        for row in self.table.rows:
            target = self._target(targets, row["target"], row["to_line"])
            if isinstance(target, Finding):
                yield target
                continue
            for text in self._row(row, target):
                yield self.finding(row["to_line"], "meaning", text)
            yield from self._codes(row, target)
            for path, value in row["beside"]:
                yield from self._fixed(targets, path, value, row["with_line"])

    def targets(self) -> Targets | Finding:
        """Finds the places of the table's profile, or says why it has none."""
        content, profile = self.table.content, self.table.profile
        kind = self.table.resource.partition("/")[0]
        shape = self.profiles.shape(profile or kind)
        if shape is None:
            key = "profile" if "profile" in content else "resource"
            return self.finding(content.at(key), "meaning", f"{profile or kind} is not at hand")
        if shape.type not in {kind, "Extension"}:
            line = content.at("profile")
            return self.finding(line, "meaning", f"{profile} is a profile of {shape.type}")
        inside = None if shape.type == "Extension" else self.table.resource.partition("/")[2]
        try:
            return Targets(self.profiles, shape, content.get("part") or _first(inside))
        except Unreachable as e:
            return self.finding(content.at("resource"), "meaning", str(e))

    def _target(self, targets: Targets, path: str, line: int) -> Target | Finding:
        inside = path.removeprefix(f"{self.table.resource}/")
        try:
            return targets.find(inside)
        except Unreachable as e:
            return self.finding(line, "meaning", f"{path}: {e}")

    def _fixed(self, targets: Targets, path: str, value: Any, line: int) -> Iterator[Finding]:
        # A list is written whole.
        whole = isinstance(value, list) and parse_path(path)[-1].index is None
        target = self._target(targets, f"{path}[*]" if whole else path, line)
        if isinstance(target, Finding):
            yield target
            return
        wrong = value_problem(target, value, self.profiles)
        if wrong:
            yield self.finding(line, "meaning", f"{path}: {wrong}")

    def _row(self, row: Row, target: Target) -> Iterator[str]:
        path, comes_in = row["target"], row["direction"] != "out"
        many = "[*]" in row["source"]
        if many and not target.holds_many:
            yield f"{path}: several values come in, and there is one place"
        if target.holds_many and not many:
            yield f"{path}: has a place for several, and `from` gives one"
        wrong = type_problem(target, row["type"], coding=row["coding"], comes_in=comes_in)
        if wrong:
            yield f"{path}: {wrong}"
        if comes_in and target.demanded and not (row["required"] or self._stands(row)):
            yield f"{path}: the profile demands it (1..1); say 1..1, or in `note` what else stands"

    def _stands(self, row: Row) -> bool:
        return bool(row["note"]) or any(t == row["target"] for t, _ in self.table.fixed)

    def _codes(self, row: Row, target: Target) -> Iterator[Finding]:
        """Target codes that the profile does not allow there."""
        if row["codes"] is None:
            return
        pairs: tuple[CodePair, ...] = row["codes"].pairs
        system = "" if row["coding"] else self.system(row)
        bound, wrong = outside(
            target,
            [(p.target_system if row["coding"] else system, p.target_code) for p in pairs],
            self.profiles,
        )
        for number in wrong:
            pair = pairs[number]
            text = f"{pair.target_code} is not in {bound}, which {row['target']} is bound to"
            yield Finding(row["codes"].file, pair.line, "codes", text)
        known = self.profiles.terminology.of_system(system) if system and not bound else None
        for pair in pairs if known is not None else ():
            if (system, pair.target_code) not in (known or ()):
                text = f"{pair.target_code} is not a code of {system}"
                yield Finding(row["codes"].file, pair.line, "codes", text)

    def system(self, row: Row) -> str:
        """The system that stands beside a Coding's code, by the path itself or a fixed value."""
        around = parse_path(row["target"])[-2]
        if around.key == "system":
            return str(around.value)
        base, _, last = row["target"].rpartition("/")
        beside = (*row["beside"], *self.table.fixed) if last == "code" else ()
        return next((str(v) for t, v in beside if t == f"{base}/system"), "")

    def coverage(self, schemas: Mapping[str, Elements]) -> Iterator[Finding]:
        """What the schema has and nobody reads; what is read and the schema does not have.

        ``schemas``: the elements of each of the table's records, by the record's name.
        """
        table = self.table
        declared = (*table.not_shared, *table.elsewhere)
        places = [(r["source"], r["line"]) for r in table.rows]
        places += [(d.source, d.line) for d in declared]
        for path, line in places:
            if not any(way(elements, path) for elements in schemas.values()):
                yield self.finding(line, "meaning", f"{path}: the schema has no such element")
        paths = [path for path, _ in places]
        # A row that cannot be read may be the one that covers an element.
        for record, elements in schemas.items():
            for path in () if table.findings else uncovered(elements, paths):
                text = f"{path} of {record} is neither mapped nor declared"
                yield self.finding(table.content.at("record"), "coverage", text)
            for row in table.rows:
                found = way(elements, row["source"])
                if found is not None:
                    yield from self._source(row, found)
        for row in table.rows:
            # Of a code table that cannot be read, that is told alone.
            if row["codes"] is not None and row["codes"].pairs:
                yield from self._listed(row, schemas.values())

    def _source(self, row: Row, found: Way) -> Iterator[Finding]:
        several = found.first_of_several
        if several:
            text = f"the schema allows several {several}; [*], or an index"
            yield self.finding(row["line"], "meaning", text)
        stricter = row["direction"] == "both" and row["required"] and not found.needed
        if stricter and not row["note"]:
            text = "the schema does not demand it, the row does (1..1); say why in `note`"
            yield self.finding(row["line"], "meaning", text)

    def _listed(self, row: Row, schemas: Iterable[Elements]) -> Iterator[Finding]:
        """The schema's own list of codes, of all the table's records, against the code table."""
        ways = [found for elements in schemas if (found := way(elements, row["source"]))]
        listed = {code for found in ways for code in found.element.codes}
        if row["codes"] is None or not listed:
            return
        file = row["codes"].file
        for code in sorted(listed - {p.source_code for p in row["codes"].pairs}):
            text = f"{code}, which the schema allows in {row['source']}, is in no row"
            yield Finding(file, 1, "codes", text)
        for pair in row["codes"].pairs:
            if pair.source_code not in listed:
                text = f"{pair.source_code} never comes: the schema of {row['source']} lacks it"
                yield Finding(file, pair.line, "codes", text)

    def delegated(self, path: str, schemas: Mapping[str, Elements]) -> set[str]:
        """The records that stand at or below an ``elsewhere`` path; empty for a plain value."""
        ways = [found for elements in schemas.values() if (found := way(elements, path))]
        return set[str]().union(*(types_below(w.element) for w in ways))


def _first(inside: str | None) -> str | None:
    """``activity`` of a resource ``CarePlan/activity``: any one of its repetitions."""
    return f"{inside}[*]" if inside else None

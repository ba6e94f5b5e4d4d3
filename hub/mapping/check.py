"""All that is wrong with a format's mapping: its tables, its code tables, what they leave to code.

The logic of ``ki-hub mappings check``; samples are read by the caller, which has the adapters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path

from hub.fhir.validation import Profiles
from hub.mapping.check_lists import list_findings, unreadable
from hub.mapping.check_table import TableCheck
from hub.mapping.codes import CodeTable, is_code_table, read_codes
from hub.mapping.files import code_folders, named_file, table_files
from hub.mapping.findings import Finding
from hub.mapping.loading import Declared, TableFile
from hub.mapping.source import Mapped
from hub.mapping.sources import Elements

_R4 = "http://hl7.org/fhir/"
FEW = 3
"""Samples that a format which comes in has at least."""


class FormatCheck:
    """One adapter's mapping. ``package`` is the adapter's own, for functions named in tables."""

    def __init__(self, adapter: Mapped, package: str, profiles: Profiles) -> None:
        self._adapter = adapter
        self._package = package
        self._profiles = profiles

    def findings(self) -> list[Finding]:
        """Every finding once, by file and line."""
        found = set[Finding]()
        for file in table_files(self._adapter.tables):
            found.update(self._table(TableFile.read(file)))
        for folder in code_folders(self._adapter.tables):
            found.update(folder_findings(folder, self._profiles))
        return sorted(found)

    def _table(self, table: TableFile) -> Iterator[Finding]:
        yield from table.findings
        if not table.resource:
            return
        check = TableCheck(table, self._profiles)
        yield from check.meaning()
        schemas: dict[str, Elements] = {}
        for record in table.records:
            try:
                schemas[record] = self._adapter.elements(record)
            except KeyError:
                # A table that formats have in common: the record may be another's.
                if table.file.parent == self._adapter.tables:
                    text = f"the format's schema has no record {record}"
                    yield check.finding(table.content.at("record"), "meaning", text)
        if not table.records:
            text = "`record` is missing: what a record is in the document's schema"
            yield check.finding(1, "coverage", text)
        yield from check.coverage(schemas)
        for declared in table.elsewhere:
            yield from self._elsewhere(check, declared, schemas)

    def _elsewhere(
        self, check: TableCheck, declared: Declared, schemas: Mapping[str, Elements]
    ) -> Iterator[Finding]:
        """Whoever is said to read an element exists, and a table reads what is there."""
        if not declared.by:
            text = f"{declared.source}: `by` is missing: the table or function that reads it"
            yield check.finding(declared.line, "coverage", text)
        for name in declared.by:
            file = named_file(check.table.file, name)
            if file is None:
                if not exists(name, self._package):
                    text = f"{name}: there is no such function in {self._package}"
                    yield check.finding(declared.line, "coverage", text)
            elif not file.is_file():
                yield check.finding(declared.line, "coverage", f"{name} does not exist")
            elif file.suffix == ".yaml":
                there = check.delegated(declared.source, schemas)
                read = {*TableFile.read(file).records}
                # A table of the same record, or of one around it, reads the element as its own.
                if there and not read & {*there, *check.table.records}:
                    text = f"{name} reads no record that {declared.source} is or holds"
                    yield check.finding(declared.line, "coverage", text)


def exists(name: str, package: str) -> bool:
    """A dotted name from the adapter's package, or from the package that one is in."""
    for start in (package, package.rpartition(".")[0]):
        module, found = f"{start}.{name}" if start else name, list[str]()
        while "." in module:
            module, _, last = module.rpartition(".")
            found.insert(0, last)
            try:
                at: object = import_module(module)
            except ModuleNotFoundError:
                continue
            if module.startswith(start or module) and _reaches(at, found):
                return True
    return False


def _reaches(at: object, names: Iterable[str]) -> bool:
    for name in names:
        if not hasattr(at, name):
            return False
        at = getattr(at, name)
    return callable(at)


def folder_findings(folder: Path, profiles: Profiles) -> Iterator[Finding]:
    """What is wrong with the code tables of a folder by themselves."""
    for file in sorted(folder.glob("*.csv")):
        yield from code_findings(file, profiles)


def code_findings(file: Path, profiles: Profiles) -> Iterator[Finding]:
    """What is wrong with a code table, or with another list of codes, by itself."""
    broken = unreadable(file)
    if broken is not None:
        yield broken
        return
    if not is_code_table(file):
        if file.read_text("utf-8-sig").startswith("source_"):
            yield from read_codes(file)[1]
        else:
            yield from list_findings(file)
        return
    table, findings = read_codes(file)
    yield from findings
    yield from _rows(file, table)
    for pair in table.pairs:
        if not _there(pair.target_system, pair.target_code, profiles):
            text = f"{pair.target_code} is not a code of {pair.target_system}"
            yield Finding(file, pair.line, "codes", text)


def _there(system: str, code: str, profiles: Profiles) -> bool:
    """As far as it can be known: base R4 has only those codes of its systems that it binds."""
    known = profiles.terminology.of_system(system) if system else None
    if known is not None:
        return (system, code) in known
    bound = profiles.terminology.named_of(system) if system.startswith(_R4) else frozenset()
    return not bound or code in bound


def _rows(file: Path, table: CodeTable) -> Iterator[Finding]:
    """Rows that stand there twice, and rows that no code leads to."""
    seen: dict[tuple[str, str, str, str], int] = {}
    for pair in table.pairs:
        key = (pair.source_system, pair.source_code, pair.target_system, pair.target_code)
        if key in seen:
            yield Finding(file, pair.line, "codes", f"the same pair as on line {seen[key]}")
        seen.setdefault(key, pair.line)
    for pair, first in table.unused():
        if seen[(pair.source_system, pair.source_code, pair.target_system, pair.target_code)] == (
            pair.line
        ):
            text = f"never used: line {first.line} comes first, and its target has a row already"
            yield Finding(file, pair.line, "codes", text)

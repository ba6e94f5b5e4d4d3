"""Parties' own codes, laid over the shared code tables without touching them.

A folder of them: ``<party>/<format>/codes/<table>.csv``, with the columns of any code table. The
source is the party's own code, the target one that the shared table of that name leads to; so an
override adds or replaces codes, and what is shared stays as the shared tables say, but for what the
party takes away: ``<party>/<format>/not-shared.yaml`` (:mod:`hub.mapping.kept_back`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

from hub.codes import CodePair, LocalCodes
from hub.mapping.codes import is_code_table, listed_codes, read_codes
from hub.mapping.files import code_folders
from hub.mapping.findings import Finding, refuse
from hub.mapping.kept_back import FILE, kept_back, kept_back_findings
from hub.mapping.source import Mapped

MappedBy = Callable[[str], Mapped | None]
"""The adapter of a format, if it has tables."""


class Overrides:
    """What a folder holds, read once. Raises Misconfigured for a file that is no code table."""

    def __init__(self, folder: Path) -> None:
        tables: dict[tuple[str, str], dict[str, tuple[CodePair, ...]]] = {}
        findings = list[Finding]()
        for party, format, file in _files(folder):
            found, wrong = read_codes(file)
            findings += wrong
            tables.setdefault((party, format), {})[file.stem] = found.pairs
        refuse(findings)
        kept = {(p, f): kept_back(file, f) for p, f, file in kept_back_files(folder)}
        self._codes = {
            key: LocalCodes(tables.get(key, {}), kept.get(key, {})) for key in {*tables, *kept}
        }

    def __call__(self, party: str, format: str) -> LocalCodes | None:
        """A party's own codes in a format."""
        return self._codes.get((party, format))

    @property
    def parties(self) -> frozenset[str]:
        """Who has codes of its own."""
        return frozenset(party for party, _ in self._codes)


def _files(folder: Path) -> Iterator[tuple[str, str, Path]]:
    """Party, format and file of every override."""
    for file in sorted(folder.glob("*/*/codes/*.csv")):
        yield file.parents[2].name, file.parents[1].name, file


def kept_back_files(folder: Path) -> Iterator[tuple[str, str, Path]]:
    """Party, format and file of what parties keep to themselves."""
    for file in sorted(folder.glob(f"*/*/{FILE}")):
        yield file.parents[1].name, file.parents[0].name, file


def override_findings(folder: Path, mapped: MappedBy) -> list[Finding]:
    """Everything that is wrong with a folder of overrides, by file and line."""
    found = set[Finding]()
    known = {file for _, _, file in (*_files(folder), *kept_back_files(folder))}
    for other in folder.rglob("*"):
        if other.is_file() and other not in known and not other.name.startswith("."):
            text = f"an override is PARTY/FORMAT/codes/TABLE.csv or PARTY/FORMAT/{FILE}"
            found.add(Finding(other, 1, "form", text))
    for _, format, file in _files(folder):
        adapter = mapped(format)
        if adapter is None:
            found.add(Finding(file, 1, "form", f"{format} is no format with tables"))
        elif file.stem not in adapter.local:
            names = ", ".join(sorted(adapter.local)) or "none"
            text = f"{format} takes no codes of a party's own for {file.stem}; it does for: {names}"
            found.add(Finding(file, 1, "form", text))
        else:
            found.update(_against(file, _shared(adapter, file.stem)))
    for _, format, file in kept_back_files(folder):
        adapter = mapped(format)
        if adapter is None:
            found.add(Finding(file, 1, "form", f"{format} is no format with tables"))
        elif not getattr(adapter, "reissues", False):
            text = f"a document in {format} is of the shared plan, which is no one party's own"
            found.add(Finding(file, 1, "form", text))
        else:
            found.update(kept_back_findings(file, format, adapter.tables))
    return sorted(found)


def stranger_findings(folder: Path, parties: Collection[str]) -> list[Finding]:
    """Folders of parties that are not registered: nobody's documents are read with them."""
    named = sorted(
        {file.parents[2] for _, _, file in _files(folder)}
        | {file.parents[1] for _, _, file in kept_back_files(folder)}
    )
    text = (
        "no party is registered under this name; the operator renames the folder to a party's id, "
        "or registers the party (ki-hub parties apply)"
    )
    return [Finding(own, 1, "form", text) for own in named if own.name not in parties]


def _shared(adapter: Mapped, name: str) -> Path:
    files = (folder / f"{name}.csv" for folder in code_folders(adapter.tables))
    return next(file for file in files if file.is_file())


def _against(file: Path, shared: Path) -> Iterator[Finding]:
    """A party's pairs held to the shared table."""
    table, findings = read_codes(file)
    yield from findings
    targets, pairs = _targets(shared)
    seen: dict[tuple[str, str], int] = {}
    for pair in table.pairs:
        source, target = (pair.source_system, pair.source_code), pair.target_code
        if source in seen:
            text = f"{pair.source_code} stands on line {seen[source]} already"
            yield Finding(file, pair.line, "codes", text)
        seen.setdefault(source, pair.line)
        if target not in targets.get(pair.target_system, targets.get("*", frozenset())):
            text = f"{target} is no target in {shared.parent.parent.name}/codes/{shared.name}"
            yield Finding(file, pair.line, "codes", text)
        elif (*source, pair.target_system, target) in pairs:
            yield Finding(file, pair.line, "codes", "the shared table says so already")


def _targets(
    shared: Path,
) -> tuple[Mapping[str, frozenset[str]], frozenset[tuple[str, str, str, str]]]:
    """Target codes by system (``*``: of any), and the shared pairs."""
    if not is_code_table(shared):
        return {"*": listed_codes(shared)}, frozenset()
    table, _ = read_codes(shared)
    systems = {p.target_system for p in table.pairs}
    return (
        {s: frozenset(p.target_code for p in table.pairs if p.target_system == s) for s in systems},
        frozenset(
            (p.source_system, p.source_code, p.target_system, p.target_code) for p in table.pairs
        ),
    )

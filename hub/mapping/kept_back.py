"""What a party keeps to itself of its own documents, besides what the shared tables keep.

``<party>/<format>/not-shared.yaml``::

    not_shared:
      - table: effort.yaml        # a table of the format; folder/file.yaml for one beside it
        from: ResponsibleName     # an element that a row of it shares
        reason: the names of staff stay with us

It can only take away: an element that a row demands, or that decides who sees the rest, stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hub.fhir import names
from hub.mapping.files import table_files
from hub.mapping.findings import Finding, refuse
from hub.mapping.lined import Lined, read_lined
from hub.mapping.loading import TableFile
from hub.mapping.paths import without_indices

FILE: Final = "not-shared.yaml"
_KEYS: Final = ("table", "from", "reason")
_GUARDS: Final = (names.COORDINATION, "meta/security", names.SECTION)
"""Parts of targets that say who may see the rest."""


@dataclass(frozen=True)
class KeptBack:
    """One row."""

    table: str
    """``folder/file.yaml``."""
    source: str
    reason: str
    line: int


def read_kept_back(file: Path, format: str) -> tuple[list[KeptBack], list[Finding]]:
    """The rows that can be read, and what is wrong with the form of the rest."""
    content = read_lined(file)
    if isinstance(content, Finding):
        return [], [content]
    rows, found = [], list[Finding]()
    given = content.get("not_shared")
    if set(content) != {"not_shared"} or not isinstance(given, list):
        return [], [Finding(file, content.line, "form", "the file is one list, `not_shared`")]
    for number, row in enumerate(given, 1):
        if not isinstance(row, Lined) or set(row) != set(_KEYS):
            line = row.line if isinstance(row, Lined) else content.at("not_shared")
            text = f"row {number} has {', '.join(_KEYS)} and nothing else"
            found.append(Finding(file, line, "form", text))
            continue
        table = str(row["table"])
        named = table if "/" in table else f"{format}/{table}"
        rows.append(KeptBack(named, str(row["from"]), str(row["reason"]), row.at("from")))
    return rows, found


def kept_back(file: Path, format: str) -> Mapping[str, Mapping[str, str]]:
    """By table, each source path with the reason; Misconfigured where a row cannot be read."""
    rows, findings = read_kept_back(file, format)
    refuse(findings)
    made: dict[str, dict[str, str]] = {}
    for row in rows:
        made.setdefault(row.table, {})[row.source] = row.reason
    return made


def kept_back_findings(file: Path, format: str, tables: Path) -> Iterator[Finding]:
    """What is wrong with it, held to the format's tables."""
    rows, findings = read_kept_back(file, format)
    yield from findings
    known = {f"{f.parent.name}/{f.name}": f for f in table_files(tables)}
    for row in rows:
        if row.table not in known:
            names_ = ", ".join(sorted(known))
            yield Finding(file, row.line, "form", f"{row.table} is no table; there are: {names_}")
            continue
        shared = [r for r in TableFile.read(known[row.table]).rows if _is_at(r, row.source)]
        text = _wrong(row, shared)
        if text:
            yield Finding(file, row.line, "meaning", text)


def _is_at(row: Mapping[str, Any], source: str) -> bool:
    plain = without_indices(row["source"]).replace("[*]", "")
    return row["direction"] != "out" and (plain == source or plain.startswith(f"{source}/"))


def _wrong(row: KeptBack, shared: Sequence[Mapping[str, Any]]) -> str:
    if not row.reason.strip():
        return "`reason` is empty; it is what everyone reads"
    if not shared:
        return f"{row.source} is shared by no row of {row.table}"
    if any(r["required"] for r in shared):
        return f"{row.source} is needed (1..1); the document cannot be understood without it"
    if any(guard in r["target"] for r in shared for guard in _GUARDS):
        return f"{row.source} decides who sees the rest; mark it in the document instead"
    return ""

"""Lists of codes that are no ConceptMap: a code system's codes, and what value sets take of them.

Columns by name: ``code`` is there once for each ``value_set``; ``parent`` is a code of the same
list; ``root`` and ``except`` are codes of a list with parents in the same folder.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from hub.mapping.findings import Finding

Rows = list[tuple[int, Mapping[str, str]]]


def unreadable(file: Path) -> Finding | None:
    """What keeps a CSV file from being read at all, as spreadsheets save it."""
    body = file.read_bytes()
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as e:
        line = body.count(b"\n", 0, e.start) + 1
        return Finding(file, line, "form", "not UTF-8; save it as CSV in UTF-8")
    header = text.partition("\n")[0]
    if ";" in header and "," not in header:
        return Finding(file, 1, "form", "separated by semicolons; save it with commas")
    return None


def list_findings(file: Path) -> Iterator[Finding]:
    """Every finding of one list."""
    names, rows, findings = _read(file)
    yield from findings
    if "code" in names:
        yield from _codes(file, rows, parents="parent" in names)
    elif "root" in names:
        yield from _roots(file, rows)


def _read(file: Path) -> tuple[list[str], Rows, list[Finding]]:
    rows: Rows = []
    findings = []
    with file.open(encoding="utf-8-sig", newline="") as lines:
        read = csv.reader(lines)
        names = next(read, [])
        seen: dict[tuple[str, ...], int] = {}
        for cells in read:
            line = read.line_num
            if len(cells) != len(names):
                findings.append(Finding(file, line, "form", f"not {len(names)} cells"))
            elif not cells[0]:
                findings.append(Finding(file, line, "form", f"{names[0]} is empty"))
            elif tuple(cells) in seen:
                text = f"the same row as on line {seen[tuple(cells)]}"
                findings.append(Finding(file, line, "codes", text))
            else:
                seen[tuple(cells)] = line
                rows.append((line, dict(zip(names, cells, strict=True))))
    return names, rows, findings


def _codes(file: Path, rows: Rows, *, parents: bool) -> Iterator[Finding]:
    lines: dict[tuple[str, str], int] = {}
    above: dict[str, str] = {}
    for line, row in rows:
        key = (row["code"], row.get("value_set", ""))
        if key in lines:
            yield Finding(file, line, "codes", f"the code is on line {lines[key]} already")
        lines.setdefault(key, line)
        above[row["code"]] = row.get("parent", "")
    for line, row in rows if parents else ():
        if row["parent"] and row["parent"] not in above:
            yield Finding(file, line, "codes", "its parent is not in the list")
        elif _in_a_ring(row["code"], above):
            yield Finding(file, line, "codes", "it is above itself")


def _in_a_ring(code: str, above: Mapping[str, str]) -> bool:
    seen, here = {code}, above[code]
    while here and here not in seen:
        seen.add(here)
        here = above.get(here, "")
    return here == code


def _roots(file: Path, rows: Rows) -> Iterator[Finding]:
    known = set[str]()
    for other in file.parent.glob("*.csv"):
        if other != file and unreadable(other) is None:
            names, listed, _ = _read(other)
            if {"code", "parent"} <= set(names):
                known.update(row["code"] for _, row in listed)
    for line, row in rows:
        named = [row["root"], *row.get("except", "").split()]
        if any(code and code not in known for code in named):
            yield Finding(file, line, "codes", "it names a code that no list here has")

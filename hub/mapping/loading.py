"""Read a table file and check its form; the rules are in :mod:`hub.mapping.table`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.mapping.codes import CodeTable, read_codes
from hub.mapping.findings import Finding
from hub.mapping.lined import Lined, read_lined
from hub.mapping.paths import parse_path
from hub.mapping.values import TYPES

_SECTIONS = {
    "resource",
    "record",
    "profile",
    "part",
    "names",
    "fixed",
    "rows",
    "not_shared",
    "elsewhere",
}
_KEYS = {
    "from",
    "to",
    "cardinality",
    "codes",
    "coding",
    "type",
    "with",
    "direction",
    "note",
}
_CARDINALITIES = {"0..1", "1..1", "0..*", "1..*"}


class _Wrong(Exception):
    """A row that cannot be used, with the key that is to blame."""

    def __init__(self, what: str, key: str = "") -> None:
        super().__init__(what)
        self.what, self.key = what, key


@dataclass(frozen=True)
class Declared:
    """A row of ``not_shared`` or ``elsewhere``."""

    source: str
    reason: str
    by: tuple[str, ...] = ()
    """Of ``elsewhere``: the tables (``x.yaml``), code tables (``codes/x.csv``) and functions
    (``module.function``) that read it."""
    line: int = 0

    def told(self, file: Path) -> str:
        """Who reads it, and where that stands."""
        return f"{', '.join(self.by) or self.reason} ({file.parent.name}/{file.name}:{self.line})"


@dataclass
class TableFile:
    """A table file's content: what can be used of it, and a finding for all the rest."""

    file: Path
    content: Lined
    findings: list[Finding] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    """The fields of each Row."""
    fixed: list[tuple[str, Any]] = field(default_factory=list)
    """Target path and value of what every such resource says."""
    fixed_lines: list[int] = field(default_factory=list)
    not_shared: list[Declared] = field(default_factory=list)
    elsewhere: list[Declared] = field(default_factory=list)

    @classmethod
    def read(cls, file: Path) -> TableFile:
        """Read all of it; nothing is raised for what is wrong."""
        content = read_lined(file)
        if isinstance(content, Finding):
            return cls(file, _nothing(), [content])
        found = cls(file, content)
        if "resource" not in content:
            found.wrong(1, "`resource` is missing")
            return found
        found._read()
        return found

    @property
    def resource(self) -> str:
        """What every ``to`` starts with."""
        return str(self.content.get("resource", ""))

    @property
    def records(self) -> tuple[str, ...]:
        """What one record is in the document's own schema; several if it is one of them."""
        found = self.content.get("record", [])
        return tuple(map(str, found)) if isinstance(found, list) else (str(found),)

    @property
    def profile(self) -> str | None:
        """The profile that ``to`` is held to: the one named, else the one that is written."""
        named = self.content.get("profile")
        if named is not None:
            return str(self._named(named))
        written = next((v for t, v in self.fixed if t.endswith("/meta/profile")), None)
        return str(written[0]) if isinstance(written, list) and written else None

    @property
    def about(self) -> str:
        """The comment at the head of the file: what the table is of."""
        lines = self.file.read_text(encoding="utf-8").splitlines()
        head = lines[: next((i for i, x in enumerate(lines) if not x.startswith("#")), len(lines))]
        return " ".join(line.lstrip("# ").strip() for line in head)

    def wrong(self, line: int, text: str) -> None:
        """Note what is wrong with the form."""
        self.findings.append(Finding(self.file, line, "form", text))

    def _read(self) -> None:
        self._keys(self.content, _SECTIONS)
        for key in ("record", "profile", "part"):
            with self._noting(self.content):
                self._section_text(key)
        for row in self._items("fixed"):
            with self._noting(row):
                self._fixed(row)
        for row in self._items("rows"):
            with self._noting(row):
                self.rows.append(self._row(row))
        for row in self._items("not_shared"):
            with self._noting(row):
                self.not_shared.append(self._declared(row))
        for row in self._items("elsewhere"):
            with self._noting(row):
                self.elsewhere.append(self._declared(row, "by"))
        self._twice()

    @contextmanager
    def _noting(self, row: Lined) -> Iterator[None]:
        """What is wrong with a row is noted, and the row left out."""
        try:
            yield
        except _Wrong as e:
            self.wrong(row.at(e.key), e.what)

    def _items(self, section: str) -> Iterator[Lined]:
        for number, row in enumerate(self.content.get(section) or (), 1):
            if isinstance(row, Lined):
                yield row
            else:
                self.wrong(self.content.at(section), f"{section} {number} is not a mapping")

    def _section_text(self, key: str) -> None:
        value = self.content.get(key, "")
        texts = value if isinstance(value, list) and key == "record" else [value]
        if not all(isinstance(t, str) for t in texts):
            raise _Wrong(f"{key} is a text", key)
        if key == "profile":
            self._named(value)

    def _row(self, row: Lined) -> dict[str, Any]:
        self._keys(row, _KEYS)
        _form(row)
        codes = row.get("codes")
        return {
            "source": self._path(str(row["from"]), "from"),
            "target": self._target(str(row["to"]), "to"),
            "required": str(row.get("cardinality", "0..1")).startswith("1"),
            "codes": self._codes(str(codes)) if codes else None,
            "type": row.get("type", "text"),
            "direction": row.get("direction", "both"),
            "note": str(row.get("note", "")),
            "coding": bool(row.get("coding", False)),
            "beside": tuple(
                (self._target(str(target), "with"), self._named(value))
                for target, value in row.get("with", {}).items()
            ),
            "line": row.line,
            "to_line": row.at("to"),
            "with_line": row.at("with"),
        }

    def _fixed(self, row: Lined) -> None:
        self._keys(row, {"to", "value", "note"})
        _needs(row, "to", "value")
        value = self._named(row["value"])
        self.fixed.append((self._target(str(row["to"]), "to"), value))
        self.fixed_lines.append(row.at("to"))

    def _declared(self, row: Lined, *more: str) -> Declared:
        self._keys(row, {"from", "reason", *more})
        by = row.get("by", ())
        # A table that is named says itself what it is for.
        _needs(row, "from", *([] if by else ["reason"]))
        names = by if isinstance(by, list) else [by] if by else []
        source = self._path(str(row["from"]), "from")
        return Declared(source, str(row.get("reason", "")), tuple(map(str, names)), row.line)

    def _twice(self) -> None:
        """One element, said to be treated in two ways."""
        seen: dict[tuple[str, str], int] = {}
        for row in self.rows:
            key = (row["source"], row["target"])
            if key in seen:
                self.wrong(row["line"], f"the same row as on line {seen[key]}")
            seen.setdefault(key, row["line"])
        ways: dict[str, int] = {r["source"]: r["line"] for r in self.rows}
        for declared in (*self.not_shared, *self.elsewhere):
            if declared.source in ways:
                other = ways[declared.source]
                self.wrong(declared.line, f"{declared.source} is also treated on line {other}")
            ways.setdefault(declared.source, declared.line)

    def _codes(self, name: str) -> CodeTable:
        file = code_file(self.file, name)
        if not file.is_file():
            shown = file.relative_to(self.file.parent.parent)
            raise _Wrong(f"{shown} does not exist", "codes")
        table, findings = read_codes(file)
        self.findings += [f for f in findings if f not in self.findings]
        return table

    def _target(self, text: str, key: str) -> str:
        target = self._path(text, key)
        if not target.startswith(f"{self.resource}/"):
            raise _Wrong(f"`to` starts with {self.resource}/", key)
        if parse_path(target)[-1].key is not None:
            raise _Wrong("`to` ends in a leaf", key)
        return target

    def _path(self, text: str, key: str) -> str:
        names: Mapping[str, str] = self.content.get("names") or {}
        for name, url in names.items():
            text = text.replace(f"@{name}]", f"{url}]")
        if "@" in text:
            raise _Wrong("a name with @ is not in `names`", key)
        try:
            parse_path(text)
        except ValueError as e:
            raise _Wrong(str(e), key) from None
        return text

    def _named(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._named(v) for v in value]
        if not isinstance(value, str) or not value.startswith("@"):
            return value
        names: Mapping[str, str] = self.content.get("names") or {}
        if value[1:] not in names:
            raise _Wrong("a name with @ is not in `names`")
        return names[value[1:]]

    def _keys(self, row: Lined, known: set[str]) -> None:
        for key, line in row.twice:
            self.wrong(line, f"{key} stands here twice")
        unknown = sorted(k for k in row if k not in known)
        if unknown and row is self.content:
            self.wrong(row.at(unknown[0]), f"unknown key {unknown[0]}")
        elif unknown:
            raise _Wrong(f"unknown key {unknown[0]}", unknown[0])


def code_file(table: Path, name: str) -> Path:
    """``name`` in the table's own folder, ``folder/name`` in the folder beside it."""
    folder, _, stem = name.rpartition("/")
    own = table.parent
    return (own.parent / folder if folder else own) / "codes" / f"{stem}.csv"


def _form(row: Lined) -> None:
    _needs(row, "from", "to")
    if row.get("type", "text") not in TYPES:
        raise _Wrong(f"type is one of {', '.join(TYPES)}", "type")
    direction = row.get("direction", "both")
    if direction not in {"both", "in", "out"}:
        raise _Wrong("direction is both, in or out", "direction")
    if direction != "both" and not row.get("note"):
        raise _Wrong("a row for one direction says why in `note`", "direction")
    cardinality = str(row.get("cardinality", "0..1"))
    if cardinality not in _CARDINALITIES:
        raise _Wrong("cardinality is 0..1, 1..1, 0..* or 1..*", "cardinality")
    if cardinality.endswith("*") != ("[*]" in str(row["from"])):
        raise _Wrong("[*] in `from` goes with a cardinality that ends in *", "from")
    if row.get("coding") and not row.get("codes"):
        raise _Wrong("`coding` needs `codes`", "coding")
    if not isinstance(row.get("with", {}), Mapping):
        raise _Wrong("`with` is a mapping of target to value", "with")


def _needs(row: Lined, *keys: str) -> None:
    for key in keys:
        if key not in row:
            raise _Wrong(f"{key} is missing")


def _nothing() -> Lined:
    made = Lined()
    made.lines = {}
    return made

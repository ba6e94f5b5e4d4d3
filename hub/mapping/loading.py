"""Read a table file and check its form; the rules are in :mod:`hub.mapping.table`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hub.errors import Misconfigured
from hub.mapping.codes import CodeTable
from hub.mapping.paths import parse_path
from hub.mapping.values import TYPES

_SECTIONS = {"resource", "names", "fixed", "rows", "not_shared", "elsewhere"}
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


@dataclass(frozen=True)
class TableFile:
    """A table file's content; every method raises Misconfigured naming file and row."""

    file: Path
    content: Mapping[str, Any]

    @classmethod
    def read(cls, file: Path) -> TableFile:
        """Read the YAML; a file that is not a table is Misconfigured."""
        try:
            content = yaml.safe_load(file.read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError) as e:
            mark = getattr(e, "problem_mark", None)
            where = f", line {mark.line + 1}" if mark else ""
            raise Misconfigured(f"{file.name}{where}: not YAML in UTF-8") from e
        if not isinstance(content, dict) or "resource" not in content:
            raise Misconfigured(f"{file.name}: `resource` is missing")
        found = cls(file, content)
        found._known("the file", content, _SECTIONS)
        return found

    @property
    def resource(self) -> str:
        """What every ``to`` starts with."""
        return str(self.content["resource"])

    def rows(self) -> Iterator[dict[str, Any]]:
        """The fields of each Row."""
        for number, row in enumerate(self.content.get("rows") or (), 1):
            place = f"row {number}"
            self._known(place, row, _KEYS)
            self._form(place, row)
            codes = row.get("codes")
            yield {
                "source": self._path(place, str(row["from"])),
                "target": self._target(place, str(row["to"]), leaf=True),
                "required": str(row.get("cardinality", "0..1")).startswith("1"),
                "codes": self._codes(place, codes) if codes else None,
                "type": row.get("type", "text"),
                "direction": row.get("direction", "both"),
                "note": str(row.get("note", "")),
                "coding": bool(row.get("coding", False)),
                "beside": tuple(
                    (self._target(place, target, leaf=True), self._named(place, value))
                    for target, value in row.get("with", {}).items()
                ),
            }

    def fixed(self) -> tuple[tuple[str, Any], ...]:
        """Target path and value of what every such resource says."""
        found = []
        for number, row in enumerate(self.content.get("fixed") or (), 1):
            place = f"fixed {number}"
            self._known(place, row, {"to", "value", "note"})
            self._needs(place, row, "to", "value")
            target = self._target(place, row["to"], leaf=True)
            found.append((target, self._named(place, row["value"])))
        return tuple(found)

    def reasons(self, section: str) -> dict[str, str]:
        """Source path to reason."""
        found = {}
        for number, row in enumerate(self.content.get(section) or (), 1):
            place = f"{section} {number}"
            self._known(place, row, {"from", "reason"})
            self._needs(place, row, "from", "reason")
            found[self._path(place, str(row["from"]))] = str(row["reason"])
        return found

    def _form(self, place: str, row: Mapping[str, Any]) -> None:
        self._needs(place, row, "from", "to")
        if row.get("type", "text") not in TYPES:
            raise self._wrong(place, f"type is one of {', '.join(TYPES)}")
        direction = row.get("direction", "both")
        if direction not in {"both", "in", "out"}:
            raise self._wrong(place, "direction is both, in or out")
        if direction != "both" and not row.get("note"):
            raise self._wrong(place, "a row for one direction says why in `note`")
        cardinality = str(row.get("cardinality", "0..1"))
        if cardinality not in _CARDINALITIES:
            raise self._wrong(place, "cardinality is 0..1, 1..1, 0..* or 1..*")
        if cardinality.endswith("*") != ("[*]" in str(row["from"])):
            raise self._wrong(place, "[*] in `from` goes with a cardinality that ends in *")
        if row.get("coding") and not row.get("codes"):
            raise self._wrong(place, "`coding` needs `codes`")

    def _codes(self, place: str, name: str) -> CodeTable:
        """``name`` in the table's own folder, ``folder/name`` in the folder beside it."""
        folder, _, stem = name.rpartition("/")
        own = self.file.parent
        file = (own.parent / folder if folder else own) / "codes" / f"{stem}.csv"
        if not file.is_file():
            raise self._wrong(place, f"{file.relative_to(own.parent)} does not exist")
        return CodeTable.load(file)

    def _target(self, place: str, text: str, *, leaf: bool) -> str:
        target = self._path(place, text)
        if not target.startswith(f"{self.resource}/"):
            raise self._wrong(place, f"`to` starts with {self.resource}/")
        if leaf and parse_path(target)[-1].key is not None:
            raise self._wrong(place, "`to` ends in a leaf")
        return target

    def _path(self, place: str, text: str) -> str:
        names: Mapping[str, str] = self.content.get("names") or {}
        for name, url in names.items():
            text = text.replace(f"@{name}]", f"{url}]")
        if "@" in text:
            raise self._wrong(place, "a name with @ is not in `names`")
        try:
            parse_path(text)
        except ValueError as e:
            raise self._wrong(place, str(e)) from None
        return text

    def _named(self, place: str, value: Any) -> Any:
        if isinstance(value, list):
            return [self._named(place, v) for v in value]
        if not isinstance(value, str) or not value.startswith("@"):
            return value
        names: Mapping[str, str] = self.content.get("names") or {}
        if value[1:] not in names:
            raise self._wrong(place, "a name with @ is not in `names`")
        return names[value[1:]]

    def _needs(self, place: str, row: Mapping[str, Any], *keys: str) -> None:
        for key in keys:
            if key not in row:
                raise self._wrong(place, f"{key} is missing")

    def _known(self, place: str, row: Any, keys: set[str]) -> None:
        if not isinstance(row, Mapping):
            raise self._wrong(place, "is not a mapping")
        unknown = sorted(str(k) for k in row if k not in keys)
        if unknown:
            raise self._wrong(place, f"unknown key {unknown[0]}")

    def _wrong(self, place: str, what: str) -> Misconfigured:
        return Misconfigured(f"{self.file.name}, {place}: {what}")

"""A format's tables as plain data, for those who want to read them without the grammar."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from hub.capabilities import Explained
from hub.contract import Adapter, Parsed
from hub.mapping.codes import CodeTable, is_code_table
from hub.mapping.files import code_folders, table_files
from hub.mapping.loading import TableFile

Json = dict[str, Any]
_TYPES: Final = {
    "integer": "a whole number", "boolean": "true or false", "date": "a date",
}  # fmt: skip
_WAYS: Final = {"both": "both ways", "in": "in only", "out": "out only"}


def described(folder: Path) -> Json:
    """``tables``, each both ways with what is not shared, and ``codes``."""
    return {
        "format": folder.name,
        "tables": [_table(TableFile.read(file)) for file in table_files(folder)],
        "codes": [
            _codes(file)
            for codes in code_folders(folder)
            for file in sorted(codes.glob("*.csv"))
            if is_code_table(file)
        ],
    }


def by_code(adapter: Adapter) -> list[Json]:
    """The functions that read and write what no table says, by their full names."""
    whole = {"": type(adapter).parse} if adapter.media_types else {}
    readers = adapter.readers if isinstance(adapter, Explained) else whole
    found = [{"way": "in", "result": kind, "by": full_name(by)} for kind, by in readers.items()]
    return [*found, {"way": "out", "result": "", "by": full_name(type(adapter).render)}]


def reader_of(adapter: Adapter, parsed: Parsed) -> str:
    """The function that reads a document which became this."""
    readers = adapter.readers if isinstance(adapter, Explained) else {}
    return full_name(readers.get(type(parsed).__name__, type(adapter).parse))


def full_name(function: Callable[..., object]) -> str:
    """``package.module.Class.function``."""
    return f"{function.__module__}.{function.__qualname__}"


def _table(table: TableFile) -> Json:
    return {
        "name": f"{table.file.parent.name}/{table.file.name}",
        "about": table.about,
        "record": list(table.records),
        "resource": table.resource,
        "profile": table.profile,
        "rows": [_row(row) for row in table.rows],
        "fixed": [{"to": _plain(to), "value": value} for to, value in table.fixed],
        "notShared": [{"from": d.source, "reason": d.reason} for d in table.not_shared],
        "elsewhere": [
            {"from": d.source, "by": list(d.by), "reason": d.reason} for d in table.elsewhere
        ],
    }


def _row(row: Mapping[str, Any]) -> Json:
    codes: CodeTable | None = row["codes"]
    return {
        "from": row["source"],
        "to": _plain(row["target"]),
        "direction": _WAYS[row["direction"]],
        "needed": row["required"],
        "several": "[*]" in row["source"],
        "type": _TYPES.get(row["type"], "" if codes else "text"),
        "codes": codes.place if codes is not None else "",
        "beside": [{"to": _plain(to), "value": value} for to, value in row["beside"]],
        "note": row["note"],
        "line": row["line"],
    }


def _codes(file: Path) -> Json:
    table = CodeTable.load(file)
    return {
        "name": table.place,
        "pairs": [
            {
                "from": pair.source_code,
                "fromDisplay": pair.source_display,
                "to": pair.target_code,
                "toDisplay": pair.target_display,
                "relation": pair.equivalence,
                "comment": pair.comment,
            }
            for pair in table.pairs
        ],
    }


def _plain(path: str) -> str:
    """A target as FHIR people write it: ``CarePlan.extension(ki-level).valueInteger``."""
    made, inside = list[str](), path
    while inside:
        step, inside = _step(inside)
        made.append(step)
    return ".".join(made)


def _step(path: str) -> tuple[str, str]:
    """The first step, and the rest; a ``/`` in brackets belongs to the step."""
    depth = 0
    for i, char in enumerate(path):
        depth += (char == "[") - (char == "]")
        if char == "/" and depth == 0:
            return _named(path[:i]), path[i + 1 :]
    return _named(path), ""


def _named(step: str) -> str:
    name, _, inside = step.partition("[")
    key, equals, value = inside.removesuffix("]").lstrip("+").partition("=")
    if not equals:
        return name if inside in {"", "0]", "*]"} else step
    return f"{name}({value.rpartition('/')[2] if key == 'url' else f'{key} {value}'})"

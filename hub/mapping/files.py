"""Which files a folder of tables uses: its own, and those of folders beside it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from hub.mapping.codes import CodeTable
from hub.mapping.loading import TableFile
from hub.mapping.paths import parse_path


def table_files(folder: Path) -> list[Path]:
    """The tables of a folder, and those of folders beside it that they name."""
    own = sorted(folder.glob("*.yaml"))
    named = {
        file
        for table in map(TableFile.read, own)
        for declared in table.elsewhere
        for name in declared.by
        if (file := named_file(table.file, name)) and file.suffix == ".yaml" and file.is_file()
    }
    return own + sorted(named - set(own))


def code_folders(folder: Path) -> list[Path]:
    """The ``codes`` folders that a folder's tables use, its own first."""
    beside = {f.parent for f in table_files(folder)} - {folder}
    return [f / "codes" for f in (folder, *sorted(beside)) if (f / "codes").is_dir()]


def named_file(table: Path, name: str) -> Path | None:
    """The table or code table that ``by`` names; None if it names a function."""
    if not name.endswith((".yaml", ".csv")):
        return None
    parts = name.split("/")
    in_own_folder = len(parts) == 1 or parts[0] == "codes"
    return (table.parent if in_own_folder else table.parent.parent).joinpath(*parts)


@cache
def coded_elements(folder: Path) -> Mapping[str, CodeTable]:
    """The elements whose values a code table translates, by the last step of their path."""
    return {
        parse_path(row["source"])[-1].name: row["codes"]
        for file in reversed(table_files(folder))
        for row in TableFile.read(file).rows
        if row["codes"] is not None
    }

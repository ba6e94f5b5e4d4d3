"""The engine for mappings/: tables both ways, code tables, losses. Knows no format by name."""

from pathlib import Path

from hub.mapping.codes import CodeTable
from hub.mapping.table import Table, load_table

__all__ = ["CodeTable", "Table", "load_table", "mappings_folder"]

_MAPPINGS = Path(__file__).resolve().parents[2] / "mappings"
"""Beside ``hub`` in a checkout and in an installed wheel alike; the folder holds no Python, and
importlib.resources does not find such a folder in an editable installation."""


def mappings_folder(name: str) -> Path:
    """Where the mapping tables of a format are; ``name`` is the folder's name."""
    return _MAPPINGS / name

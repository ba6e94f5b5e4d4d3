"""Modules and functions stay small enough to read in one go."""

from __future__ import annotations

import ast

from tests.architecture.source import ROOT, modules, place, tree

PRODUCT = ("hub", "adapters")
MODULE_LINES = 350
FUNCTION_LINES = 60
MIGRATIONS = ROOT / "hub/store/migrations"
"""A migration is as long as what it changes."""


def test_no_module_is_too_long() -> None:
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in modules(*PRODUCT)}
    found = [f"{place(path, n)}" for path, n in lengths.items() if n > MODULE_LINES]
    assert found == []


def test_no_function_is_too_long() -> None:
    found = [
        f"{place(path, node.lineno)} {node.name}"
        for path in modules(*PRODUCT)
        if not path.is_relative_to(MIGRATIONS)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno >= FUNCTION_LINES
    ]
    assert found == []

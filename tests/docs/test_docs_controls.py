"""Every control that the hazard log and the threat model claim names a test that exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, ROOT, code_spans

PAGES = ["hazard-log.md", "threat-model.md"]
_NAMED = re.compile(r"(tests/[\w/]+\.py)::(\w+)")


def named(page: Path) -> list[tuple[str, str]]:
    """File and function of each test that the page names."""
    return [(m[1], m[2]) for span in code_spans(page) if (m := _NAMED.fullmatch(span))]


def missing(tests: list[tuple[str, str]]) -> list[str]:
    """Those that are not there."""
    return [f"{path}::{name}" for path, name in tests if name not in functions(ROOT / path)]


def functions(path: Path) -> set[str]:
    """The functions of a file; none if there is no file."""
    if not path.is_file():
        return set()
    found = ast.walk(ast.parse(path.read_text("utf-8")))
    return {n.name for n in found if isinstance(n, ast.FunctionDef)}


@pytest.mark.parametrize("page", PAGES)
def test_every_test_that_a_page_names_exists(page: str) -> None:
    tests = named(DOCS / page)
    assert len(tests) > 20
    assert missing(tests) == []


@pytest.mark.parametrize("page", PAGES)
def test_every_row_of_a_control_names_a_test(page: str) -> None:
    rows = re.findall(r"^\| ([A-Z]+\d+) \|.*$", (DOCS / page).read_text("utf-8"), re.M)
    bare = [
        m[1]
        for m in re.finditer(r"^\| ([A-Z]+\d+) \|(.*)$", (DOCS / page).read_text("utf-8"), re.M)
        if not _NAMED.search(m[2])
    ]
    assert rows
    assert len(set(rows)) == len(rows)
    assert bare == []


def test_what_is_not_there_is_found() -> None:
    assert missing([("tests/docs/test_docs_controls.py", "no_such"), ("tests/no.py", "x")]) == [
        "tests/docs/test_docs_controls.py::no_such",
        "tests/no.py::x",
    ]

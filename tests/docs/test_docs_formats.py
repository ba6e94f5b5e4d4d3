"""docs/formats.md has a section for every registered adapter, with all four answers."""

from __future__ import annotations

import ast
import re

import pytest

from hub.runtime.registry import Registry
from tests.docs.pages import DOCS, ROOT, code_spans, first_cells, section

PAGE = DOCS / "formats.md"
REGISTRY = Registry()
ANSWERS = ("In", "Out", "Never shared", "Losses to expect")


@pytest.mark.parametrize("format", REGISTRY.formats())
def test_every_format_has_its_section(format: str) -> None:
    text = section(PAGE, format)
    for answer in ANSWERS:
        found = re.search(rf"^- \*\*{answer}:\*\* (.+)", text, re.M)
        assert found is not None, f"{format}: {answer}"
        assert len(found[1]) > 20
    folders = re.findall(r"`(adapters/\w+|mappings/[\w-]+)/`", text)
    assert folders
    assert all((ROOT / folder).is_dir() for folder in folders)


def test_the_overview_names_every_format_and_no_other() -> None:
    cells = (re.fullmatch(r"\[`([\w-]+)`\]\(#\1\)", cell) for cell in first_cells(PAGE))
    assert sorted(m[1] for m in cells if m) == sorted(REGISTRY.formats())


def test_a_format_that_takes_nothing_in_says_so() -> None:
    for format in REGISTRY.formats():
        samples = ROOT / "mappings" / format / "samples"
        takes = format == "fhir" or samples.is_dir()
        nothing = re.search(r"^- \*\*In:\*\* nothing", section(PAGE, format), re.M)
        assert (nothing is None) == takes


def test_every_option_of_a_subscription_is_on_the_page() -> None:
    read = {
        node.args[0].value
        for file in sorted((ROOT / "adapters").rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).endswith("options.get")
        and isinstance(node.args[0], ast.Constant)
    }
    assert read
    assert read <= set(code_spans(PAGE))

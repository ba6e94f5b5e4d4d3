"""No number in this repository can be taken for a real person's CPR number."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.source import ROOT, place

CITIZENS = {"0201609996", "1507729995"}
"""The two synthetic citizens of all samples."""
WITHOUT_CITIZENS = ("hub", "adapters", "deploy")
"""Code; the demo's people are data."""
EVERYTHING = (*WITHOUT_CITIZENS, "docs", "fhir_profiles", "mappings", "tests")
_DATE = r"(?:0[1-9]|[12][0-9]|3[01])(?:0[1-9]|1[0-2])[0-9]{2}"
_SHAPE = re.compile(rf"(?<![0-9A-Za-z.]){_DATE}[- ]?[0-9]{{4}}(?![0-9A-Za-z])")


def numbers(path: Path) -> Iterator[tuple[int, str]]:
    """Line and digits of everything of the form ddmmyy-nnnn in a text file."""
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        return
    for line, content in enumerate(text.splitlines(), 1):
        for match in _SHAPE.finditer(content):
            yield line, re.sub(r"\D", "", match.group())


def allowed(relative: Path, number: str) -> bool:
    """Citizens where there are people; in tests also the 999x series, which is never issued."""
    if relative.parts[:2] == ("hub", "demo"):
        return number in CITIZENS
    if relative.parts[0] in WITHOUT_CITIZENS:
        return False
    return number in CITIZENS or (relative.parts[0] == "tests" and number[6:9] == "999")


def test_there_is_no_cpr_number_of_a_stranger() -> None:
    found = [
        place(path, line)
        for folder in EVERYTHING
        for path in sorted((ROOT / folder).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
        for line, number in numbers(path)
        if not allowed(path.relative_to(ROOT), number)
    ]
    assert found == []


def test_the_search_finds_what_it_is_for(tmp_path: Path) -> None:
    sample = tmp_path / "x.txt"
    people = ["311299" + "-4321", "0102034" + "567", "CPR:150772" + " 9995."]
    others = ["4500000101", "999000000101", "321299" + "4321", "20261123160500", "a0102034" + "567"]
    sample.write_text("\n".join(people + others), "utf-8")
    assert [line for line, _ in numbers(sample)] == [1, 2, 3]

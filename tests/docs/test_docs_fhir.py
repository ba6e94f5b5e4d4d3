"""docs/fhir.md is true: each command is run in order, each answer held against what is printed."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.docs.pages import DOCS
from tests.docs.reader import START, Reader, copied

PAGE = DOCS / "fhir.md"
Step = tuple[str, str]
"""A command, and what it prints; empty where the page does not say."""
_BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```$", re.M | re.S)


def steps() -> list[Step]:
    """Every command of the page, in order."""
    found: list[Step] = []
    for kind, content in _BLOCK.findall(PAGE.read_text("utf-8")):
        if kind == "sh":
            found.append((content, ""))
        else:
            command, before = found[-1]
            assert not before, "one answer for each command"
            found[-1] = (command, content)
    return found


def prints(told: str, printed: str) -> bool:
    """``…`` stands for anything; how it is broken into lines does not matter."""
    pieces = [r"\s*".join(map(re.escape, p.split())) for p in printed.strip().split("…")]
    return re.fullmatch(r"\s*" + r".*?".join(pieces) + r"\s*", told, re.S) is not None


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    found = Reader(copied(tmp_path_factory.mktemp("fhir-page")))
    yield found
    found.leaves()


def test_every_answer_is_as_printed(reader: Reader, subtests: pytest.Subtests) -> None:
    known = steps()
    assert len([s for s in known if s[1]]) > 15
    for command, printed in known:
        start = START.search(command)
        if start is not None:
            reader.starts(start[0])
            continue
        told = reader.does(command)
        if printed:
            with subtests.test(command.strip().splitlines()[-1]):
                assert prints(told, printed), f"{command}\n{told[:3000]}"


@pytest.mark.parametrize(
    ("told", "printed", "same"),
    [
        ('{"a":1}', '{ "a": 1 }', True),
        ('{\n  "a": 1\n}', '{ "a": 1 }', True),
        ('{"a":1,"b":2}', '{"a":1,…}', True),
        ('{"a":1,"b":2}', '{"a":2,…}', False),
        ('{"a":1,"b":2}', '{"a":1', False),
    ],
)
def test_the_comparison_can_fail(told: str, printed: str, same: bool) -> None:
    assert prints(told, printed) == same

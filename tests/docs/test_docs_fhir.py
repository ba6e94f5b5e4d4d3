"""docs/fhir.md is true: each command is run in order, each answer held against what is printed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.docs.pages import DOCS
from tests.docs.reader import START, Reader, copied, prints, steps

PAGE = DOCS / "fhir.md"


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    found = Reader(copied(tmp_path_factory.mktemp("fhir-page")))
    yield found
    found.leaves()


def test_every_answer_is_as_printed(reader: Reader, subtests: pytest.Subtests) -> None:
    known = steps(PAGE)
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

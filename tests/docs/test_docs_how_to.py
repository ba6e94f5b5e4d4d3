"""The how-to pages are true: done as a newcomer does it, in a copy of the checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import DOCS
from tests.docs.reader import Reader, copied, prints, steps

PAGES = sorted((DOCS / "how-to").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_every_command_prints_what_the_page_says(page: Path, tmp_path: Path) -> None:
    reader, answers = Reader(copied(tmp_path)), 0
    for command, printed in steps(page):
        told = reader.does(command)
        assert prints(told, printed), f"{command}\n{told}"
        answers += bool(printed)
    assert answers > 2

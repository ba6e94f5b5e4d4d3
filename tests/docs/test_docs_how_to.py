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
    before = _files(tmp_path)
    for command, printed in steps(page):
        told = reader.does(command)
        assert prints(told, printed), f"{command}\n{told}"
        answers += bool(printed)
    assert answers > 2
    assert _files(tmp_path) == before, "the page says how to tidy up"


def _files(folder: Path) -> set[str]:
    """What a reader sees; what Python and the reader's shell keep beside it does not count."""
    found = (p.relative_to(folder).parts for p in folder.rglob("*") if not p.is_symlink())
    return {"/".join(p) for p in found if not any(s[0] == "." or s == "__pycache__" for s in p)}

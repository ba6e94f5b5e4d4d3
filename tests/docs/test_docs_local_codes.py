"""docs/how-to/local-codes.md is true: done as a newcomer does it, in a copy of the checkout."""

from __future__ import annotations

from pathlib import Path

from tests.docs.pages import DOCS
from tests.docs.reader import Reader, copied, prints, steps

PAGE = DOCS / "how-to" / "local-codes.md"


def test_every_command_prints_what_the_page_says(tmp_path: Path) -> None:
    reader, answers = Reader(copied(tmp_path)), 0
    for command, printed in steps(PAGE):
        told = reader.does(command)
        assert prints(told, printed) or (not printed and not told), f"{command}\n{told}"
        answers += bool(printed)
    assert answers > 4

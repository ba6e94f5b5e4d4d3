"""The generated pages are in step with the code, and say all of it."""

from __future__ import annotations

import pytest
from click import Group

from hub.cli.main import cli
from hub.runtime.reference import commands, pages
from hub.runtime.settings import Settings
from tests.docs.pages import DOCS, first_cells, headings

MADE = pages()


@pytest.mark.parametrize("name", MADE)
def test_the_page_is_what_the_code_makes(name: str) -> None:
    assert (DOCS / name).read_text("utf-8") == MADE[name], "run: make reference"


def test_every_setting_is_on_its_page() -> None:
    wanted = [f"`KI_HUB_{name.upper()}`" for name in Settings.model_fields]
    assert wanted
    assert [c for c in first_cells(DOCS / "settings.md") if c.startswith("`")] == wanted
    assert all(field.description for field in Settings.model_fields.values())


def test_every_command_is_on_its_page() -> None:
    shown = set(headings(DOCS / "commands.md").values())
    found = list(commands(cli))
    assert {c.command_path for c in found} <= shown
    groups = [c for c in found if isinstance(c.command, Group)]
    assert len(found) > len(groups) > 0
    assert all(c.command.help for c in found)


def test_the_pages_do_not_depend_on_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERMINAL_WIDTH", "40")
    assert pages() == MADE

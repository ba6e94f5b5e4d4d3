"""docs/operations.md: every state and act is in it, and its commands do what it says."""

from __future__ import annotations

import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from hub.cli.main import cli
from hub.model.delivery import State
from hub.model.operate import ACTS
from hub.runtime.bootstrap import close
from hub.runtime.settings import Settings
from tests.api.world import founded
from tests.docs.pages import DOCS, code_spans, fences, first_cells, section

PAGE = DOCS / "operations.md"


def test_every_state_and_act_has_a_row() -> None:
    rows = {cell.strip("`") for cell in first_cells(PAGE)}
    assert rows >= {s.value for s in State} | set(ACTS)
    assert rows - {s.value for s in State} - set(ACTS) == {"State", "Act"}
    for act in ACTS:
        assert act in section(PAGE, "What each act does")


@pytest.mark.parametrize("said", sorted({s for s in code_spans(PAGE) if s.startswith("ki-hub ")}))
def test_every_command_that_it_names_exists(said: str) -> None:
    group: click.Command = cli
    for word in said.split()[1:]:
        if not isinstance(group, click.Group) or word.startswith("-") or word.isupper():
            break
        found = group.get_command(click.Context(group), word)
        assert found is not None, said
        group = found
    options = {o for p in group.params for o in p.opts}
    assert {w for w in said.split() if w.startswith("--")} <= options


def test_every_setting_that_it_names_exists() -> None:
    named = {s.removeprefix("KI_HUB_").lower() for s in code_spans(PAGE) if s.startswith("KI_HUB")}
    assert named
    assert named <= set(Settings.model_fields)


def test_its_commands_run_as_written(tmp_path: Path) -> None:
    """On a hub with the demo's parties and nothing to mend: nothing is found, nothing is done."""
    close(founded(tmp_path).hub)
    printed = []
    for block in fences(PAGE, "sh"):
        program, *arguments = shlex.split(block)
        assert program == "ki-hub"
        done = CliRunner().invoke(cli, arguments, env={"KI_HUB_DATA": str(tmp_path)})
        assert done.exit_code == 0, done.output
        printed.append(done.output)
    assert len(printed) == 4
    assert "resend: 0 of 0. Nothing is done yet." in printed[0]

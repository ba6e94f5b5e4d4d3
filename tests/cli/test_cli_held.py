"""``ki-hub deliveries accept-losses``: the operator lets a held document go, and says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.runtime.bootstrap import close
from tests.api.test_unaccepted_losses import published, refusing
from tests.api.world import SOCIAL, founded
from tests.cli.conftest import Site, refusal
from tests.cli.test_cli_not_ready import words

COMMAND = ("deliveries", "accept-losses")


@pytest.fixture
def held(tmp_path: Path) -> Site:
    """The municipality accepts no dropped loss; its document is held back."""
    world = founded(tmp_path / "data")
    refusing(world, "dropped")
    assert published(world)["state"] == "held"
    close(world.hub)
    return Site(tmp_path / "data")


def test_the_id_that_the_table_shows_is_enough(held: Site) -> None:
    (row,) = held.json("deliveries", "--state", "held")
    begins = row["delivery"][:8]
    for columns in (60, 160):
        table = Site(held.data, columns).run("deliveries", "--state", "held").stdout
        assert begins in table
        assert "held" in table
    done = held.run(*COMMAND, begins, "--reason", "Aftalt i telefon")
    assert (done.returncode, done.stdout) == (0, f"{row['delivery']} may go.\n")
    assert held.json("deliveries", "--state", "held") == []
    # The same said twice is done once.
    assert held.json(*COMMAND, row["delivery"], "--reason", "Igen")["state"] == "due"
    (after,) = held.json("deliveries", "--state", "due", "--receiver", SOCIAL)
    assert [e["state"] for e in after["history"]] == ["due", "held", "due"]


def test_what_cannot_be_is_told(held: Site) -> None:
    (row,) = held.json("deliveries", "--state", "held")
    assert held.run(*COMMAND, row["delivery"]).returncode == 2
    (issue,) = refusal(held.run(*COMMAND, row["delivery"], "--reason", " "))
    assert issue["details"]["text"] == "Say why it may go"
    # Nothing is what an unset variable of a script gives.
    for unknown in ("no-such-id", ""):
        (issue,) = refusal(held.run(*COMMAND, unknown, "--reason", "x"))
        assert issue["details"]["text"] == "No such delivery is known to you"
    assert len(held.json("deliveries", "--state", "held")) == 1


@pytest.mark.parametrize(
    "command",
    [
        (*COMMAND, "x", "--reason", "y"),
        ("proposals", "list", "--party", "rus-havneby"),
        ("proposals", "show", "x", "--party", "rus-havneby", "--json"),
    ],
)
def test_a_database_without_tables_is_told_in_words(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    assert "ki-hub migrate" in words(Site(tmp_path).run(*command))

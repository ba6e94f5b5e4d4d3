"""``ki-hub proposals``: a person at a command line decides as one at the console does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from hub.runtime.bootstrap import close
from tests.api.copies import changed, copy_for, goals, send
from tests.api.world import PSYK, RUS, SOCIAL, founded
from tests.cli.conftest import Site, refusal

NEW = "Karla vælger selv, hvem der er med."
SAID = ("--party", RUS, "--person", "Mette, kontaktperson", "--reason", "Aftalt")


@pytest.fixture
def proposed(tmp_path: Path) -> Site:
    """A plan with one proposal by the psychiatry."""
    world = founded(tmp_path / "data")
    assert world.consent().status_code == 201
    plan = world.publish_plan()
    said = changed(
        copy_for(world.hub, plan, PSYK), lambda b: goals(b)[0].update(description={"text": NEW})
    )
    assert send(world, PSYK, said).status_code == 200
    close(world.hub)
    return Site(tmp_path / "data", columns=140)


def test_list_show_and_accept(proposed: Site) -> None:
    (row,) = proposed.json("proposals", "list", "--party", RUS)
    assert (row["author"], row["kind"], row["state"]) == (PSYK, "proposal", "open")
    shown = proposed.json("proposals", "show", row["proposal"], "--party", RUS)
    assert shown["theirs"][0] == NEW
    # The id as the table shows it.
    done = proposed.run("proposals", "show", row["proposal"][:8], "--party", RUS)
    assert f"theirs:\n  {NEW}" in done.stdout
    # In words and by Danish clocks; FHIR's names and UTC are for machines.
    assert "about: et mål" in done.stdout
    assert "lifecycleStatus" not in done.stdout
    assert any(x.startswith("lifecycleStatus: ") for x in shown["stands"])
    assert re.search(r"^received_at: \d\d\.\d\d\.\d{4} kl\. \d\d\.\d\d$", done.stdout, re.M)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT.+\+00:00", shown["received_at"])
    english = proposed.run("proposals", "show", row["proposal"][:8], "--party", RUS,
                           "--language", "en")  # fmt: skip
    assert "about: a goal" in english.stdout
    assert NEW not in proposed.run("proposals", "list", "--party", RUS).stdout
    told = proposed.json("proposals", "accept", row["proposal"][:8], *SAID, "--version", "1")
    assert told["state"] == "accepted"
    assert proposed.json("plans")[0]["head"] == 2
    assert proposed.json("proposals", "list", "--party", RUS) == []
    (after,) = proposed.json("proposals", "list", "--party", PSYK, "--all")
    assert after["reason"] == "Aftalt"


def test_reject_and_reword(proposed: Site) -> None:
    (row,) = proposed.json("proposals", "list", "--party", RUS)
    own = ("--text", "Karla vælger sammen med Mette.")
    told = proposed.json("proposals", "reword", row["proposal"], *SAID, *own)
    assert told["state"] == "replaced"
    assert refusal(proposed.run("proposals", "reject", row["proposal"], *SAID))


def test_what_one_may_not_know_or_decide_is_refused(proposed: Site) -> None:
    (row,) = proposed.json("proposals", "list", "--party", RUS)
    name = row["proposal"]
    assert proposed.json("proposals", "list", "--party", SOCIAL) == []
    for known in (name, name[:8], ""):
        assert refusal(proposed.run("proposals", "show", known, "--party", SOCIAL))
    assert refusal(proposed.run("proposals", "accept", name, "--party", PSYK, *SAID[2:]))
    assert refusal(proposed.run("proposals", "accept", "", *SAID))
    assert refusal(proposed.run("proposals", "list", "--party", "nosuch"))
    assert proposed.run("proposals", "accept", name, "--party", RUS).returncode == 2
    assert json.loads(proposed.run("plans", "--json").stdout)[0]["head"] == 1

"""``ki-hub deliveries resend`` and its like, ``dead-letters``, ``actions``: look first, then do."""

from __future__ import annotations

import getpass
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hub.cli.citizens import command as citizens
from hub.errors import NotFound
from hub.ports import InboundMessage
from hub.runtime.bootstrap import close
from hub.services.worker import receive
from tests.api.world import CPR_1, CPR_2, KOORD_OWN, PSYK, RUS, TREATMENT, opened
from tests.cli.conftest import Site, refusal

WHY = ("--reason", "Ny postkasse")
SKIP = ("deliveries", "skip", "--receiver", KOORD_OWN, *WHY)


@pytest.fixture(scope="module")
def troubled_folder(planned_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A delivery was refused, and a document died on the broker."""
    folder = tmp_path_factory.mktemp("cli-trouble") / "data"
    shutil.copytree(planned_folder, folder)
    world = opened(folder, _secrets(folder))
    world.receipt(world.delivery(KOORD_OWN)["delivery"], KOORD_OWN, "permanent")
    dead = InboundMessage(
        "dead", PSYK, "behandlingsplan", "m-1", "application/xml", TREATMENT,
        "delivery-limit in ki.inbound",
    )  # fmt: skip
    receive(world.hub, dead)
    close(world.hub)
    return folder


def _secrets(folder: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads((folder / "secrets.json").read_text())
    return found


@pytest.fixture
def troubled(troubled_folder: Path, tmp_path: Path) -> Site:
    shutil.copytree(troubled_folder, tmp_path / "data")
    return Site(tmp_path / "data")


def reason(site: Site) -> str:
    (row,) = site.json("deliveries", "--receiver", KOORD_OWN)
    return str(row["reason"])


def test_without_yes_it_is_only_shown(troubled: Site) -> None:
    done = troubled.run(*SKIP)
    assert done.returncode == 0
    assert "skip: 1 of 1. Nothing is done yet." in done.stdout
    assert "--expect 1" in done.stdout
    seen: dict[str, Any] = troubled.json(*SKIP)
    assert (seen["count"], seen["refused"]) == (1, 0)
    assert reason(troubled) == "The receiver refused it"
    assert troubled.json("actions", "list") == []


def test_another_number_than_was_expected_does_nothing(troubled: Site) -> None:
    (issue,) = refusal(troubled.run(*SKIP, "--expect", "2"))
    assert issue["details"]["text"] == "It would be done to 1 now, and not to 2; look at it again"
    assert reason(troubled) == "The receiver refused it"


def test_it_is_done_and_told_and_is_in_the_name_of_who_does_it(troubled: Site) -> None:
    row = troubled.json(*SKIP, "--expect", "1", "--by", "Signe")
    assert (row["done"], row["waits"], row["by"]) == (1, 0, "Signe")
    (found,) = troubled.json("deliveries", "--receiver", KOORD_OWN)
    assert found["reason"] == "A person decided to leave it so: Ny postkasse"
    assert found["history"][-1]["by"] == "Signe"
    (listed,) = troubled.json("actions", "list")
    assert listed["reason"] == "Ny postkasse"
    shown = troubled.run("actions", "show", row["action"][:8])
    assert "skip: 1 done, 0 not, 0 failed, 0 to do." in shown.stdout
    assert troubled.json(*SKIP, "--yes")["by"] == getpass.getuser()


def test_what_is_refused_is_told_with_the_reason(troubled: Site) -> None:
    done = troubled.run("deliveries", "skip", "--receiver", "citizen", *WHY)
    assert "1 not: The citizen's own copy is not an operator's to hold back" in done.stdout
    (issue,) = refusal(troubled.run("deliveries", "skip", *WHY, "--yes"))
    assert issue["details"]["text"].startswith("Say which deliveries")


def test_a_dead_letter_is_listed_looked_at_and_put_back(troubled: Site) -> None:
    (letter,) = troubled.json("dead-letters", "list")
    begins = letter["letter"][:8]
    assert begins in troubled.run("dead-letters", "list").stdout
    look = troubled.run_bytes("dead-letters", "show", begins, *WHY)
    assert look.stdout == TREATMENT
    envelope = troubled.run("dead-letters", "show", begins, *WHY, "--envelope").stdout
    assert "way: document" in envelope
    every = ("dead-letters", "replay", "--way", "document", *WHY)
    assert "replay: 1 of 1. Nothing is done yet." in troubled.run(*every).stdout
    refusal(troubled.run(*every, "--expect", "2"))
    (done,) = troubled.json(*every, "--expect", "1")
    assert done["became"].startswith("message/")
    assert troubled.json("dead-letters", "list") == []
    refusal(troubled.run("dead-letters", "discard", begins, *WHY))


def test_a_dead_letter_is_let_go(troubled: Site) -> None:
    (letter,) = troubled.json("dead-letters", "list")
    none = ("dead-letters", "discard", "--queue", "ki.receipts", *WHY)
    assert troubled.json(*none)["count"] == 0
    many = ("dead-letters", "discard", "--queue", "ki.inbound", "--since", "2026-01-01", *WHY)
    assert [x["letter"] for x in troubled.json(*many)["letters"]] == [letter["letter"]]
    refusal(troubled.run(*many, "--expect", "2"))
    (done,) = troubled.json("dead-letters", "discard", letter["letter"], *WHY)
    assert done["became"] == "discarded"
    assert troubled.json("dead-letters", "list") == []


def test_only_what_is_set_aside_is_released(troubled: Site) -> None:
    (message, *_) = troubled.json("messages", "list")
    (issue,) = refusal(troubled.run("messages", "release", message["message"], *WHY))
    assert issue["details"]["text"] == "The message is not set aside; nothing was changed"


def test_numbers_are_read_and_never_written_on_the_command_line(troubled: Site) -> None:
    arguments = ["link-number", "--party", RUS, "--person", "Tove, tovholder", "--json"]

    def asked(*lines: str) -> Result:
        data = {"KI_HUB_DATA": str(troubled.data)}
        return CliRunner().invoke(citizens, arguments, input="\n".join(lines) + "\n", env=data)

    done = asked(CPR_1, f"{CPR_2[:6]}-{CPR_2[6:]}")
    assert (done.exit_code, done.stdout) == (0, '{"linked": true}\n')
    assert isinstance(asked("0101809995", CPR_2).exception, NotFound)

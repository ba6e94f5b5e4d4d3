"""``ki-hub messages``: what came in, and the content of what could not be understood."""

from __future__ import annotations

import getpass
import json
import shutil
from pathlib import Path

import pytest

from hub.runtime.bootstrap import close
from tests.api.world import RUS, opened
from tests.cli.conftest import Site, refusal

BROKEN = '{"resourceType": "Bundle", "æ'.encode("latin-1")


@pytest.fixture
def message(site: Site) -> str:
    """A refused document's id."""
    world = opened(site.data, json.loads((site.data / "secrets.json").read_text()))
    answer = world.post("/documents/fhir", RUS, BROKEN)
    assert answer.status_code == 400
    close(world.hub)
    return answer.headers["Location"].rpartition("/")[2]


def test_list_and_show(site: Site, message: str) -> None:
    (row,) = site.json("messages", "list", "--state", "refused")
    assert row == site.json("messages", "show", message[:8])
    assert (row["message"], row["sender"], row["state"]) == (message, RUS, "refused")
    told = site.run("messages", "list").stdout
    assert max(map(len, told.splitlines())) <= 80
    assert message[:8] in told
    assert row["issues"][0]["text"] in site.run("messages", "show", message).stdout


def test_bytes_are_written_as_they_came(site: Site, message: str) -> None:
    done = site.run_bytes("messages", "bytes", message[:8], "--reason", "fejlsøgning")
    assert (done.returncode, done.stdout, done.stderr) == (0, BROKEN, b"")
    world = opened(site.data, {})
    with world.hub.store.reading() as work:
        row = work.journal.audit_of(f"inbox/{message}")[-1]
    close(world.hub)
    found = (row["action"], row["actor"], row["detail"])
    assert found == ("break-glass", getpass.getuser(), "fejlsøgning")


def test_a_reason_is_needed(site: Site, message: str) -> None:
    assert site.run("messages", "bytes", message).returncode == 2
    assert refusal(site.run("messages", "bytes", message, "--reason", "  "))


@pytest.mark.parametrize("command", [["show", "zz"], ["bytes", "zz", "--reason", "x"]])
def test_what_is_not_there(site: Site, command: list[str]) -> None:
    (issue,) = refusal(site.run("messages", *command))
    assert issue["code"] == "not-found"


def test_several_that_begin_so(site: Site, message: str, tmp_path: Path) -> None:
    """An empty beginning is every id's."""
    shutil.copytree(site.data, tmp_path / "two")
    world = opened(tmp_path / "two", json.loads((site.data / "secrets.json").read_text()))
    world.post("/documents/fhir", RUS, b"<")
    close(world.hub)
    (issue,) = refusal(Site(tmp_path / "two").run("messages", "show", ""))
    assert "more of the id" in issue["details"]["text"]
    assert site.json("messages", "show", "")["message"] == message

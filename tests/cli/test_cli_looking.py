"""What an operator looks up on the command line, and how it says that there is no such thing."""

from __future__ import annotations

import json
import shutil
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from hub.cli.document import DEMO_PARTIES
from hub.mapping.codes import COLUMNS
from tests.api.world import PSYK, RUS
from tests.cli.conftest import Site, refusal


def test_deliveries_are_readable_on_a_narrow_screen(planned: Site) -> None:
    rows = {r["delivery"][:8]: r for r in planned.json("deliveries")}
    lines = planned.run("deliveries").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    begun = [line for line in lines[1:] if line[0] != " "]
    assert len(begun) == len(rows)
    for line in begun:
        delivery, plan, version, receiver, state, *reason = line.split()
        row = rows[delivery]
        assert row["plan"].startswith(plan)
        assert (row["version"], row["receiver"], row["state"]) == (int(version), receiver, state)
        assert row["reason"].split()[: len(reason)] == reason


def test_no_party_s_id_is_broken(site: Site) -> None:
    shown = site.run("parties", "list").stdout
    assert [r["party"] for r in site.json("parties", "list") if r["party"] not in shown] == []


def test_a_wide_screen_shows_more(planned: Site) -> None:
    wide = Site(planned.data, columns=160).run("deliveries")
    assert "medcom-carecommunication" in wide.stdout
    assert "attempts" in wide.stdout
    assert "attempts" not in planned.run("deliveries").stdout


def test_the_beginning_of_a_plan_s_id_is_enough(planned: Site) -> None:
    everything = planned.json("deliveries")
    plan = everything[0]["plan"]
    assert planned.json("deliveries", "--plan", plan[:8]) == everything
    assert planned.json("deliveries", "--plan", plan) == everything


def test_an_unknown_state_is_wrong_usage(site: Site) -> None:
    done = site.run("deliveries", "--state", "nosuch")
    assert done.returncode == 2
    assert "blocked" in done.stderr
    assert "retry_at" in done.stderr


@pytest.mark.parametrize("wanted", [("--plan", "nosuch"), ("--receiver", "nosuch")])
def test_what_is_not_there_is_not_found(site: Site, wanted: tuple[str, str]) -> None:
    (issue,) = refusal(site.run("deliveries", *wanted))
    assert issue["code"] == "not-found"


def test_a_party_without_deliveries_is_no_mistake(site: Site) -> None:
    assert site.json("deliveries", "--receiver", RUS) == []


def test_a_parties_file_that_is_none_is_refused_input(site: Site, tmp_path: Path) -> None:
    (issue,) = refusal(site.run("parties", "apply", "/etc/passwd"))
    assert "passwd" in issue["details"]["text"]
    taken = tmp_path / "parties.yaml"
    content = {
        "parties": [
            {
                "id": "operator", "name": "x", "kind": "gp", "organisation": "x",
                "identifiers": {"local": "x"}, "endpoint": {"transport": "mailbox"},
            }
        ],
        "citizen": {"format": "pdf"},
    }  # fmt: skip
    taken.write_text(json.dumps(content))
    assert refusal(site.run("parties", "apply", str(taken)))


def test_own_codes_of_nobody_are_told(site: Site, tmp_path: Path) -> None:
    own = tmp_path / "own"
    codes = own / "psyk-nowhere" / "behandlingsplan" / "codes"
    codes.mkdir(parents=True)
    row = ",PSY,Psykiatrien,,psychiatry,Psykiatri,equivalent,"
    (codes / "section.csv").write_text(",".join(COLUMNS) + f"\n{row}\n", "utf-8")
    done = site.run("doctor", mappings_dir=str(own))
    assert done.returncode == 4
    told = f"{own / 'psyk-nowhere'}: no party is registered under this name; the operator renames"
    assert f"own codes: {told}" in done.stdout
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        starting = site.run("serve", mappings_dir=str(own), port=port)
    assert (starting.returncode, "mappings.nobody" in starting.stderr) == (4, True)
    assert str(own / "psyk-nowhere") in starting.stderr
    checked = ("mappings", "check", "--overrides", str(own))
    assert site.run(*checked).returncode == 0, "who is registered, it cannot know"
    held = site.run(*checked, "--parties", str(DEMO_PARTIES))
    assert held.returncode == 1
    assert f"{own / 'psyk-nowhere'}:1: form: no party" in held.stdout
    codes.parents[1].rename(own / PSYK)
    assert site.run(*checked, "--parties", str(DEMO_PARTIES)).stdout == ""
    assert "own codes: ok" in site.run("doctor", mappings_dir=str(own)).stdout


def test_doctor_asks_for_what_it_promises(site: Site) -> None:
    found = site.json("doctor")
    assert set(found) == {
        "database", "schema", "writing", "broker", "formats", "access", "parties",
    }  # fmt: skip
    assert set(found.values()) == {"ok"}


def test_an_endpoint_that_fails_is_listed_and_reset_with_a_reason(
    site: Site, tmp_path: Path
) -> None:
    assert site.json("endpoints", "list") == []
    data = tmp_path / "own"
    shutil.copytree(site.data, data)
    own = Site(data)
    database = sqlite3.connect(data / "ki-hub.db")
    with closing(database), database:
        database.execute(
            "INSERT INTO breaker (endpoint, state, failures, probes, reason)"
            " VALUES ('https://ehr.example:443', 'open', 5, 0, 'The endpoint cannot be reached')"
        )
    (row,) = own.json("endpoints", "list")
    assert (row["state"], row["failures"], row["parties"]) == ("open", 5, [])
    assert own.run("endpoints", "reset", row["endpoint"]).returncode == 2
    done = own.json("endpoints", "reset", row["endpoint"], "--reason", "Genstartet")
    assert done == {"endpoint": row["endpoint"], "state": "closed"}
    assert own.json("endpoints", "list") == []
    (issue,) = refusal(own.run("endpoints", "reset", "https://x:443", "--reason", "x"))
    assert issue["code"] == "not-found"

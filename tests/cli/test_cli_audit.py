"""``ki-hub audit`` on a hub that has a plan."""

from __future__ import annotations

import json
import sqlite3
import stat
import zipfile
from contextlib import closing
from pathlib import Path

from click.testing import CliRunner, Result

from hub.cli.audit import command as audit
from hub.errors import Invalid, NotFound
from tests.api.world import CPR_1
from tests.cli.conftest import Site


def test_the_trail_of_a_plan_is_intact_and_sealed_at_exit(planned: Site) -> None:
    done = planned.run("plans")
    assert done.returncode == 0
    found = planned.json("audit", "verify")
    assert found["intact"] is True
    assert found["break"] is None
    assert found["unsealed"] == 0
    assert found["rows"] > 5
    head = planned.json("audit", "head")
    assert (head["position"], head["chain_hash"]) == (found["rows"], found["head"])
    assert planned.run("audit", "head").stdout == f"{found['head']}\n"
    said = planned.run("audit", "verify", "--head", found["head"])
    assert (said.returncode, said.stdout.split(":")[0]) == (0, "Intact")


def test_a_broken_trail_is_told_with_its_place(planned: Site) -> None:
    head = planned.json("audit", "head")["chain_hash"]
    with closing(sqlite3.connect(planned.data / "ki-hub.db")) as db:
        db.execute("UPDATE audit SET outcome = 'denied' WHERE id = 3")
        db.commit()
    done = planned.run("audit", "verify")
    assert done.returncode == 1
    assert "BROKEN at seal 3, row 3: The row was changed." in done.stdout
    with closing(sqlite3.connect(planned.data / "ki-hub.db")) as db:
        db.execute("UPDATE audit SET outcome = 'success' WHERE id = 3")
        last = db.execute("SELECT max(id) FROM audit").fetchone()[0]
        db.execute("DELETE FROM audit WHERE id = ?", (last,))
        db.execute("DELETE FROM audit_seal WHERE audit_id = ?", (last,))
        db.commit()
    assert planned.run("audit", "verify").returncode == 0
    done = planned.run("audit", "verify", "--head", head)
    assert done.returncode == 1
    assert "its end was cut off" in done.stdout


def test_a_plan_s_records_are_held_copied_and_exported(planned: Site, tmp_path: Path) -> None:
    plan = planned.json("plans")[0]["plan"]
    assert planned.run("audit", "hold", plan[:8], "--reason", "A complaint").returncode == 0
    assert [h["plan"] for h in planned.json("audit", "holds")] == [plan]
    assert planned.run("audit", "forget", plan, "--reason", "x").returncode == 3
    assert planned.run("audit", "release", plan, "--reason", "Over").returncode == 0
    held = planned.run("audit", "hold", plan[:8], "--citizen", "--reason", "A complaint")
    assert (held.returncode, held.stdout) == (0, f"Held: the citizen of {plan}\n")
    (row,) = planned.json("audit", "holds")
    assert (row["plan"], bool(row["citizen"])) == (None, True)
    over = planned.run("audit", "release", plan, "--citizen", "--reason", "Over")
    assert (over.returncode, planned.json("audit", "holds")) == (0, [])
    target = tmp_path / "copy.zip"
    arguments = ("audit", "subject", plan[:8], "--to", str(target), "--reason", "Asked for it")
    done = planned.run(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with zipfile.ZipFile(target) as found:
        assert found.namelist()[0] == "index.json"
        assert done.stdout == f"{len(found.namelist())} files\n"
    assert planned.run(*arguments).returncode == 2
    words = planned.json("audit", "export", "--citizen-of", plan, "--format", "minlog")
    assert {"Fik en kopi sendt"} <= {w["what"] for w in words}


def test_a_citizen_is_named_by_a_number_that_is_read_and_never_written(
    planned: Site, tmp_path: Path
) -> None:
    def asked(*arguments: str, number: str = CPR_1) -> Result:
        data = {"KI_HUB_DATA": str(planned.data)}
        done = CliRunner().invoke(audit, arguments, input=f"{number}\n", env=data)
        assert number not in done.stdout
        return done

    why = ("--number", "cpr", "--reason", "A complaint")
    held = asked("hold", *why)
    assert (held.exit_code, held.stdout) == (0, "Held: the citizen\n")
    (row,) = planned.json("audit", "holds")
    assert (row["plan"], bool(row["citizen"])) == (None, True)
    assert asked("release", *why).stdout == "Released: the citizen\n"
    target = tmp_path / "copy.zip"
    assert asked("subject", "--to", str(target), *why).stdout.endswith(" files\n")
    words = asked("export", "--number", "cpr", "--format", "minlog", "--json")
    assert "Fik en kopi sendt" in words.stdout
    assert isinstance(asked("hold", *why, number="0101809995").exception, NotFound)
    assert isinstance(asked("forget", *why).exception, Invalid)
    for wrong in (("hold", "--reason", "x"), ("hold", "p", *why)):
        assert asked(*wrong).exit_code == 2


def test_the_trail_is_exported_as_columns_and_as_events(planned: Site) -> None:
    table = planned.run("audit", "export", "--since", "2026-01-01").stdout.splitlines()
    assert table[0].startswith("id;at;actor;action;object;")
    assert len(table) > 5
    events = planned.run("audit", "export", "--until", "2200-01-01", "--format", "fhir")
    assert json.loads(events.stdout)["resourceType"] == "Bundle"
    assert planned.run("audit", "export").returncode == 2

"""``ki-hub audit`` on a hub that has a plan."""

from __future__ import annotations

import sqlite3
from contextlib import closing

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

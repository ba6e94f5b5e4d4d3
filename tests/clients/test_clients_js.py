"""fhir-kit-client (JavaScript) runs the plan scenario on Debian's Node."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import SOURCE
from tests.clients.facts import Facts, new_plan
from tests.servers.hub import LEAD, LiveHub
from tests.servers.process import program


@pytest.fixture
def told(hub: LiveHub, facts: Facts, scripts: Path, tmp_path: Path) -> dict[str, Any]:
    """What the script found; ``facts`` were read before it ran."""
    script = shutil.copy(SOURCE / "scenario.mjs", scripts)
    settings = {
        "BASE": hub.base, "TOKEN": hub.secrets[LEAD], "PLAN": hub.plan, "NUMBER": facts.number,
    }  # fmt: skip
    writing = {
        # Of the version that the script makes: another client of this hub may have had the one
        # before approved.
        "approval": hub.decision("approval-1.json", int(facts.versions[0]) + 1),
        "transaction": new_plan(303),
    }
    (tmp_path / "writing.json").write_text(json.dumps(writing), "utf-8")
    done = subprocess.run(
        [program("node"), script, tmp_path / "writing.json"],
        env=os.environ | settings, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_it_runs_the_plan_scenario(told: dict[str, Any], hub: LiveHub, facts: Facts) -> None:
    assert told["fhirVersion"] == "4.0.1"
    assert "CarePlan" in told["types"]
    assert set(told["byNumber"]) == facts.plans
    assert told["plan"] == facts.plan
    assert told["etag"] == f'W/"{facts.plan["meta"]["versionId"]}"'
    assert told["patient"] == facts.patient
    assert tuple(told["versions"]) == facts.versions
    assert told["first"] == told["firstInHistory"]
    assert told["included"][0] == ["match", "CarePlan"]
    assert told["included"].count(["include", "Goal"]) == len(facts.goals)
    assert told["included"].count(["include", "Patient"]) == 1
    goals = [key for page in told["pages"] for key in page]
    assert len(told["pages"]) == len(goals) == len(set(goals)) == told["total"]
    assert facts.goals <= set(goals)
    assert set(told["everything"]) == facts.everything
    assert set(told["everyGoal"]) == {k for k in facts.everything if k.startswith("Goal/")}
    assert told["nobody"] == {"status": 404, "type": "OperationOutcome", "code": "not-found"}
    assert told["number"]["status"] == 422
    version = int(facts.plan["meta"]["versionId"])
    assert told["changed"] == {
        "title": "Planen fra fhir-kit-client",
        "version": str(version + 1),
    }
    assert told["overwritten"] == {"status": 412, "type": "OperationOutcome", "code": "conflict"}
    assert told["approval"]["status"] == 201
    assert told["approval"]["location"].startswith(f"{hub.base}/Consent/")
    assert told["approvalRead"] == "active"
    assert set(told["transaction"]) == {"201"}
    assert told["made"]

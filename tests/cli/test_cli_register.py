"""``consent register`` and ``approval register``: what they take, and how they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.api.world import RUS, approval
from tests.cli.conftest import Site, refusal
from tests.views import EXAMPLES

CONSENT, APPROVAL, PLAN = (
    str(EXAMPLES / f"{name}-1.json") for name in ("consent", "approval", "plan")
)


def test_a_consent_is_registered(site: Site) -> None:
    told = site.json("consent", "register", CONSENT, "--party", RUS)
    assert told["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_a_refused_document_leaves_one_outcome_on_stderr(
    site: Site, tmp_path: Path, level: str
) -> None:
    """Whatever the settings say of the log: they are the server's too."""
    bad = tmp_path / "consent.json"
    bad.write_text(json.dumps(json.loads(Path(CONSENT).read_bytes()) | {"category": []}))
    done = site.run("consent", "register", str(bad), "--party", RUS, log_level=level)
    assert refusal(done)
    unknown = tmp_path / "approval.json"
    unknown.write_bytes(approval("00000000-0000-4000-8000-000000000000"))
    done = site.run("approval", "register", str(unknown), "--party", RUS, log_level=level)
    assert refusal(done)


@pytest.mark.parametrize("body", ["", "[]", '{"resourceType": "Consent", "category": 3}'])
def test_what_is_no_decision_is_refused(site: Site, tmp_path: Path, body: str) -> None:
    bad = tmp_path / "consent.json"
    bad.write_text(body)
    assert refusal(site.run("consent", "register", str(bad), "--party", RUS))


@pytest.mark.parametrize("command", ["consent", "approval", "pause"])
def test_an_unknown_party_is_refused_input(site: Site, command: str) -> None:
    arguments = {
        "consent": ["consent", "register", CONSENT, "--party", "nosuch"],
        "approval": ["approval", "register", APPROVAL, "--party", "nosuch"],
        "pause": ["pause", "nosuch", "--reason", "test"],
    }
    (issue,) = refusal(site.run(*arguments[command]))
    assert issue["code"] == "not-found"


@pytest.mark.parametrize(
    ("command", "file", "told"),
    [
        ("consent", PLAN, "Consent"),
        ("approval", PLAN, "Consent"),
        ("consent", APPROVAL, "ki-hub approval register"),
        ("approval", CONSENT, "ki-hub consent register"),
    ],
)
def test_each_takes_only_its_own_kind(site: Site, command: str, file: str, told: str) -> None:
    (issue,) = refusal(site.run(command, "register", file, "--party", RUS))
    assert issue["code"] == "not-supported"
    assert told in issue["details"]["text"]
    assert site.json("plans") == []

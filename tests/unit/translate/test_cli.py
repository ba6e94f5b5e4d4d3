"""The command line: exit codes, streams and start-up time."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
import pytest

from hub import errors
from hub.cli import main as module
from hub.cli.main import cli, run
from hub.fhir.xml import to_xml
from hub.mapping.codes import COLUMNS
from tests.views import EXAMPLES, ROOT, errors_in

PLAN = str(EXAMPLES / "plan-1.json")
COMMAND = Path(sys.executable).parent / "ki-hub"


def ki_hub(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [str(COMMAND), *arguments], input=stdin, capture_output=True, check=False, timeout=60
    )


def test_translate(tmp_path: Path) -> None:
    losses = tmp_path / "losses.json"
    done = ki_hub("translate", "--from", "fhir", "--to", "fhir", PLAN, "--losses", str(losses))
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(losses.read_bytes()) == []
    again = ki_hub(
        "translate", "--from", "fhir", "--to", "fhir", "-", "--losses", str(losses),
        stdin=done.stdout,
    )  # fmt: skip
    assert again.returncode == 0
    assert set(json.loads(losses.read_bytes())[0]) == {"path", "kind", "reason"}


def test_equal_input_equal_bytes() -> None:
    arguments = ["translate", "--from", "fhir", "--to", "fhir", PLAN, "--now", "2026-03-01T12:00Z"]
    assert ki_hub(*arguments).stdout == ki_hub(*arguments).stdout


def test_the_citizens_copy(tmp_path: Path) -> None:
    losses = tmp_path / "losses.json"
    arguments = ["translate", "--from", "fhir", "--to", "pdf", PLAN, "--now", "2026-03-01T12:00Z"]
    done = ki_hub(*arguments, "--receiver", "citizen", "--losses", str(losses))
    assert (done.returncode, done.stderr, done.stdout[:5]) == (0, b"", b"%PDF-")
    assert done.stdout != ki_hub(*arguments).stdout
    reasons = {found["reason"] for found in json.loads(losses.read_bytes())}
    assert "left out of the citizen's own version" in reasons


def test_a_units_other_plan_stands_in_its_re_issued_document() -> None:
    own = ROOT / "mappings/handleplan-141/samples/typical.xml"
    order = ROOT / "mappings/vum/samples/order-full.json"
    arguments = ["translate", "--from", "vum", "--to", "handleplan-141", str(order)]
    done = ki_hub(*arguments, "--sender", "social-havneby", "--own", str(own))
    assert (done.returncode, done.stderr) == (0, b"")
    assert "At Karla får en fast base at bo i".encode() in done.stdout.partition(b"<OtherPlan>")[2]


def test_whose_codes_it_is_in_is_found_without_a_sender(tmp_path: Path) -> None:
    codes = tmp_path / "own/social-havneby/handleplan-141/codes"
    codes.mkdir(parents=True)
    meant = "Serviceloven § 85, socialpædagogisk støtte"
    row = f',BO-85,Bostøtte,,"{meant}",,equivalent,'
    (codes / "legal-paragraph.csv").write_text(f"{','.join(COLUMNS)}\n{row}\n", "utf-8")
    sample = (ROOT / "mappings/handleplan-141/samples/typical.xml").read_bytes()
    own = sample.replace(b"serviceloven-85", b"BO-85")
    asked = ["translate", "--from", "handleplan-141", "--to", "fhir", "--now", "2026-03-01T12:00Z"]
    folder = str(tmp_path / "own")
    named = ki_hub(*asked, "--overrides", folder, "--sender", "social-havneby", "-", stdin=own)
    found = ki_hub(*asked, "--overrides", folder, "-", stdin=own)
    assert (found.returncode, found.stderr) == (0, b"")
    assert found.stdout == named.stdout
    other = tmp_path / "own/psyk-nordstrand"
    (tmp_path / "own/social-havneby").rename(other)
    refused = ki_hub(*asked, "--overrides", folder, "-", stdin=own)
    assert (refused.returncode, refused.stdout) == (3, b""), "codes of one whom it does not name"


def test_a_format_without_a_citizens_version_names_those_that_have_one() -> None:
    done = ki_hub("translate", "--from", "fhir", "--to", "fhir", PLAN, "--receiver", "citizen")
    assert (done.returncode, done.stdout) == (3, b"")
    (issue,) = json.loads(done.stderr)["issue"]
    assert issue["code"] == "not-supported"
    assert issue["details"]["text"].endswith("in: html, pdf")


def test_json() -> None:
    done = ki_hub("translate", "--from", "fhir", "--to", "fhir", "--json", PLAN)
    assert set(json.loads(done.stdout)) == {"format", "mediaType", "body", "losses"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["translate", "--from", "fhir", "--to", "fhir", "-"],
        ["translate", "--from", "telegram", "--to", "fhir", PLAN],
        ["validate", "-"],
        ["validate", "--profile", "http://nobody", PLAN],
    ],
)
def test_refused_input_leaves_exactly_one_outcome_on_stderr(arguments: list[str]) -> None:
    done = ki_hub(*arguments, stdin=b'{"resourceType": "CarePlan", "title": "Karla"}')
    assert done.returncode == 3
    told: dict[str, Any] = json.loads(done.stderr)
    assert told["resourceType"] == "OperationOutcome"
    assert errors_in(told) == []
    assert b"Karla" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-command"],
        ["translate"],
        ["translate", "--from", "fhir", "--to", "fhir", "/no/such/file"],
        ["translate", "--from", "fhir", "--to", "fhir", PLAN, "--sender", "nobody"],
        ["translate", "--from", "fhir", "--to", "fhir", PLAN, "--now", "i morgen"],
    ],
)
def test_wrong_usage(arguments: list[str]) -> None:
    done = ki_hub(*arguments)
    assert done.returncode == 2
    assert b"Error:" in done.stderr


def test_a_parties_file_is_input_like_any_other(tmp_path: Path) -> None:
    parties = tmp_path / "parties.yaml"
    parties.write_text("parties: 3")
    done = ki_hub("translate", "--from", "fhir", "--to", "fhir", "--parties", str(parties), PLAN)
    assert done.returncode == 3
    assert "parties.yaml" in json.loads(done.stderr)["issue"][0]["details"]["text"]


def test_validate() -> None:
    done = ki_hub("validate", PLAN)
    assert (done.returncode, done.stderr) == (0, b"")
    told = json.loads(done.stdout)["issue"]
    assert {i["severity"] for i in told} == {"warning"}, "the units have no SOR number"
    done = ki_hub("validate", stdin=b'{"resourceType": "CarePlan"}')
    assert done.returncode == 3
    places = {i["expression"][0] for i in json.loads(done.stdout)["issue"]}
    assert places == {"CarePlan.status", "CarePlan.intent", "CarePlan.subject"}


def test_validate_by_profile() -> None:
    plan = json.loads(Path(PLAN).read_bytes())["entry"][0]["resource"]
    del plan["careTeam"], plan["author"], plan["meta"]
    body = json.dumps(plan).encode()
    assert ki_hub("validate", stdin=body).returncode == 0
    profile = "https://ki-hub.example/fhir/StructureDefinition/KiPlan"
    done = ki_hub("validate", "--profile", profile, stdin=body)
    assert done.returncode == 3
    places = {i["expression"][0] for i in json.loads(done.stdout)["issue"]}
    assert places == {"CarePlan.careTeam", "CarePlan.author"}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.Malformed(), 3),
        (errors.NoLegalBasis(), 3),
        (errors.NotFound(), 3),
        (errors.CannotRender(), 1),
        (errors.Misconfigured(), 4),
        (errors.StoreUnavailable(), 4),
        (errors.HubError(), 1),
        (click.UsageError("x"), 2),
        (click.Abort(), 1),
        (BrokenPipeError(), 1),
        (RuntimeError("0201609996"), 1),
    ],
)
def test_exit_codes(
    error: Exception, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @click.command()
    def failing() -> None:
        raise error

    monkeypatch.setattr(module.LazyCommands, "get_command", lambda *_: failing)
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    assert run(["x"]) == code
    assert "0201609996" not in capsys.readouterr().err


def test_every_listed_command_loads() -> None:
    context = click.Context(cli)
    for name in cli.list_commands(context):
        found = cli.get_command(context, name)
        assert found is not None
        assert found.name == name


def test_help_is_quick_and_loads_no_command() -> None:
    def once() -> float:
        start = time.perf_counter()
        done = ki_hub("--help")
        assert done.returncode == 0
        assert b"translate" in done.stdout
        return time.perf_counter() - start

    # The best of several: the bound is on the work, not on what else the machine does.
    assert min(once() for _ in range(5)) < 0.3


def test_version() -> None:
    assert ki_hub("--version").stdout.strip().startswith(b"ki-hub, version ")


def test_validate_reads_xml() -> None:
    plan = json.loads(Path(PLAN).read_bytes())
    done = ki_hub("validate", stdin=to_xml(plan))
    assert (done.returncode, done.stderr) == (0, b"")
    del plan["entry"][0]["resource"]["careTeam"]
    done = ki_hub("validate", stdin=b"\xef\xbb\xbf" + to_xml(plan))
    assert done.returncode == 3
    assert json.loads(done.stderr) == json.loads(done.stdout)
    places = [i["expression"][0] for i in json.loads(done.stdout)["issue"]]
    assert "Bundle.entry[0].resource.careTeam" in places


def test_validate_by_a_profile_of_another_maker() -> None:
    order = str(ROOT / "mappings" / "vum" / "samples" / "order-minimal.json")
    base = "http://fhir.kl.dk/ffbmessaging/StructureDefinition/kl-messaging-ffb"
    assert ki_hub("validate", "--profile", f"{base}-orderMessage|1.0.0", order).returncode == 0
    assert ki_hub("validate", "--profile", f"{base}-citizen", order).returncode == 3
    done = ki_hub("validate", "--profile", "http://hl7.dk/fhir/core/StructureDefinition/"
                  "dk-core-patient", stdin=b'{"resourceType": "Patient"}')  # fmt: skip
    assert done.returncode == 3
    assert "dk-core-patient:" in done.stdout.decode()


def test_commands_load_no_more_than_they_need() -> None:
    """The engine, the XML library and the tables come with what is checked, not with a command."""
    slow = ("fhirpathpy", "lxml", "hub.fhir.validation.walk", "fhir.resources")
    for command in ("hub.cli.main", "hub.runtime.registry", "hub.errors", "hub.fhir.language"):
        code = f"import sys, {command}; print([m for m in {slow} if m in sys.modules])"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        assert done.stdout.strip() == b"[]", command

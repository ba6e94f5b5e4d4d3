"""``ki-hub mappings``: exit codes, and what is printed and what is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub.cli.main import run
from hub.mapping import mappings_folder
from tests.contract.adapter_samples import Sample, private_values, read
from tests.views import EXAMPLES

TREATMENT = Sample("behandlingsplan", mappings_folder("behandlingsplan") / "samples/typical.xml")


def ki_hub(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run(["mappings", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_check_is_silent_where_there_is_nothing_to_mend(capsys: pytest.CaptureFixture[str]) -> None:
    assert ki_hub(capsys, "check", "behandlingsplan") == (0, "", "")
    assert ki_hub(capsys, "check", "behandlingsplan", "--json") == (0, "[]\n", "")


def test_wrong_usage(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for arguments in (
        ("check", "nothing"),
        ("check", "vum", "--overrides", str(tmp_path)),
        ("explain", "nothing"),
        ("explain", "vum", "--to", "fhir"),
        ("explain", "behandlingsplan", str(TREATMENT.file), "--to", "nothing"),
        ("explain",),
    ):
        code, out, err = ki_hub(capsys, *arguments)
        assert (code, out) == (2, ""), arguments
        assert err


def test_check_tells_file_line_and_kind(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own" / "a").mkdir(parents=True)
    (tmp_path / "own" / "a" / "plan.yaml").write_text("rows: []\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    code, out, err = ki_hub(capsys, "check", "--overrides", "own")
    assert code == 1
    assert out.startswith("own/a/plan.yaml:1: form: an override is PARTY/FORMAT/codes/TABLE.csv")
    assert err == "1 finding(s)\n"
    _, out, _ = ki_hub(capsys, "check", "--overrides", "own", "--json")
    assert [(f["line"], f["kind"]) for f in json.loads(out)] == [(1, "form")]


def test_explain_tells_the_tables(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = ki_hub(capsys, "explain", "behandlingsplan", "--json")
    told = json.loads(out)
    assert code == 0
    assert [t["name"] for t in told["tables"]][:2] == [
        "behandlingsplan/effort.yaml", "behandlingsplan/follow-up.yaml",
    ]  # fmt: skip
    plan = next(t for t in told["tables"] if t["name"] == "behandlingsplan/plan.yaml")
    assert {
        "from": "Medicines",
        "reason": "medicine in detail stays in the region's own record",
    } in (plan["notShared"])
    code, page, _ = ki_hub(capsys, "explain", "behandlingsplan")
    assert "| `Purpose/PurposeText` | `CarePlan.description` | both ways |" in page


@pytest.mark.parametrize(("format", "writer"), [
    ("pdf", "adapters.pdf.adapter.PdfAdapter.render"), ("fhir", "adapters.fhir.FhirAdapter.render"),
    ("cpd", "adapters.cpd.adapter.CpdAdapter.render"),
])  # fmt: skip
def test_a_format_without_tables_is_explained_by_its_code(
    capsys: pytest.CaptureFixture[str], format: str, writer: str
) -> None:
    code, page, err = ki_hub(capsys, "explain", format)
    assert (code, err) == (0, "")
    assert f"| written |  | `{writer}` |" in page
    assert ("| read |" in page) == (format == "fhir")


def test_a_document_of_a_format_that_only_goes_out_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, err = ki_hub(capsys, "explain", "pdf", str(TREATMENT.file))
    assert (code, out) == (3, "")
    assert json.loads(err)["resourceType"] == "OperationOutcome"


def test_what_is_no_plan_is_explained_as_what_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    samples = mappings_folder("medcom-carecommunication") / "samples"
    for name, kind, by in (
        ("reply.json", "letter", "adapters.medcom.correspondence.correspondence"),
        ("ack-ok.json", "receipt", "adapters.medcom.acknowledgement.receipt"),
    ):
        code, out, err = ki_hub(capsys, "explain", "medcom-carecommunication", str(samples / name))
        assert (code, err) == (0, "")
        assert out.startswith(f"It is no plan, but a {kind}: ")
        assert f"    <- {by}\n" in out
    code, out, _ = ki_hub(
        capsys, "explain", "medcom-carecommunication", str(samples / "reply.json"), "--json"
    )
    told = json.loads(out)
    assert told["result"] == "Correspondence"
    assert "Correspondence.text" in {v["target"] for v in told["values"]}
    assert not any("value" in v for v in told["values"])


def test_what_code_makes_is_told_with_its_function(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = ki_hub(capsys, "explain", "fhir", str(EXAMPLES / "plan-1.json"))
    assert code == 0
    assert "CarePlan.intent\n    <- adapters.fhir.parse.parse\n" in out
    assert "the adapter's code" not in out
    decided = str(EXAMPLES / "consent-1.json")
    code, out, _ = ki_hub(capsys, "explain", "fhir", decided)
    assert (code, out.startswith("It is no plan, but a decision of the citizen's")) == (0, True)


def test_explain_tells_of_a_document_paths_only(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["explain", "behandlingsplan", str(TREATMENT.file)]
    code, out, _ = ki_hub(capsys, *arguments)
    assert code == 0
    assert "CarePlan.description\n    <- /TreatmentPlan/Purpose/PurposeText, row" in out
    assert "Not shared:\n" in out
    values = private_values(read(TREATMENT))
    assert values
    assert not [v for v in values if v in out]
    _, out, _ = ki_hub(capsys, *arguments, "--json")
    assert not [v for v in values if v in out]
    assert {v["kind"] for v in json.loads(out)["values"]} >= {"row", "fixed", "context", "default"}
    _, out, _ = ki_hub(capsys, *arguments, "--json", "--values")
    assert [v for v in values if v in out]


def test_explain_tells_of_what_goes_out(capsys: pytest.CaptureFixture[str]) -> None:
    plan = mappings_folder("ki-plan-xml") / "samples/everything.xml"
    own = mappings_folder("handleplan-141") / "samples/typical.xml"
    arguments = ["explain", "ki-plan-xml", str(plan), "--to", "handleplan-141", "--own", str(own)]
    code, out, _ = ki_hub(capsys, *arguments)
    assert code == 0
    line = "/ActionPlan/OtherPlans/SharedPlan/Goal[2]/GoalText\n    <- Goal[1].description.text, "
    _, found, after = out.partition(line)
    assert found
    earlier = "    <- /CoordinatedActionPlan/Goals/Goal[2]/GoalText, row ki-plan-xml/goal.yaml:"
    assert after.splitlines()[1].startswith(earlier)
    assert "0201609996" not in out
    assert "Faste holdepunkter" not in out
    assert "\nLost:\n" in out
    _, told, _ = ki_hub(capsys, *arguments, "--json", "--values")
    values = {v["target"]: v for v in json.loads(told)["values"]}
    goal = values["/ActionPlan/OtherPlans/SharedPlan/Goal[2]/GoalText"]
    assert goal["value"] == "Faste holdepunkter i ugen"
    assert goal["earlier"]["source"] == "/CoordinatedActionPlan/Goals/Goal[2]/GoalText"
    assert values["/ActionPlan/Purpose/PurposeText"]["kind"] == "own"
    code, out, err = ki_hub(capsys, "explain", "ki-plan-xml", str(plan), "--to", "pdf")
    assert (code, out) == (3, "")
    assert "ask for html" in err


def test_build_is_in_step(capsys: pytest.CaptureFixture[str]) -> None:
    assert ki_hub(capsys, "build", "--check") == (0, "", "")

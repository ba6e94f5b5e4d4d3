"""Every kind of mistake in a table is told with its file and line; the published have none."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hub.fhir.validation import published
from hub.mapping import mappings_folder
from hub.mapping.check import FormatCheck, folder_findings
from hub.mapping.findings import Finding
from hub.mapping.source import Mapped, SourceElement
from hub.runtime.mappings import check, with_tables
from hub.runtime.registry import Registry

REGISTRY = Registry()
TREATMENT = "behandlingsplan"


@dataclass(frozen=True)
class Changed:
    """A format with a copy of its tables."""

    tables: Path
    real: Mapped

    def elements(self, record: str) -> Sequence[SourceElement]:
        return self.real.elements(record)


def findings(folder: Path, format: str, changes: dict[str, tuple[str, str]]) -> list[Finding]:
    """What is found after some texts of some files have been replaced."""
    shutil.copytree(mappings_folder(""), folder, ignore=shutil.ignore_patterns("samples"))
    for name, (before, after) in changes.items():
        text = (folder / name).read_text("utf-8")
        assert before in text
        (folder / name).write_text(text.replace(before, after, 1), "utf-8")
    adapter = REGISTRY.adapter(format)
    assert isinstance(adapter, Mapped)
    changed = Changed(folder / format, adapter)
    return FormatCheck(changed, REGISTRY.package(format), published()).findings()


@pytest.mark.parametrize("format", REGISTRY.formats())
def test_the_published_mappings_have_nothing_to_mend(format: str) -> None:
    assert check(REGISTRY, [format]) == []


def test_the_formats_with_tables_are_checked_as_such() -> None:
    assert len(with_tables(REGISTRY)) == 6


EFFORT, PLAN = "behandlingsplan/effort.yaml", "behandlingsplan/plan.yaml"
TYPES, STATES = "behandlingsplan/codes/effort-type.csv", "behandlingsplan/codes/plan-status.csv"
ACTIVITY = "CarePlan/activity"
MISTAKES = {
    "no such element": (EFFORT, ("detail/description", "detail/words"), 15, "has no words"),
    "a mere branch": (EFFORT, ("detail/description", "detail/code"), 15, "elements of its own"),
    "an index is missing": (EFFORT, ("progress[0]", "progress"), 26, "progress repeats"),
    "an index too many": (EFFORT, ("activity/detail/descr", "activity/detail[0]/descr"), 15,
                          "detail does not repeat"),
    "no such extension": (PLAN, ("ki-section\n", "ki-sektion\n"), 39, "no such extension"),
    "one place for several": (EFFORT, ("[+url=@section]", "[url=@section]"), 37, "one place"),
    "one value for several": (EFFORT, ("from: SectionCode[*]", "from: SectionCode"), 36, "[*]"),
    "of another type": (EFFORT, ("type: boolean", "type: integer"), 33, "is integer"),
    "may be missing": (PLAN, ("CarePlan/status\n    cardinality: 1..1", "CarePlan/status"), 28,
                       "demands it"),
    "another fixed value": (PLAN, ("value: plan\n", "value: order\n"), 12, "another pattern"),
    "a fixed value outside": ("behandlingsplan/follow-up.yaml", ("not-started", "not-begun"), 13,
                              "not-begun is not in"),
    "a profile of another type": (EFFORT, ("KiSectorPlan", "KiGoal"), 4, "profile of Goal"),
    "an unknown profile": (EFFORT, ("KiSectorPlan", "KiPlans"), 4, "not at hand"),
    "an unknown record": (EFFORT, ("TreatmentEffortType", "EffortType"), 3, "no record"),
    "no record": (EFFORT, ("record: TreatmentEffortType\n", ""), 1, "`record` is missing"),
    "not in the schema": (EFFORT, ("from: EffortText", "from: EffortTekst"), 14,
                          "EffortTekst: the schema has no such element"),
    "neither mapped nor declared": (EFFORT, ("from: EffortText", "from: EffortTekst"), 3,
                                    "EffortText of TreatmentEffortType is neither"),
    "said to be demanded": (EFFORT, ("to: CarePlan/activity/detail/performer[0]/display",
                                     "to: CarePlan/activity/detail/performer[0]/display\n"
                                     "    cardinality: 1..1"), 17, "the schema does not demand it"),
    "no such function": (EFFORT, ("parse._efforts", "parse._indsatser"), 41, "no such function"),
    "by nobody": (EFFORT, ("    by: parse._efforts\n", ""), 41, "`by` is missing"),
    "no such table": (PLAN, ("by: effort.yaml", "by: efforts.yaml"), 83, "does not exist"),
    "the wrong table": (PLAN, ("by: effort.yaml", "by: follow-up.yaml"), 83, "reads no record"),
    "declared twice": (PLAN, ("from: Medicines", "from: Purpose/PurposeText"), 43,
                       "also treated on line 31"),
    "a key twice": (EFFORT, ("    type: date", "    type: date\n    type: date"), 22, "twice"),
    "no code of the value set": (STATES, ("active", "running"), 2, "running is not in"),
    "no code of the code system": (TYPES, ("ki-treatment-effort,samtaleforloeb",
                                           "ki-treatment-effort,samtaler"), 2, "not a code of"),
    "a code the schema lacks": (TYPES, (",samtaleforloeb", ",samtale"), 2, "samtale never comes"),
    "a code without a row": (TYPES, (",samtaleforloeb", ",samtale"), 1, "is in no row"),
    "the same row": (STATES, ("foreloebig,Foreløbig plan,,active", "endelig,Endelig,,active"), 3,
                     "the same pair as on line 2"),
    "a row for nothing": (STATES, (",foreloebig,Foreløbig plan,,active",
                                   ",endelig,Endelig,,completed,Completed,equal,\n"
                                   ",endelig,Endelig,,completed"), 4, "the same pair"),
    "another equivalence": (STATES, ("equivalent", "the same"), 2, "equivalence is one of"),
    "no YAML": (EFFORT, ("rows:", "rows: ["), 9, "not YAML"),
}  # fmt: skip


def test_a_code_beside_its_system_is_one_of_that_system(tmp_path: Path) -> None:
    changes = {"ki-plan-xml/codes/goal-horizon.csv": (",short,", ",soon,")}
    found = findings(tmp_path / "m", "ki-plan-xml", changes)
    assert ["soon is not a code of" in f.text and f.line == 2 for f in found] == [True]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, mistake: str) -> None:
    name, change, line, text = MISTAKES[mistake]
    found = findings(tmp_path / "m", TREATMENT, {name: change})
    told = [(f.line, f.text) for f in found if f.file == tmp_path / "m" / name]
    assert any(at == line and text in what for at, what in told), told


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    chosen = [MISTAKES[m] for m in ("no such element", "another fixed value", "the same row")]
    found = findings(tmp_path / "m", TREATMENT, {name: change for name, change, _, _ in chosen})
    for name, _, line, text in chosen:
        assert [f for f in found if f.line == line and f.file.match(name) and text in f.text]


def test_a_row_that_no_code_leads_to(tmp_path: Path) -> None:
    columns = (mappings_folder(TREATMENT) / "codes" / "plan-status.csv").read_text("utf-8")
    head = columns.splitlines()[0]
    file = tmp_path / "c.csv"
    file.write_text(f"{head}\n,a,A,,x,X,equal,\n,b,B,,y,Y,equal,\n,a,A,,y,Y,wider,\n", "utf-8")
    (found,) = folder_findings(tmp_path, published())
    assert (found.line, found.kind) == (4, "codes")
    assert "never used" in found.text


def test_a_sample_that_is_refused_is_told_without_its_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(mappings_folder(TREATMENT), tmp_path / "own")
    shutil.copytree(mappings_folder("xml-plan"), tmp_path / "xml-plan")
    sample = tmp_path / "own" / "samples" / "minimal.xml"
    body = sample.read_text("utf-8")
    assert ">foreloebig<" in body
    sample.write_text(body.replace(">foreloebig<", ">hemmelig<"), "utf-8")
    for other in (tmp_path / "own" / "samples").glob("typical*"):
        other.unlink()
    monkeypatch.setattr(REGISTRY.adapter(TREATMENT), "tables", tmp_path / "own")
    few, refused = check(REGISTRY, [TREATMENT])
    assert "fewer than 3 samples" in few.text
    assert refused.file == sample
    assert "PlanStatusCode" in refused.text
    assert "hemmelig" not in refused.text


LISTS = "vum/codes"


@pytest.mark.parametrize(
    ("file", "change", "line", "said"),
    [
        ("ffb.csv", lambda x: [*x[:5], x[4], *x[5:]], 6, "same row as on line 5"),
        ("municipality.csv", lambda x: [*x[:3], x[2], *x[3:]], 4, "same row as on line 3"),
        ("ffb.csv", lambda x: [*x[:1], *x[2:]], 2, "its parent is not in the list"),
        ("ffb.csv", lambda x: [x[0], x[1].replace(",,", ",zzz,"), *x[2:]], 2, "its parent"),
        ("ffb.csv", lambda x: [x[0], *x[1:4], "," + x[4].partition(",")[2], *x[5:]], 5, "empty"),
        ("ffb.csv", lambda x: [*x[:3], ",,", *x[3:]], 4, "code is empty"),
        ("municipality.csv", lambda x: [*x[:3], x[3].replace(",", ";"), *x[4:]], 4, "not 3 cells"),
        ("ffb-value-sets.csv", lambda x: [x[0], x[1].replace("cda", "zda"), *x[2:]], 2, "no list"),
        ("municipality.csv", lambda x: [line.replace(",", ";") for line in x], 1, "with commas"),
    ],
)
def test_a_mistake_in_a_list_of_codes_is_told_with_its_line(
    tmp_path: Path, file: str, change: Any, line: int, said: str
) -> None:
    folder = tmp_path / "codes"
    shutil.copytree(mappings_folder(LISTS), folder)
    assert list(folder_findings(folder, published())) == []
    rows = (folder / file).read_text("utf-8").splitlines()
    (folder / file).write_text("\n".join(change(rows)) + "\n", "utf-8")
    found = sorted(f for f in folder_findings(folder, published()) if f.file.name == file)
    assert found[0].line == line
    assert said in found[0].text


def test_a_list_in_a_ring_is_told(tmp_path: Path) -> None:
    (tmp_path / "ring.csv").write_text("code,parent,display\na,b,A\nb,a,B\nc,a,C\n", "utf-8")
    assert [f.line for f in folder_findings(tmp_path, published())] == [2, 3]


def test_what_a_spreadsheet_makes_of_a_file_is_read_or_named(tmp_path: Path) -> None:
    text = (mappings_folder(TREATMENT) / "codes" / "plan-status.csv").read_text("utf-8")
    (tmp_path / "marked.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert list(folder_findings(tmp_path, published())) == []
    (tmp_path / "marked.csv").write_bytes(text.encode() + b"\xe6,,,,,,,\n")
    (found,) = folder_findings(tmp_path, published())
    assert (found.line, found.kind) == (text.count("\n") + 1, "form")
    assert "UTF-8" in found.text


def test_an_adapter_that_breaks_on_its_tables_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = REGISTRY.adapter(TREATMENT)

    def broken(*_: object) -> None:
        raise RecursionError

    monkeypatch.setattr(adapter, "_parse", broken)
    found = check(REGISTRY, [TREATMENT])
    assert {f.kind for f in found} == {"sample"}
    assert "RecursionError" in found[0].text


def test_a_code_that_r4_does_not_bind_is_told_where_no_row_leads(tmp_path: Path) -> None:
    folder = tmp_path / "codes"
    shutil.copytree(mappings_folder(LISTS), folder)
    file = folder / "intervention-status.csv"
    text = file.read_text("utf-8").replace("in-progress", "in-progres", 1)
    file.write_text(text, "utf-8")
    (found,) = (f for f in folder_findings(folder, published()) if f.file == file)
    assert text.splitlines()[found.line - 1].count("in-progres,") == 1
    assert "in-progres" in found.text


def test_one_slip_is_one_finding(tmp_path: Path) -> None:
    changes = {EFFORT: ("cardinality", "cardinalty")}
    assert [f.kind for f in findings(tmp_path / "m", TREATMENT, changes)] == ["form"]

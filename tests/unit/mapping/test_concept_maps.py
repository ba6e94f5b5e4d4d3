"""The published ConceptMaps are legal R4, say what the tables say, and are in step with them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from hub.mapping import CodeTable, mappings_folder
from hub.mapping.codes import is_code_table
from hub.runtime import concept_maps
from hub.runtime.concept_maps import MAPS, build, made, out_of_step
from tests.views import errors_in

FILES = [f for f in sorted(mappings_folder("").glob("*/codes/*.csv")) if is_code_table(f)]
FFB = mappings_folder("vum") / "codes" / "ffb.csv"


def published(file: Path) -> dict[str, Any]:
    name = f"ConceptMap-{file.parents[1].name}-{file.stem}.json"
    found: dict[str, Any] = json.loads((MAPS / name).read_text("utf-8"))
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda f: f"{f.parents[1].name}/{f.stem}")
def test_each_code_table_has_a_legal_map_that_says_the_same(file: Path) -> None:
    resource = published(file)
    assert errors_in(resource) == []
    said = {
        (e["code"], t.get("code", t.get("display")), t["equivalence"], t.get("comment", ""))
        for group in resource["group"] for e in group["element"] for t in e["target"]
    }  # fmt: skip
    pairs = CodeTable.load(file).pairs
    assert said == {(p.source_code, p.target_code, p.equivalence, p.comment) for p in pairs}


def test_the_systems_are_those_of_the_places() -> None:
    folder = mappings_folder("xml-plan") / "codes"
    targets = [
        published(folder / f"{name}.csv")["group"][0]["target"]
        for name in ("role", "effort-status", "section")
    ]
    assert targets == [
        "https://ki-hub.example/fhir/CodeSystem/ki-role",
        "http://hl7.org/fhir/care-plan-activity-status",
        "https://ki-hub.example/fhir/CodeSystem/ki-section",
    ]


def test_a_text_is_no_code() -> None:
    (group,) = published(mappings_folder("udskrivningsaftale") / "codes/offer-type.csv")["group"]
    assert "target" not in group
    assert all("code" not in t and t["display"] for e in group["element"] for t in e["target"])


def test_what_is_out_of_step_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert out_of_step() == []
    monkeypatch.setattr(concept_maps, "MAPS", tmp_path / "maps")
    assert len(build()) == len(FILES) == len(made())
    changed, gone, more = (
        tmp_path / "maps" / n for n in (*sorted(made())[:2], "ConceptMap-x.json")
    )
    changed.write_text("{}", "utf-8")
    gone.unlink()
    more.write_text("{}", "utf-8")
    assert [line.partition(":")[0].partition("/")[2] for line in out_of_step()] == sorted(
        [changed.name, gone.name, more.name]
    )
    build()
    assert out_of_step() == []


def test_the_ffb_codes_are_complete_and_hang_together() -> None:
    with FFB.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    codes = {row["code"] for row in rows}
    assert len(rows) == len(codes) == 220
    assert {row["parent"] for row in rows} - codes == {""}, "every parent but the top's is there"
    assert [row["code"] for row in rows if not row["parent"]], "there is a top"
    parents = {row["code"]: row["parent"] for row in rows}
    for code in codes:
        seen, at = {code}, parents[code]
        while at:
            assert at not in seen, "no code is above itself"
            seen.add(at)
            at = parents[at]

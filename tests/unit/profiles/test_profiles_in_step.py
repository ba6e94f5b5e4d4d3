"""The generated files, the manifest and docs/profiles.md are those of their sources."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.errors import Misconfigured
from hub.runtime import profiles
from hub.runtime.profile_docs import elements, render, rows
from hub.runtime.profiles import DOCS, out_of_step
from hub.runtime.published import FOLDER, published
from tests.views import errors_in


@pytest.fixture
def copied(tmp_path: Path) -> tuple[Path, Path]:
    """The profiles and their page, to be spoiled."""
    folder = tmp_path / "fhir_profiles"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("base", "examples"))
    docs = Path(shutil.copy(DOCS, tmp_path / "profiles.md"))
    assert out_of_step(folder, docs) == []
    return folder, docs


def test_everything_is_in_step() -> None:
    assert out_of_step() == []


def append(path: Path) -> None:
    path.write_text(path.read_text("utf-8") + "\n", "utf-8")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda f, d: append(f / "fsh/plan.fsh"), "source plan.fsh: changed"),
        (lambda f, d: append(f / "fsh/sushi-config.yaml"), "source sushi-config.yaml: changed"),
        (lambda f, d: (f / "fsh/new.fsh").touch(), "source new.fsh: not in the manifest"),
        (lambda f, d: (f / "fsh/search.fsh").unlink(), "source search.fsh: missing"),
        (
            lambda f, d: append(f / "CodeSystem-ki-role.json"),
            "generated file CodeSystem-ki-role.json: changed",
        ),
        (lambda f, d: (f / "ValueSet-ki-role.json").unlink(), "ValueSet-ki-role.json: missing"),
        (
            lambda f, d: (f / "ValueSet-ki-new.json").write_text('{"resourceType": "ValueSet"}'),
            "ValueSet-ki-new.json: not in the manifest",
        ),
        (lambda f, d: append(d), "profiles.md: not what"),
        (lambda f, d: d.unlink(), "profiles.md: not what"),
    ],
)
def test_what_is_out_of_step_is_told(
    copied: tuple[Path, Path], spoil: Callable[[Path, Path], object], told: str
) -> None:
    spoil(*copied)
    assert any(told in line for line in out_of_step(*copied))


def test_a_manifest_put_together_by_hand_is_told(copied: tuple[Path, Path]) -> None:
    folder, docs = copied
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    manifest["files"]["CodeSystem-ki-role.json"]["sources"] = "0" * 64
    path.write_text(json.dumps(manifest), "utf-8")
    told = out_of_step(folder, docs)
    assert told == ["generated file CodeSystem-ki-role.json: made from other sources"]


def test_the_page_follows_the_template_table(copied: tuple[Path, Path]) -> None:
    folder, docs = copied
    table = folder / "template.yaml"
    table.write_text(table.read_text("utf-8").replace("da: Navn,", "da: Fulde navn,"), "utf-8")
    assert any("profiles.md" in line for line in out_of_step(folder, docs))
    profiles.write_docs(folder, docs)
    assert out_of_step(folder, docs) == []
    assert "Fulde navn" in docs.read_text("utf-8")


def test_an_element_that_no_profile_has_is_refused(copied: tuple[Path, Path]) -> None:
    folder, _ = copied
    table = folder / "template.yaml"
    table.write_text(table.read_text("utf-8").replace("Patient.name]", "Patient.nick]"), "utf-8")
    with pytest.raises(Misconfigured, match=r"Patient\.nick"):
        render(published(folder))


def test_a_rule_that_no_profile_has_is_refused(copied: tuple[Path, Path]) -> None:
    folder, _ = copied
    table = folder / "template.yaml"
    table.write_text(table.read_text("utf-8").replace("[ki-plan-3]", "[ki-plan-33]"), "utf-8")
    with pytest.raises(Misconfigured, match="ki-plan-33"):
        render(published(folder))


def test_without_node_the_build_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Misconfigured, match="needs Node"):
        profiles.build(tmp_path / "cache")


def test_the_whole_template_is_covered() -> None:
    page = DOCS.read_text("utf-8")
    assert [letter for letter in "ABCDEFGHIJ" if f"\n### {letter}. " not in page] == []
    found = published()
    assert set(elements(FOLDER, found.structure("KiIntervention"))) == set(found.cardinalities)
    linked = [s["id"] for s in found.of_type("StructureDefinition") if f"[{s['id']}](" not in page]
    assert linked == []


def test_what_is_generated_is_legal_r4_without_the_specifications_text() -> None:
    found = published()
    issues = [(name, i) for name, resource in found.resources.items() for i in errors_in(resource)]
    assert issues == []
    for name, resource in found.resources.items():
        # A logical model of ours inherits no mapping from the specification.
        left_out = {"snapshot", "text"} | (
            {"mapping"} if resource.get("kind") != "logical" else set()
        )
        assert not left_out & set(resource), name
        assert name == f"{resource['resourceType']}-{resource['id']}.json"


def test_the_guide_lists_everything() -> None:
    found = published()
    guide = found.of_type("ImplementationGuide")[0]
    listed = {r["reference"]["reference"] for r in guide["definition"]["resource"]}
    there = {f"{r['resourceType']}/{r['id']}" for r in found.resources.values() if r is not guide}
    assert listed == there


def test_the_citizen_is_exactly_one() -> None:
    counts = published().cardinalities
    places = [p for p in counts if p.endswith((".subject", ".patient", ":citizen.what"))]
    assert len(places) == 9
    assert {counts[p] for p in places} == {"1..1"}


def test_the_row_of_a_plan_is_as_the_profiles_bind_it() -> None:
    found = published()
    for element, place in rows(found.structure("KiIntervention")):
        own = f"{element.get('min', 0)}..{element.get('max', '1')}"
        assert own == found.cardinalities[place], place


def test_the_row_has_every_extension_that_a_plan_gives_it() -> None:
    found = published()
    mapped = {place.partition("#")[2] for _, place in rows(found.structure("KiIntervention"))}
    for name in ("KiPlan", "KiSectorPlan"):
        elements_of = found.structure(name)["differential"]["element"]
        slices = {
            e["id"] for e in elements_of if "CarePlan.activity" in e["id"] and "sliceName" in e
        }
        assert slices
        assert slices - mapped == set()

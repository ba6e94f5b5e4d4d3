"""The real validator: the recordings are its answers, its client works, and it does find faults."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from hub.runtime.official_validator import prepare
from hub.runtime.published import FOLDER
from hub.validators.hl7 import Hl7Validator, Sidecar
from tests.conformance.__main__ import main
from tests.conformance.official import Official, running
from tests.conformance.record import record
from tests.contract.hl7_cases import RECORDED

pytestmark = pytest.mark.timeout(1800)
PLAN = json.loads((FOLDER / "examples" / "plan-1.json").read_text("utf-8"))
FHIR_JSON = "application/fhir+json"


def test_the_recorded_answers_are_its_answers(official: Official) -> None:
    assert record(official.base) == json.loads(RECORDED.read_text("utf-8"))


def errors(official: Official, document: dict[str, Any]) -> set[str]:
    found = official.findings(json.dumps(document).encode(), FHIR_JSON)
    return {f.expression for f in found if f.severity in {"fatal", "error"}}


def test_it_knows_our_profiles(official: Official) -> None:
    assert errors(official, PLAN) == set()
    plan = PLAN["entry"][0]["resource"]
    spoiled = {k: v for k, v in plan.items() if k != "careTeam"}
    document = PLAN | {"entry": [PLAN["entry"][0] | {"resource": spoiled}, *PLAN["entry"][1:]]}
    assert "Bundle.entry[0].resource" in errors(official, document)


def test_its_client_finds_it_ready_and_the_examples_valid(official: Official) -> None:
    validator = Hl7Validator(Sidecar(official.base, seconds=120))
    validator.ready()
    for path in sorted((FOLDER / "examples").glob("*.json")):
        found = validator.check([json.loads(path.read_text("utf-8"))])
        assert [i for i in found if i.severity in {"fatal", "error"}] == [], path.name
    validator.close()


def test_everything_published_and_emitted_conforms(tmp_path: Path) -> None:
    assert main(["--into", str(tmp_path)]) == 0
    report = json.loads((tmp_path / "conformance.json").read_text("utf-8"))
    assert report["errors"] == 0
    origins = {file["origin"] for file in report["files"]}
    assert origins == {
        "profiles", "examples", "samples", "rendered", "delivered", "received", "answers",
        "stored", "REST",
    }  # fmt: skip
    assert {maker["ran"] for maker in report["ran"]["makers"].values()} == {False}


def package(folder: Path) -> Path:
    """A made-up national package: it demands what no message has, and depends on another."""
    url = "http://medcomfhir.dk/ig/messaging/StructureDefinition/demo-patient"
    profile = {
        "resourceType": "StructureDefinition", "id": "demo-patient", "url": url,
        "name": "DemoPatient", "status": "active", "fhirVersion": "4.0.1", "kind": "resource",
        "abstract": False, "type": "Patient", "derivation": "constraint",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
        "differential": {"element": [{"id": "Patient.photo", "path": "Patient.photo", "min": 1}]},
    }  # fmt: skip
    about = {
        "name": "dk.demo.messaging", "version": "1.0.0", "fhirVersions": ["4.0.1"], "type": "IG",
        "dependencies": {"hl7.fhir.r4.core": "4.0.1", "dk.demo.core": "2.0.0"},
    }  # fmt: skip
    index = {"index-version": 1, "files": [{
        "filename": "StructureDefinition-demo-patient.json", "resourceType": "StructureDefinition",
        "id": "demo-patient", "url": url, "kind": "resource", "type": "Patient",
        "derivation": "constraint",
    }]}  # fmt: skip
    source = folder / "package"
    source.mkdir(parents=True)
    (source / "package.json").write_text(json.dumps(about), "utf-8")
    (source / ".index.json").write_text(json.dumps(index), "utf-8")
    (source / "StructureDefinition-demo-patient.json").write_text(json.dumps(profile), "utf-8")
    national = folder / "national"
    national.mkdir()
    with tarfile.open(national / "demo.tgz", "w:gz") as archive:
        archive.add(source, "package")
    return national


def test_a_national_package_is_applied_and_what_it_lacks_is_said(tmp_path: Path) -> None:
    made = prepare(tmp_path / "validator", national=package(tmp_path))
    assert (made.packages, made.missing) == (("dk.demo.messaging#1.0.0",), ("dk.demo.core#2.0.0",))
    patient = {
        "resourceType": "Patient",
        "meta": {"profile": list(made.canonicals)},
        "name": [{"text": "x"}],
    }
    with running(made, tmp_path / "validator.log") as official:
        assert errors(official, patient) == {"Patient"}

"""What is known to be right is accepted: the published examples and the formats' FHIR samples."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub.fhir.codec import parse_json
from hub.fhir.validation import EmbeddedValidator, published
from hub.fhir.validation.tables import FOLDER

ROOT = FOLDER.parent
EXAMPLES = sorted((FOLDER / "examples").glob("*.json"))
SAMPLES = sorted(
    path
    for path in (ROOT / "mappings").glob("*/samples/*.json")
    if "resourceType" in json.loads(path.read_text("utf-8"))
)

VALIDATOR = EmbeddedValidator()


def test_there_are_examples_and_samples() -> None:
    assert len(EXAMPLES) >= 6
    assert len(SAMPLES) >= 8


@pytest.mark.parametrize("path", [*EXAMPLES, *SAMPLES], ids=lambda p: f"{p.parts[-3]}-{p.name}")
def test_it_is_accepted(path: Path) -> None:
    found = VALIDATOR.check([parse_json(path.read_bytes())])
    assert [(i.code, i.expression, i.text) for i in found if i.severity == "error"] == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.name)
def test_no_example_declares_a_profile_that_is_not_published(path: Path) -> None:
    found = VALIDATOR.check([parse_json(path.read_bytes())])
    assert [i.expression for i in found if i.code == "not-found"] == []


def test_the_conformance_resources_themselves_are_legal_r4() -> None:
    """Definitions too are resources; they were made by another tool from another copy of R4."""
    kinds = ("StructureDefinition", "ValueSet", "CodeSystem", "SearchParameter", "NamingSystem")
    checked = 0
    for kind in kinds:
        for path in sorted(FOLDER.glob(f"{kind}-*.json"))[:4]:
            found = VALIDATOR.check([parse_json(path.read_bytes())])
            assert [(path.name, i.expression, i.text) for i in found if i.severity == "error"] == []
            checked += 1
    assert checked > 10 or not list(published().urls())

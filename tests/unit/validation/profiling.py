"""Small profiles, written by hand as differentials, for one feature each."""

from __future__ import annotations

from typing import Any

from hub.errors import Issue
from hub.fhir.validation import EmbeddedValidator, Profiles, prepare

Json = dict[str, Any]

BASE = "https://example.org/fhir/StructureDefinition/"
CORE = "http://hl7.org/fhir/StructureDefinition/"
SYSTEM = "https://example.org/fhir/CodeSystem/kind"


def profile(name: str, kind: str, *elements: Json, on: str | None = None, **more: Any) -> Json:
    """A profile; each element has an ``id``, from which its path follows."""
    written = []
    for element in elements:
        steps = [step.partition(":")[0] for step in element["id"].split(".")]
        written.append({"path": ".".join(steps), **element})
    return {
        "resourceType": "StructureDefinition",
        "url": f"{BASE}{name}",
        "type": kind,
        "baseDefinition": on or f"{CORE}{kind}",
        "differential": {"element": written},
    } | more


def extension(name: str, *contexts: str, value: str = "string", **more: Any) -> Json:
    """An extension with one value."""
    return profile(
        name,
        "Extension",
        {"id": "Extension", **more},
        {"id": "Extension.extension", "max": "0"},
        {"id": "Extension.url", "fixedUri": f"{BASE}{name}"},
        {"id": "Extension.value[x]", "min": 1, "type": [{"code": value}]},
        context=[{"type": "element", "expression": c} for c in contexts],
    )


def coded(code: str, system: str = SYSTEM) -> Json:
    """A CodeableConcept with one code."""
    return {"coding": [{"system": system, "code": code}]}


def by(kind: str, path: str, **more: Any) -> Json:
    return {"discriminator": [{"type": kind, "path": path}], "rules": "open", **more}


def validator(*resources: Json) -> EmbeddedValidator:
    """With these profiles; all of them can be applied and their slices told apart."""
    profiles = Profiles(resources)
    prepare(profiles)
    return EmbeddedValidator(profiles)


def found(checker: EmbeddedValidator, resource: Json, name: str = "p") -> list[tuple[str, Any]]:
    issues: list[Issue] = checker.check([resource], profile=f"{BASE}{name}")
    return [(i.code, i.expression) for i in issues]

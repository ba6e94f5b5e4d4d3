"""The generated profiles, value sets and code systems as they are on disk."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import hub
from hub.contract import Resource
from hub.errors import Misconfigured

ROOT: Final = Path(hub.__file__).parents[1]
FOLDER: Final = ROOT / "fhir_profiles"
MANIFEST: Final = "manifest.json"
GENERATED: Final = re.compile(
    r"(StructureDefinition|ValueSet|CodeSystem|SearchParameter|NamingSystem|ImplementationGuide)"
    r"-[A-Za-z0-9\-.]+\.json"
)
"""Names of the generated files."""


@dataclass(frozen=True)
class Published:
    """The generated files as they are on disk."""

    folder: Path
    resources: Mapping[str, Resource]
    """File name to resource."""
    cardinalities: Mapping[str, str]
    """``profile#element id`` to ``min..max``, of the elements that docs/profiles.md names."""

    def of_type(self, kind: str) -> list[Resource]:
        """The resources of one type, by id, profiles before extensions."""
        found = [r for r in self.resources.values() if r["resourceType"] == kind]
        return sorted(found, key=lambda r: (r.get("type") == "Extension", r["id"]))

    def structure(self, id: str) -> Resource:
        """A profile or an extension; raises Misconfigured for an unknown one."""
        name = f"StructureDefinition-{id}.json"
        if name not in self.resources:
            raise Misconfigured(f"{self.folder.name}/{name} is missing: run `profiles build`")
        return self.resources[name]


def published(folder: Path = FOLDER) -> Published:
    """What is on disk; raises Misconfigured when there is no manifest."""
    manifest = manifest_of(folder)
    resources = {
        path.name: json.loads(path.read_text("utf-8"))
        for path in sorted(folder.glob("*.json"))
        if GENERATED.fullmatch(path.name)
    }
    return Published(folder, resources, manifest["cardinalities"])


def manifest_of(folder: Path) -> dict[str, Any]:
    """What was made of what; raises Misconfigured when it is not there."""
    path = folder / MANIFEST
    if not path.exists():
        raise Misconfigured(f"{folder.name}/{MANIFEST} is missing: run `profiles build`")
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found

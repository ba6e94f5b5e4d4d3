"""The statutes file against what else the project publishes: codes of legal bases and documents."""

from __future__ import annotations

from pathlib import Path

from hub.fhir import names
from hub.law.reading import read_statutes
from hub.model.plan import SHARED
from hub.runtime.published import FOLDER, published


def findings(file: Path) -> list[str]:
    """What is wrong with it; raises Invalid where it cannot be read as statutes."""
    found = read_statutes(file.read_text("utf-8"), name=file.name)
    bases, kinds = _codes(names.LEGAL_BASIS_CODE), {SHARED, *_codes(names.SECTOR_KIND)}
    unknown = [
        f"{file.name}, {s.id}: not a code of {names.LEGAL_BASIS_CODE}; add it to the profiles"
        for s in found
        if s.id not in bases
    ]
    return unknown + [
        f"{file.name}, {s.id}: carries {kind}, which is no kind of document here"
        for s in found
        for kind in sorted(s.carries - kinds)
    ]


def _codes(system: str) -> set[str]:
    (found,) = (r for r in published(FOLDER).of_type("CodeSystem") if r["url"] == system)
    return {concept["code"] for concept in found["concept"]}

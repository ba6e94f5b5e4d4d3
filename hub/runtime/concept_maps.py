"""The published ConceptMaps: one for each code table, kept in step with it.

They are in ``fhir_profiles/concept-maps``, beside what is made from FSH and apart from it: their
sources are the tables in ``mappings/``, and they need no Node.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from hub.contract import Resource
from hub.fhir.validation import Profiles
from hub.fhir.validation import published as profiles_at_hand
from hub.mapping import CodeTable, mappings_folder
from hub.mapping.codes import is_code_table
from hub.mapping.concept_maps import Place, concept_map, place_of
from hub.mapping.loading import TableFile
from hub.runtime.published import FOLDER, published

MAPS: Final = FOLDER / "concept-maps"


def made() -> Mapping[str, Resource]:
    """File name to ConceptMap, of every code table."""
    profiles, found = profiles_at_hand(), dict[str, Resource]()
    release = published().of_type("ImplementationGuide")[0]
    places = _places(profiles)
    for file in sorted(mappings_folder("").glob("*/codes/*.csv")):
        if is_code_table(file):
            table = CodeTable.load(file)
            resource = concept_map(table, places.get(file.resolve(), ()), profiles, release)
            found[f"ConceptMap-{resource['id']}.json"] = resource
    return found


def _places(profiles: Profiles) -> Mapping[Path, list[Place]]:
    """Each code table's file to the places that rows write its codes to."""
    found: dict[Path, list[Place]] = {}
    for file in sorted(mappings_folder("").glob("*/*.yaml")):
        table = TableFile.read(file)
        for row in table.rows:
            place = place_of(table, row, profiles) if row["codes"] is not None else None
            if place is not None:
                found.setdefault(row["codes"].file.resolve(), []).append(place)
    return found


def build() -> list[str]:
    """Write them all, and remove those of tables that are no longer there; their names."""
    texts = _texts()
    MAPS.mkdir(exist_ok=True)
    for old in MAPS.glob("*.json"):
        if old.name not in texts:
            old.unlink()
    for name, text in texts.items():
        (MAPS / name).write_text(text, "utf-8")
    return sorted(texts)


def out_of_step() -> list[str]:
    """What differs from what the tables say, one line each."""
    texts = _texts()
    there = {file.name: file.read_text("utf-8") for file in MAPS.glob("*.json")}
    return [
        f"concept-maps/{name}: not what its code table says"
        for name in sorted({*texts, *there})
        if texts.get(name) != there.get(name)
    ]


def _texts() -> Mapping[str, str]:
    return {
        name: json.dumps(resource, ensure_ascii=False, indent=2) + "\n"
        for name, resource in made().items()
    }

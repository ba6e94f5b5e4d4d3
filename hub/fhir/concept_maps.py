"""The published ConceptMaps, one for each code table; they hold nothing of anyone."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import hub
from hub.contract import Resource
from hub.fhir.codec import parse_json

_FOLDER: Final = Path(hub.__file__).parents[1] / "fhir_profiles" / "concept-maps"


@cache
def concept_maps() -> Mapping[str, Resource]:
    """By id, in order; read once."""
    read = (parse_json(file.read_bytes()) for file in _FOLDER.glob("ConceptMap-*.json"))
    return {str(found["id"]): found for found in sorted(read, key=lambda r: str(r["id"]))}

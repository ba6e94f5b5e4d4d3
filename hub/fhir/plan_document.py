"""A plan version as a FHIR document (R4 "Documents", 3.3). Pure and repeatable.

A Composition with the template's sections A to J in order, each with a generated narrative and
references to what it tells of; then everything of the view, so that every reference resolves
inside. The same resources give the same document.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hub.contract import Resource
from hub.fhir import names
from hub.fhir.extract import is_protected
from hub.fhir.plan_sections import SECTIONS_IN_ORDER, Telling
from hub.fhir.reading import PlanReader
from hub.fhir.xhtml import Story

_LOINC_PLAN_OF_CARE = {"system": "http://loinc.org", "code": "18776-5"}
_TITLE = "Koordinerende indsatsplan"


def plan_document(
    resources: Mapping[str, Resource],
    plan: str,
    *,
    base: str,
    timestamp: str,
    id_for: Callable[[str], str],
) -> Resource:
    """The document Bundle of one view.

    ``resources``: ``Type/id`` to resource as the reader may see it; ``plan``: the key of the
    shared plan's CarePlan; ``timestamp``: when that version was made; ``id_for``: a repeatable
    UUID for a key of this document.
    """
    composition = _composition(resources, plan, timestamp, id_for("composition"))
    bundle = id_for("bundle")
    first = {"fullUrl": f"{base}/Composition/{composition['id']}", "resource": composition}
    rest = [{"fullUrl": f"{base}/{key}", "resource": r} for key, r in resources.items()]
    return {
        "resourceType": "Bundle",
        "id": bundle,
        "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{bundle}"},
        "type": "document",
        "timestamp": timestamp,
        "entry": [first, *rest],
    }


def _composition(
    resources: Mapping[str, Resource], plan: str, timestamp: str, id_: str
) -> Resource:
    reader = PlanReader(resources)
    own = resources[plan]
    made: Resource = {
        "resourceType": "Composition",
        "id": id_,
        "language": "da",
        "status": "final",
        "type": {
            "coding": [_LOINC_PLAN_OF_CARE, names.coding(names.CATEGORY, "ki-plan")],
            "text": _TITLE,
        },
        "subject": own["subject"],
        "date": timestamp,
        "author": [own.get("author") or {"display": "Tovholder"}],
        "title": str(own.get("title") or _TITLE),
    }
    if is_protected(reader.patient):
        made["confidentiality"] = "R"
    return made | {"section": [_section(reader, plan, *s) for s in SECTIONS_IN_ORDER]}


def _section(
    reader: PlanReader, plan: str, letter: str, title: str, tell: Telling, kinds: tuple[str, ...]
) -> dict[str, Any]:
    story = Story()
    tell(reader, story)
    made: dict[str, Any] = {"title": f"{letter}. {title}", "text": story.narrative()}
    entries = [{"reference": key} for key in _entries(reader, plan, kinds)]
    return made | ({"entry": entries} if entries else {})


def _entries(reader: PlanReader, plan: str, kinds: tuple[str, ...]) -> list[str]:
    if kinds == ("KiPlan",):
        return [plan]
    if kinds == ("CarePlan",):
        return [found.reference for found in reader.sector_plans()]
    own = reader.resources[plan]
    links = [own["subject"], *own.get("careTeam", ()), *own.get("supportingInfo", ())]
    links += [*own.get("addresses", ()), *own.get("goal", ())]
    keys = [str(link.get("reference", "")) for link in links]
    return [k for k in keys if k.split("/")[0] in kinds and k in reader.resources]

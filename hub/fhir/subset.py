"""Parts of resources: ``_summary`` and ``_elements`` (R4 "Search", 3.1.1.5.8 and 3.1.1.5.9).

Which elements are mandatory or in the summary is R4's own word (:mod:`hub.fhir.types`). What was
cut says so with the tag SUBSETTED, and no longer claims its profiles: it need not keep them.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Final

from hub.contract import Resource
from hub.fhir.query import Query
from hub.fhir.types import Shape, shape_of

SUBSETTED: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
}
_ALWAYS: Final = frozenset({"id", "meta"})


def subset(resource: Resource, query: Query) -> Resource:
    """The resource as the query wants it; the whole of it unless it wants less."""
    shape = shape_of(resource["resourceType"])
    if shape is None:
        return resource
    if query.elements:
        wanted = frozenset(_own(e, shape.type) for e in query.elements)
        return _cut(resource, {e.name for e in shape.elements if e.required or e.name in wanted})
    if query.summary == "true":
        return _cut(resource, {e.name for e in shape.elements if e.required or e.summary})
    if query.summary == "text":
        return _cut(resource, {e.name for e in shape.elements if e.required} | {"text"})
    if query.summary == "data":
        return _cut(resource, {e.name for e in shape.elements if e.name != "text"})
    return resource


def _own(element: str, kind: str) -> str:
    """``status`` of ``CarePlan.status`` and of ``status``; the choice's name without its type."""
    return element.removeprefix(f"{kind}.").split(".")[0].removesuffix("[x]")


def _cut(resource: Resource, kept: Set[str]) -> Resource:
    shape = shape_of(resource["resourceType"])
    assert shape is not None
    made = {
        name: value
        for name, value in resource.items()
        if name == "resourceType" or _element(name, shape) in kept | _ALWAYS
    }
    if len(made) == len(resource):
        return resource
    meta = {k: v for k, v in made.get("meta", {}).items() if k != "profile"}
    tags = [*meta.get("tag", ()), SUBSETTED]
    return made | {"meta": {**meta, "tag": tags}}


def _element(name: str, shape: Shape) -> str:
    """R4's name of a JSON member: ``value`` of ``valueCode``, ``status`` of ``_status``."""
    found = shape.by_name.get(name.removeprefix("_"))
    return found[1].name if found else name

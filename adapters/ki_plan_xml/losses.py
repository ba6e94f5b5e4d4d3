"""What a document does not carry of its view: it is read back and compared leaf by leaf.

A leaf is carried if reading the document gives the same value in the same place of the same
resource; every other leaf is a loss by its FHIR path, so content of a new kind is reported
before anyone thinks of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from lxml import etree

from adapters.ki_plan_xml.reading import Reader
from hub.contract import Loss, LossKind, PlanView, Resource
from hub.fhir.extract import placed

_NO_PLACE: Final = "the template has no place for it"
_WRITTEN: Final = "written otherwise in the template"
_PROTECTED: Final = "the citizen's address is protected"

_TECHNICAL: Final = (
    "resourceType",
    "id",
    "meta/profile",
    "meta/versionId",
    "meta/lastUpdated",
    "text",
)
"""Said by the element itself, by the hub, or again by every other leaf."""

_MARK: Final = "extension(coordination)"
_SECTOR: Final = (
    "intent", "status", "identifier", "partOf", "created", "meta", "extension(legal-basis)",
)  # fmt: skip
"""What says that a sector's plan exists and may be seen here; the annex shows what it says."""


def losses_of(
    view: PlanView, plan: Resource, root: etree._Element, *, open_data: bool
) -> tuple[Loss, ...]:
    """A loss for each leaf of the view that is not in the document, in the view's order."""
    reader = Reader(root, lambda key: key)
    made = reader.shared()
    reader.sector_plans()
    back = dict(reader.incoming.resources) | {f"CarePlan/{plan['id']}": made | {"id": plan["id"]}}
    # Words alone: a date or a number that stands elsewhere in the document says something else.
    written = {e.text for e in root.iter() if e.text and any(c.isalpha() for c in e.text)}
    found: list[Loss] = []
    for key, resource in view.resources.items():
        if key not in back:
            found.append(Loss(key, "dropped", _NO_PLACE))
            continue
        annex = resource["resourceType"] == "CarePlan" and resource["id"] != plan["id"]
        for loss in _missing(resource, back[key], written, annex=annex):
            hidden = not open_data and loss.path.startswith(("address", "telecom"))
            reason = _PROTECTED if hidden else loss.reason
            found.append(Loss(f"{key}/{loss.path}", loss.kind, reason))
    return tuple(found)


def _missing(
    resource: Resource, back: Resource, written: set[str], *, annex: bool
) -> Iterator[Loss]:
    """A loss for each leaf of the resource that is not in what was read back."""
    told = Counter((place, repr(value)) for _, place, value in placed(back))
    places = {place for place, _ in told}
    for path, place, value in placed(resource):
        if told[place, repr(value)]:
            told[place, repr(value)] -= 1
        elif not _goes_without_saying(place, annex=annex):
            other = place in places or value in written
            kind: LossKind = "coarsened" if other else "dropped"
            yield Loss(path, kind, _WRITTEN if other else _NO_PLACE)


def _goes_without_saying(place: str, *, annex: bool) -> bool:
    within = (*_TECHNICAL, *_SECTOR) if annex else _TECHNICAL
    return _MARK in place or any(place == top or place.startswith(f"{top}/") for top in within)

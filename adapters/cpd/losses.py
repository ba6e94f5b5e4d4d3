"""What a CPD-DK document tells as text only, or not at all, by the view's paths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from adapters.cpd.body import STATUSES
from adapters.cpd.header import valid_from
from adapters.pdf.losses import losses
from adapters.xml_plan.text import xml_text
from hub.contract import Loss, PlanView
from hub.fhir import names
from hub.fhir.extract import extensions
from hub.fhir.reading import PlanReader
from hub.mapping.paths import leaves

_DEFAULTED: Final = "not given; the time of the document stands in"
_TEXT: Final = "told in the narrative only"
_AS_TEXT: Final = frozenset({"Observation", "Appointment"})
"""Resources without an entry in CPD-DK."""
_PLAN: Final = (
    names.CONSENT_AS_WRITTEN,
    names.LEVEL,
    names.ANCHORING,
    names.PROPOSAL,
    names.NEXT_MEETING,
    names.POSTSCRIPT,
)
_ACTIVITY: Final = (names.SUCCESS_CRITERION, names.FALLBACK, names.SECTION)


def losses_of(view: PlanView) -> tuple[Loss, ...]:
    """The losses of printing the view, and what stands in the narrative without an entry."""
    unshown = frozenset(
        c
        for resource in view.resources.values()
        for _, value in leaves(resource)
        if isinstance(value, str)
        for c in value
        if not xml_text(c)
    )
    return (*losses(view, unshown), *_as_text(view))


def _as_text(view: PlanView) -> Iterator[Loss]:
    reader = PlanReader(view.resources)
    shared = reader.plan.get("id")
    if valid_from(reader) is None:
        yield Loss(f"CarePlan/{shared}/period/start", "defaulted", _DEFAULTED)
    for key, resource in view.resources.items():
        kind = resource["resourceType"]
        if kind in _AS_TEXT or (kind == "CarePlan" and resource["id"] != shared):
            yield Loss(key, "coarsened", _TEXT)
            continue
        if extensions(resource, names.SECTION):
            yield Loss(f"{key}/section", "coarsened", _TEXT)
        for url in _PLAN:
            if extensions(resource, url):
                name = url.removeprefix(names.extension(""))
                yield Loss(f"{key}/{name}", "coarsened", _TEXT)
        for i, activity in enumerate(resource.get("activity", ())):
            status = STATUSES.backward(str(activity["detail"]["status"]), at=key)
            if not status.lossless:
                at = f"{key}/activity[{i}]/detail/status"
                yield Loss(at, "coarsened", status.comment)
            for url in _ACTIVITY:
                if extensions(activity, url):
                    name = url.removeprefix(names.extension(""))
                    yield Loss(f"{key}/activity[{i}]/{name}", "coarsened", _TEXT)

"""Views with more than the examples have: the citizen's answer, and another sector's plan."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from hub.contract import PlanUpdate, PlanView, Resource
from hub.fhir.bundles import rewritten
from hub.model.reduction import shareable
from tests.contract.adapter_samples import Sample, read
from tests.views import EXAMPLES, PLAN_1, ROOT, view_of

_SECTOR = Sample("behandlingsplan", ROOT / "mappings/behandlingsplan/samples/typical.xml")


def answer(number: int = 2) -> Resource:
    """A citizen's decision as registered: 1 an unconditional yes, 2 an oral yes on a condition."""
    found: Resource = json.loads((EXAMPLES / f"approval-{number}.json").read_text("utf-8"))
    return found


def with_sector_plan(view: PlanView) -> PlanView:
    """The view with what the region marked for coordination in its own plan."""
    update = read(_SECTOR)
    assert isinstance(update, PlanUpdate)
    own = {f"{r['resourceType']}/{r['id']}": r for r in update.resources}
    kept, _ = shareable(own, lambda plan: False)
    citizen = next(k for k in view.resources if k.startswith("Patient/"))
    others = {
        key: rewritten(r, lambda x: citizen if x.startswith("Patient/") else None)
        for key, r in kept.items()
        if not key.startswith("Patient/")
    }
    return replace(view, resources=dict(view.resources) | others)


def full_view(plan: Path = PLAN_1) -> PlanView:
    """Version 3 of an example plan, waiting for a condition, beside the region's plan."""
    return with_sector_plan(view_of(plan, approval=answer(), approved=False, version=3))

"""A part's resources into the store, and the plan's next version."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from hub.contract import Party, Resource
from hub.errors import Invalid
from hub.fhir.bundles import rewritten
from hub.model.plan import SHARED, Key, canonical, digest_of, with_decisions
from hub.model.records import Part, Plan, PlanVersion
from hub.services.hub import Hub, sha256
from hub.store.saving import OthersError, Written
from hub.store.work import UnitOfWork


def store(
    hub: Hub,
    work: UnitOfWork,
    part: Part,
    sender: Party,
    citizen: str,
    resources: Iterable[Resource],
) -> tuple[Key, ...]:
    """Save what changed; the citizen is one Patient in the hub, told by the shared part.

    Raises Invalid for an id that is another part's.
    """
    written: list[Written] = []
    told = next((key[2] for key in part.members if key[0] == "Patient"), None)
    for resource in with_one_patient(resources, citizen):
        if resource["resourceType"] == "Patient" and part.kind != SHARED:
            continue
        person = resource["resourceType"] == "Patient"
        owner, mine = (citizen, told) if person else (part.id, None)
        if part.kind == SHARED and resource["id"] == part.id and part.members:
            before = work.plans.resources(part.members[:1])
            resource = with_decisions(resource, before[f"CarePlan/{part.id}"])  # noqa: PLW2901
        written.append(Written(resource, sha256(canonical(resource)), owner, mine))
    try:
        return tuple(work.plans.save_resources(written, sender.id, hub.clock()))
    except OthersError as e:
        raise Invalid("The id belongs to another part of a plan", at=f"{e.kind}.id") from None


def with_one_patient(resources: Iterable[Resource], citizen: str) -> list[Resource]:
    """The resources with the hub's own Patient in place of the document's."""
    found = list(resources)
    patients = {f"Patient/{r['id']}" for r in found if r["resourceType"] == "Patient"}
    own = f"Patient/{citizen}"
    made = []
    for resource in found:
        changed = rewritten(resource, lambda r: own if r in patients else None)
        if resource["resourceType"] == "Patient":
            changed["id"] = citizen
        made.append(changed)
    return made


def never_before(head: PlanVersion | None, now: datetime) -> datetime:
    """When the version after ``head`` is made, whatever the clock says.

    Who asks what is new since a time would miss a version that is older than the one before.
    """
    return max(head.created_at, now) if head else now


def next_version(
    hub: Hub,
    work: UnitOfWork,
    plan: Plan,
    by: Party,
    *,
    actor: str | None = None,
    source: str | None = None,
    written_on: int | None = None,
) -> tuple[int, bool]:
    """A new manifest, if it differs from the head's; ``source``: the message it comes from.

    ``actor``: who did it, where that is a person; ``written_on``: see PlanVersion.
    """
    parts = work.plans.parts(plan.id)
    manifest = {p.id: p.members for p in parts if p.members}
    head = work.plans.version(plan.id, plan.head)
    if head is not None and dict(head.manifest) == manifest:
        return plan.head, False
    shared = next(p for p in parts if p.kind == SHARED)
    digest = digest_of(work.plans.resources(shared.members).values())
    number = plan.head + 1
    at = never_before(head, hub.clock())
    version = PlanVersion(plan.id, number, manifest, digest, by.id, at, written_on)
    work.plans.add_version(version, source)
    work.journal.audit(
        hub.clock(), actor or by.id, "update", f"CarePlan/{plan.id}/_history/{number}",
        party=by.id, detail=f"inbox/{source}" if source else "",
    )  # fmt: skip
    return number, True

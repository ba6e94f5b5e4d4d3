"""Hub ids for what a document holds: repeatable, and kept where the hub issued them itself.

A key is ``case/Type/own key``; the own key is the resource's ``id``, else its fullUrl, and for
the Patient the national number. Without a case id the number takes its place, so that two
citizens' ``Goal/1`` never become one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from adapters.dk_core import CITIZEN_SYSTEMS
from adapters.fhir.document import SHARED, Document, identifiers
from adapters.fhir.terms import is_uuid
from hub.contract import Context
from hub.fhir.bundles import Entry, Index


@dataclass(frozen=True)
class Identity:
    """The hub's names for one document's resources."""

    scope: str
    plan_id: str | None
    keys: Mapping[str, str]
    """Entry path to ``Type/id``."""
    index: Index

    def key(self, entry: Entry) -> str:
        """``Type/id`` of an entry."""
        return self.keys[entry.path]

    def references_from(self, source: Entry) -> Callable[[str], str | None]:
        """The hub's reference for one in ``source``; None for what is not in the document."""

        def new(reference: str) -> str | None:
            target = self.index.resolve(reference, source)
            return self.keys[target.path] if target else None

        return new

    def activity_id(self, number: int, context: Context) -> str:
        """The id of an intervention that came without one, by its position from 1."""
        return context.id_for(f"{self.scope}/activity/{number}")


def identify(document: Document, context: Context) -> Identity:
    """Names for every entry; the references of the document must have been checked."""
    citizen = next((i for i in identifiers(document.patient) if i.system in CITIZEN_SYSTEMS), None)
    number = citizen.value if citizen else ""
    scope = document.case or number
    plan_id = document.hub_plan or _hub_plan_by_url(document, context)
    keys = {}
    for entry in document.index.entries:
        kind = entry.resource["resourceType"]
        own = entry.resource.get("id") or entry.full_url or entry.path
        if _is_hubs(entry, context.base_url):
            id = str(entry.resource["id"])
        elif entry is document.plan and document.part == SHARED and plan_id is not None:
            id = plan_id
        elif entry is document.patient:
            id = context.id_for(f"{scope}/Patient/{number}")
        else:
            id = context.id_for(f"{scope}/{kind}/{own}")
        keys[entry.path] = f"{kind}/{id}"
    plan_scope = f"{scope}/{keys[document.plan.path]}"
    return Identity(plan_scope, plan_id, keys, document.index)


def _is_hubs(entry: Entry, base: str) -> bool:
    """The hub issued this id: it stands at the hub's own address and has the form of its ids.

    Whether the sender may write there is not decided here but where the update is applied.
    """
    own = str(entry.resource.get("id", ""))
    kind = entry.resource["resourceType"]
    return entry.full_url == f"{base}/{kind}/{own}" and is_uuid(own)


def _hub_plan_by_url(document: Document, context: Context) -> str | None:
    """The plan a hub address names: the plan's own, or for a sector plan its partOf."""
    if document.part == SHARED:
        plan = document.plan
        return str(plan.resource["id"]) if _is_hubs(plan, context.base_url) else None
    for link in document.plan.resource.get("partOf", ()):
        reference = str(link.get("reference", "")).removeprefix(f"{context.base_url}/")
        kind, _, own = reference.partition("/")
        if kind == "CarePlan" and is_uuid(own):
            return own
    return None

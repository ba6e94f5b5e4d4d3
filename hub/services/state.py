"""A plan with everything decisions need."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hub.contract import Resource
from hub.model.agreement import USUAL, Agreements, read_agreement
from hub.model.delivery import State
from hub.model.party import Directory
from hub.model.plan import SHARED, Member, chief_role, team
from hub.model.protection import is_hidden
from hub.model.records import Delivery, Plan, PlanVersion
from hub.model.routing import PlanFacts, Version
from hub.store.work import UnitOfWork

AGREEMENT: Final = "agreement"
"""Meta key: what the parties have agreed on, from the parties file."""
OWN_AGREEMENTS: Final = "agreements-of-units"
"""Meta key: by unit, of those that are under another agreement."""


def agreements_of(work: UnitOfWork) -> Agreements:
    """The local agreements in force."""
    found = work.journal.metas(AGREEMENT, OWN_AGREEMENTS)
    own = json.loads(found.get(OWN_AGREEMENTS, "{}"))
    return Agreements(
        read_agreement(json.loads(found[AGREEMENT])) if AGREEMENT in found else USUAL,
        {unit: read_agreement(said) for unit, said in own.items()},
    )


def set_agreements(work: UnitOfWork, said: Agreements, units: Collection[str]) -> bool:
    """Write down what holds from now on for these units; True if that is new. Any other unit stays
    under the agreement of its own that it has.
    """
    before = agreements_of(work)
    kept = {unit: own for unit, own in before.own.items() if unit not in units}
    now = Agreements(said.usual, {**kept, **{u: a for u, a in said.own.items() if u in units}})
    work.journal.set_meta(AGREEMENT, json.dumps(now.usual.written()))
    own = {unit: agreement.written() for unit, agreement in now.own.items()}
    work.journal.set_meta(OWN_AGREEMENTS, json.dumps(own))
    return now != before


def is_deceased(resource: Resource) -> bool:
    """The Patient is said to be dead, at a known time or not."""
    if resource["resourceType"] != "Patient":
        return False
    return resource.get("deceasedBoolean") is True or "deceasedDateTime" in resource


@dataclass(frozen=True)
class PlanState:
    """A plan with everything decisions need, read in one transaction."""

    plan: Plan
    versions: tuple[PlanVersion, ...]
    members: tuple[Member, ...]
    strangers: tuple[str, ...]
    facts: PlanFacts
    deliveries: tuple[Delivery, ...]
    """Of the plan itself, oldest first."""

    def member(self, party: str) -> Member | None:
        """The unit in the team."""
        return next((m for m in self.members if m.party.id == party), None)

    def role_of(self, party: str) -> str | None:
        """What the unit chiefly is in the team; None if it is not in it."""
        found = self.member(party)
        return chief_role(found.roles) if found else None


def plan_state(work: UnitOfWork, plan: Plan, directory: Directory, now: datetime) -> PlanState:
    """Read it. The team is that of the head version."""
    versions = tuple(work.plans.versions(plan.id))
    parts = work.plans.parts(plan.id)
    shared = next(p for p in parts if p.kind == SHARED)
    resources = work.plans.resources(shared.members)
    members, strangers = team(resources, directory.find)
    if plan.in_error:
        # There never was such a plan: nobody is in it, and nobody is sent anything of it.
        members, strangers = (), ()
    settled: dict[str, frozenset[str]] = {}
    deliveries = tuple(work.deliveries.of_plan(plan.id))
    for delivery in deliveries:
        if delivery.state is State.NOT_SENT and delivery.ruling != "anew":
            before = settled.get(delivery.receiver, frozenset())
            settled[delivery.receiver] = before | {delivery.digest}
    facts = PlanFacts(
        versions=tuple(Version(v.number, v.digest) for v in versions),
        lead=plan.lead,
        members=members,
        consents=work.consents.of_citizen(plan.citizen_id),
        approvals=work.consents.approvals(plan.id),
        forwarded=frozenset(h.to_party for h in work.journal.hops(plan.id)),
        settled=settled,
        now=now,
        agreement=agreements_of(work).of(plan.lead),
        deceased=any(is_deceased(r) for r in resources.values()),
        protected=is_hidden(resources.values()),
    )
    return PlanState(plan, versions, members, strangers, facts, deliveries)

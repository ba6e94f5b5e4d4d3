"""Who must get what, who must not, and why. Pure; every "not" is said.

The rule (KORA 2017 project description, section 6): the finished plan goes to the citizen, to
those who took part and to the lead's own coordinator, who forwards it to the other
organisation's. The GP and others who took no part wait for the citizen's approval.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Literal

from hub.model.approval import Approval, gate, latest
from hub.model.consent import Consent, Purpose, Verdict, may_take_part
from hub.model.party import CITIZEN
from hub.model.plan import Member

GATED = frozenset({"gp", "receiver"})
"""Roles that wait for approval unless the unit also takes part."""
ALONGSIDE = frozenset({"citizen", "relative", "spokesperson"})

TaskKind = Literal["approve", "forward", "hand-over", "consent"]


@dataclass(frozen=True)
class Version:
    """One plan version as routing sees it."""

    number: int
    digest: str


@dataclass(frozen=True)
class PlanFacts:
    """Everything routing depends on."""

    versions: tuple[Version, ...]
    """Oldest first; never empty."""
    lead: str
    """Party id of the lead's unit."""
    members: tuple[Member, ...]
    consents: tuple[Consent, ...]
    approvals: tuple[Approval, ...]
    forwarded: frozenset[str]
    """Coordinators the plan was forwarded to by a person."""
    settled: Mapping[str, frozenset[str]]
    """Receiver to the digests a person decided not to send to it."""
    now: datetime

    @property
    def head(self) -> Version:
        """The newest version."""
        return self.versions[-1]


@dataclass(frozen=True)
class Route:
    """The decision for one receiver and one version."""

    receiver: str
    version: int
    verdict: Literal["send", "block", "deny"]
    reason: str
    basis: str = ""
    task: TaskKind | None = None
    task_for: str = ""
    """Party id of the unit whose person must act."""


def route(facts: PlanFacts) -> tuple[Route, ...]:
    """The decisions for every receiver of the plan, the citizen first."""
    found = [_citizen(facts)]
    for member in facts.members:
        found += _member(facts, member)
    return tuple(found)


def purpose_for(roles: frozenset[str]) -> Purpose:
    """What the citizen must have consented to for this receiver."""
    return "copy-to-gp" if roles and roles <= GATED else "exchange"


def basis_for(facts_consents: tuple[Consent, ...], member: Member, now: datetime) -> Verdict:
    """The legal basis for anything of the plan to this unit, now."""
    return may_take_part(facts_consents, member.party.id, purpose_for(member.roles), now)


def forwarders(facts: PlanFacts) -> frozenset[str]:
    """Who hands the plan on: the coordinators in the lead's organisation, else the lead itself."""
    organisations = {m.party.id: m.party.organisation for m in facts.members}
    own = organisations.get(facts.lead)
    found = (m.party for m in facts.members if "coordinator" in m.roles)
    return frozenset(p.id for p in found if p.organisation == own) or frozenset({facts.lead})


def _citizen(facts: PlanFacts) -> Route:
    """The citizen's copy is made for each new shared part, at the first version that has it.

    A part that came back after another one is new again: the copy in hand says otherwise.
    """
    same = takewhile(lambda v: v.digest == facts.head.digest, reversed(facts.versions))
    first = min(same, key=lambda v: v.number)
    reason = "The citizen's own plan"
    return Route(CITIZEN, first.number, "send", reason, "own-right", "hand-over", facts.lead)


def _member(facts: PlanFacts, member: Member) -> list[Route]:
    party, head = member.party.id, facts.head
    verdict = basis_for(facts.consents, member, facts.now)
    if not verdict.permit:
        return [Route(party, head.number, "deny", verdict.reason, task="consent",
                      task_for=facts.lead)]  # fmt: skip
    if member.roles <= GATED:
        return _gated(facts, member, verdict.basis)
    if head.digest in facts.settled.get(party, frozenset()):
        return []
    refused = latest(facts.approvals, head.digest)
    exempt = party == facts.lead or "coordinator" in member.roles
    if refused is not None and refused.decision == "no" and not exempt:
        reason = "The citizen has said no to this version"
        return [Route(party, head.number, "block", reason, verdict.basis, "approve", facts.lead)]
    if member.roles - ALONGSIDE == {"coordinator"}:
        return [_coordinator(facts, member, verdict.basis)]
    return [Route(party, head.number, "send", "Takes part in the plan", verdict.basis)]


def _coordinator(facts: PlanFacts, member: Member, basis: str) -> Route:
    """Two hops: the own coordinator gets it, and forwards it to the other organisation's."""
    party, number = member.party.id, facts.head.number
    organisations = {m.party.id: m.party.organisation for m in facts.members}
    own = organisations.get(facts.lead) == member.party.organisation
    if own:
        return Route(party, number, "send", "The lead's own coordinator", basis)
    if party in facts.forwarded:
        return Route(party, number, "send", "Forwarded by the lead's own coordinator", basis)
    forwarder = min(forwarders(facts))
    reason = "Waits until the lead's own coordinator forwards it"
    return Route(party, number, "block", reason, basis, "forward", forwarder)


def _gated(facts: PlanFacts, member: Member, basis: str) -> list[Route]:
    """The newest version whose shared part the citizen approved; a newer one waits."""
    party = member.party.id
    settled = facts.settled.get(party, frozenset())
    found = []
    admitted = next(
        (
            v
            for v in reversed(facts.versions)
            if gate(facts.approvals, v.digest, party=party, roles=member.roles).open
        ),
        None,
    )
    if admitted is not None and admitted.digest not in settled:
        found.append(Route(party, admitted.number, "send", "Approved by the citizen", basis))
    head = gate(facts.approvals, facts.head.digest, party=party, roles=member.roles)
    if not head.open and facts.head.digest not in settled:
        found.append(
            Route(party, facts.head.number, "block", head.reason, basis, "approve", facts.lead)
        )
    return found

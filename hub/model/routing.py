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
from typing import Final, Literal

from hub.model.agreement import GATED, USUAL, Agreement
from hub.model.approval import Approval, gate, held_back, latest
from hub.model.consent import Consent, Purpose, Verdict
from hub.model.lawful import may_take_part
from hub.model.party import CITIZEN
from hub.model.plan import Member

ALONGSIDE = frozenset({"citizen", "relative", "spokesperson"})

TaskKind = Literal["approve", "forward", "hand-over", "consent", "own-document"]


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
    agreement: Agreement = USUAL
    deceased: bool = False
    """The plan says that the citizen is dead."""
    protected: bool = False
    """It says that the citizen's name or address is protected."""

    def gates(self, member: Member) -> bool:
        """The member waits for the citizen's approval."""
        return self.agreement.gates(member.roles, lead=member.party.id == self.lead)

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
    if facts.deceased:
        stopped = [CITIZEN, *(m.party.id for m in facts.members)]
        return tuple(Route(r, facts.head.number, "deny", _DECEASED) for r in stopped)
    found = [_citizen(facts)]
    for member in facts.members:
        found += _member(facts, member)
    return tuple(found)


def purpose_for(roles: frozenset[str]) -> Purpose:
    """What the citizen must have consented to for this receiver."""
    return "copy-to-gp" if roles and roles <= GATED else "exchange"


def basis_for(facts_consents: tuple[Consent, ...], member: Member, now: datetime) -> Verdict:
    """The legal basis for anything of the plan to this unit, now."""
    return may_take_part(facts_consents, member.party, purpose_for(member.roles), now)


def forwarders(facts: PlanFacts) -> frozenset[str]:
    """Who hands the plan on: the coordinators in the lead's organisation, else the lead itself.

    A coordinator that the citizen's consent does not cover is not even asked: being asked would
    tell it that there is a plan.
    """
    found = (m for m in facts.members if "coordinator" in m.roles and _beside_lead(facts, m))
    covered = (m for m in found if basis_for(facts.consents, m, facts.now).permit)
    return frozenset(m.party.id for m in covered) or frozenset({facts.lead})


def refusal(facts: PlanFacts, member: Member, version: Version) -> str:
    """Why this member may not have that version now; empty if it may.

    One answer for sending, fetching and reading: what is not sent is not read either.
    """
    verdict = basis_for(facts.consents, member, facts.now)
    if facts.deceased and member.party.id != facts.lead:
        return _DECEASED
    if not verdict.permit:
        return verdict.reason
    if version.digest in facts.settled.get(member.party.id, frozenset()):
        return "A person decided not to send it; see the plan's postscript"
    if facts.gates(member):
        return gate(
            facts.approvals, version.digest, party=member.party.id, roles=member.roles
        ).reason
    return _stopped(facts, member, version.digest) or (
        _NOT_FORWARDED if _waits_for_hop(facts, member) else ""
    )


def newest_for(facts: PlanFacts, member: Member) -> Version | None:
    """The newest version this member may have now; without one, the plan does not exist for it."""
    admitted = (v for v in reversed(facts.versions) if not refusal(facts, member, v))
    return next(admitted, None)


def registers_approvals(facts: PlanFacts, member: Member) -> bool:
    """The citizen's decision is registered by the lead's unit or a coordinator that has the plan.

    Not by whoever takes part: the decision opens the way to others, and to the GP (KORA template,
    field H4: the tovholder).
    """
    lead = member.party.id == facts.lead
    return (lead or "coordinator" in member.roles) and newest_for(facts, member) is not None


_DECEASED: Final = "The citizen is dead; nothing more is sent"
_NOT_FORWARDED: Final = "Waits until the lead's own coordinator forwards it"


def _beside_lead(facts: PlanFacts, member: Member) -> bool:
    """It is in the lead's own organisation."""
    organisations = {m.party.id: m.party.organisation for m in facts.members}
    return organisations.get(facts.lead) == member.party.organisation


def _waits_for_hop(facts: PlanFacts, member: Member) -> bool:
    """The other organisation's coordinator gets the plan from a person, not from the hub."""
    return (
        member.roles - ALONGSIDE == {"coordinator"}
        and not _beside_lead(facts, member)
        and member.party.id not in facts.forwarded
    )


def _stopped(facts: PlanFacts, member: Member, digest: str) -> str:
    """What the citizen has said of this shared part against one who takes part; else empty."""
    said = latest(facts.approvals, digest)
    if said is None or member.party.id == facts.lead:
        return ""
    if said.decision == "no":
        exempt = "coordinator" in member.roles
        return "" if exempt else "The citizen has said no to this version"
    held = held_back(said, party=member.party.id, roles=member.roles)
    return "Waits for a condition the citizen set for this receiver" if held else ""


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
    if facts.gates(member):
        return _gated(facts, member, verdict.basis)
    if head.digest in facts.settled.get(party, frozenset()):
        return []
    stopped = _stopped(facts, member, head.digest)
    if stopped:
        waits = Route(party, head.number, "block", stopped, verdict.basis, "approve", facts.lead)
        return [*_before(facts, member, verdict.basis), waits]
    if member.roles - ALONGSIDE == {"coordinator"}:
        return [_coordinator(facts, member, verdict.basis)]
    return [Route(party, head.number, "send", "Takes part in the plan", verdict.basis)]


def _before(facts: PlanFacts, member: Member, basis: str) -> list[Route]:
    """What stops the newest version stops no older one: whoever may read it is sent it."""
    older = newest_for(facts, member)
    if older is None:
        return []
    return [Route(member.party.id, older.number, "send", "Takes part in the plan", basis)]


def _coordinator(facts: PlanFacts, member: Member, basis: str) -> Route:
    """Two hops: the own coordinator gets it, and forwards it to the other organisation's."""
    party, number = member.party.id, facts.head.number
    if _waits_for_hop(facts, member):
        forwarder = min(forwarders(facts))
        return Route(party, number, "block", _NOT_FORWARDED, basis, "forward", forwarder)
    own = _beside_lead(facts, member)
    reason = "The lead's own coordinator" if own else "Forwarded by the lead's own coordinator"
    return Route(party, number, "send", reason, basis)


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

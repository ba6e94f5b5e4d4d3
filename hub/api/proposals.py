"""Proposals and conflicts: what waits for a person, its texts side by side, and the decision."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from hub.api.acts import Act
from hub.api.security import HubDep, PartyDep
from hub.model.party import RegisteredParty, Viewer
from hub.services import proposals
from hub.services.hub import Hub
from hub.services.proposal_rows import proposal_row, texts_row

ROUTER = APIRouter(tags=["people"], prefix="/proposals")


class ProposalOut(BaseModel):
    """A change that waits for a person, or waited; without its texts."""

    proposal: str
    kind: str = Field(description="`proposal` or `conflict`")
    plan: str
    part: str = Field(description="The plan's id for its shared part, else a sector plan's")
    about: str = Field(description="`goal/<id>`, `order/goal`, `next-meeting`, …")
    author: str
    decides: str
    state: str = Field(description="`open`, `accepted`, `rejected`, `replaced` or `superseded`")
    written_on: int | None = Field(description="The plan version its author had")
    received_at: str
    decided_by: str | None
    decided_at: str | None
    reason: str | None


class TextsOut(ProposalOut):
    """The same with its texts in lines, the main one first; empty: it is not there."""

    base: list[str]
    theirs: list[str]
    stands: list[str]
    version: int = Field(description="The plan version that says what stands")
    single_text: bool = Field(description="It may be decided in other words")


class Decided(Act):
    """Who decided, and why."""

    reason: str = Field(min_length=1, description="Why; the author reads it")
    version: int | None = Field(
        default=None, description="The plan version you looked at; 409 if it says otherwise by now"
    )


class Reworded(Decided):
    """A decision in other words."""

    text: str = Field(min_length=1, description="What it is to say")


@ROUTER.get("")
def listing(
    hub: HubDep, party: PartyDep, plan: str | None = None, decided: bool = False
) -> list[ProposalOut]:
    """What your unit proposed or decides, newest first; ``decided``: not only what waits."""
    viewer = Viewer.of(party.party)
    found = proposals.proposals(hub, viewer, waiting=not decided, plan_id=plan)
    return [ProposalOut(**proposal_row(p)) for p in found]


@ROUTER.get("/{proposal}")
def one(proposal: str, hub: HubDep, party: PartyDep) -> TextsOut:
    """One with its texts, as far as you may see them; the look is audited."""
    return TextsOut(**texts_row(proposals.show(hub, party.party, proposal)))


@ROUTER.post("/{proposal}/accept")
def accept(proposal: str, said: Decided, hub: HubDep, party: PartyDep) -> ProposalOut:
    """It becomes the plan's next version; a sector plan is then for its owner to change."""
    return _decided(hub, party, proposal, "accept", said)


@ROUTER.post("/{proposal}/reject")
def reject(proposal: str, said: Decided, hub: HubDep, party: PartyDep) -> ProposalOut:
    """What stands, stands."""
    return _decided(hub, party, proposal, "reject", said)


@ROUTER.post("/{proposal}/reword")
def reword(proposal: str, said: Reworded, hub: HubDep, party: PartyDep) -> ProposalOut:
    """Neither: the plan's next version says it in your words."""
    return _decided(hub, party, proposal, "reword", said, said.text)


def _decided(
    hub: Hub,
    party: RegisteredParty,
    proposal: str,
    choice: proposals.Choice,
    said: Decided,
    text: str = "",
) -> ProposalOut:
    found = proposals.decide(
        hub, party.party, proposal, choice,
        person=said.person, reason=said.reason, text=text, version=said.version,
    )  # fmt: skip
    return ProposalOut(**proposal_row(found))

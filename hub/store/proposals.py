"""Proposals and conflicts: changes that wait for a person of the owner's unit."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, case, or_, select, update

from hub.fhir.codec import dump_json, parse_kept
from hub.model.party import Viewer
from hub.model.records import Proposal, ProposalState
from hub.store.plans import may_see
from hub.store.proposal_tables import PROPOSAL
from hub.store.tables import PART, PLAN

DECIDER = case((PROPOSAL.c.part_id == PROPOSAL.c.plan_id, PLAN.c.lead), else_=PART.c.owner)
"""Whose people decide: the lead's, or the owner's of the sector plan."""


class Proposals:
    """A party sees its own, those it decides, and those about its own words; while it may know of
    the plan."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def add(self, proposal: Proposal) -> None:
        """One more."""
        self._db.execute(
            PROPOSAL.insert().values(
                id=proposal.id,
                plan_id=proposal.plan_id,
                part_id=proposal.part_id,
                piece=proposal.piece,
                kind=proposal.kind,
                author=proposal.author,
                actor=proposal.actor,
                inbox_id=proposal.inbox_id,
                base_version=proposal.base_version,
                version=proposal.version,
                base=_text(proposal.base),
                theirs=_text(proposal.theirs),
                carried=_text(dict(proposal.carried)),
                state=proposal.state,
                reason=proposal.reason,
                created_at=proposal.created_at,
            )
        )

    def get(self, proposal_id: str, viewer: Viewer, at: datetime) -> Proposal | None:
        """One, if the viewer may know of it now."""
        found = _seen(viewer, at).where(PROPOSAL.c.id == proposal_id)
        row = self._db.execute(found).first()
        return _proposal(row) if row else None

    def beginning(self, text: str, viewer: Viewer, at: datetime) -> list[str]:
        """The ids that begin so, two at most, of those the viewer may know of."""
        found = _seen(viewer, at).where(PROPOSAL.c.id.startswith(text, autoescape=True)).limit(2)
        return [row.id for row in self._db.execute(found)]

    def listing(
        self,
        viewer: Viewer,
        at: datetime,
        *,
        state: ProposalState | None = None,
        plan_id: str | None = None,
        limit: int = 500,
    ) -> list[Proposal]:
        """Those the viewer may know of now, newest first."""
        found = _seen(viewer, at)
        if state is not None:
            found = found.where(PROPOSAL.c.state == state)
        if plan_id is not None:
            found = found.where(PROPOSAL.c.plan_id == plan_id)
        ordered = found.order_by(PROPOSAL.c.created_at.desc(), PROPOSAL.c.piece, PROPOSAL.c.id)
        return [_proposal(r) for r in self._db.execute(ordered.limit(limit))]

    def of_piece(self, plan_id: str, author: str, piece: str) -> list[Proposal]:
        """What one unit has said of one piece, oldest first; for the services."""
        found = _seen(Viewer("system"), None).where(
            PROPOSAL.c.plan_id == plan_id, PROPOSAL.c.author == author, PROPOSAL.c.piece == piece
        )
        return [_proposal(r) for r in self._db.execute(found.order_by(PROPOSAL.c.created_at))]

    def close(
        self, proposal_id: str, state: ProposalState, by: str, at: datetime, reason: str
    ) -> None:
        """It is decided, or another took its place."""
        self._db.execute(
            update(PROPOSAL)
            .where(PROPOSAL.c.id == proposal_id)
            .values(state=state, decided_by=by, decided_at=at, reason=reason)
        )


def _seen(viewer: Viewer, at: datetime | None) -> Select[Any]:
    found = (
        select(PROPOSAL, DECIDER.label("decider"))
        .join(PLAN, PLAN.c.id == PROPOSAL.c.plan_id)
        .outerjoin(PART, PART.c.id == PROPOSAL.c.part_id)
    )
    if viewer.kind != "party":
        return found
    assert at is not None
    mine = (PROPOSAL.c.author, PROPOSAL.c.actor, DECIDER)
    return found.where(may_see(viewer, at), or_(*(who == viewer.id for who in mine)))


def _text(value: Any) -> str:
    """JSON, in an object: a piece may be any JSON, or nothing."""
    return dump_json({} if value is None else {"value": value}).decode()


def _value(text: str) -> Any:
    return parse_kept(text).get("value")


def _proposal(row: Row[Any]) -> Proposal:
    return Proposal(
        id=row.id,
        plan_id=row.plan_id,
        part_id=row.part_id,
        piece=row.piece,
        kind=row.kind,
        author=row.author,
        decider=row.decider,
        actor=row.actor,
        inbox_id=row.inbox_id,
        base_version=row.base_version,
        version=row.version,
        base=_value(row.base),
        theirs=_value(row.theirs),
        carried=_value(row.carried),
        state=row.state,
        reason=row.reason,
        created_at=row.created_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
    )

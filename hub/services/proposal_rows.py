"""Proposals as rows, the same for API and command line."""

from __future__ import annotations

from typing import Any

from hub.model.records import Proposal
from hub.services.proposals import Shown


def proposal_row(found: Proposal) -> dict[str, Any]:
    """One, without what it says."""
    return {
        "proposal": found.id,
        "kind": found.kind,
        "plan": found.plan_id,
        "part": found.part_id,
        "about": found.piece,
        "author": found.author,
        "decides": found.decider,
        "state": found.state,
        "written_on": found.base_version,
        "received_at": found.created_at.isoformat(),
        "decided_by": found.decided_by,
        "decided_at": found.decided_at.isoformat() if found.decided_at else None,
        "reason": found.reason or None,
    }


def texts_row(shown: Shown) -> dict[str, Any]:
    """One, with what its reader may see."""
    return {
        **proposal_row(shown.proposal),
        "base": shown.base,
        "theirs": shown.theirs,
        "stands": shown.stands,
        "version": shown.version,
        "single_text": shown.single,
    }

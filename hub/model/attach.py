"""Which plan a document belongs to. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.model.records import Part, Plan


@dataclass(frozen=True)
class Attachment:
    """Where a sector's document goes."""

    plan_id: str | None
    """None: kept unattached, disclosed to nobody, and a person is asked."""
    ambiguous: bool = False
    """The citizen has several open plans; a person must say which."""


def attach(named: str | None, known: Part | None, open_plans: Sequence[Plan]) -> Attachment:
    """The hub's plan id, else the sender's known case id, else the citizen's only open plan."""
    ids = {p.id for p in open_plans}
    if named is not None and named in ids:
        return Attachment(named)
    if known is not None and known.plan_id is not None:
        return Attachment(known.plan_id)
    if len(open_plans) == 1:
        return Attachment(open_plans[0].id)
    return Attachment(None, ambiguous=len(open_plans) > 1)

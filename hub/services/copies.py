"""Which of the copies of one version that a receiver was sent is the current one.

There are several when the basis was gone and is back, or got narrower or wider, or an operator had
one made anew: each has its row, and its id follows from the one before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from hub.model.delivery import UNDER_WAY, State
from hub.model.party import CITIZEN, Subscription
from hub.model.records import Delivery
from hub.model.routing import Route
from hub.services.frozen import open_now, why_not
from hub.services.hub import repeatable
from hub.services.state import PlanState
from hub.services.views import shows_more
from hub.store.work import UnitOfWork

_HAS_LEFT: Final = UNDER_WAY | {State.DELIVERED}


def current(
    work: UnitOfWork, state: PlanState, found: Route, format: str, rows: Sequence[Delivery]
) -> tuple[Delivery | None, str]:
    """The row that is as it should be now, and the id of the next one to make where there is none.

    What was made last is what a receiver goes by: a copy before it counts no more, also where it
    holds just what is permitted now. ``rows``: the receiver's, of this plan.
    """
    row_id = repeatable(state.plan.id, found.receiver, str(found.version), format)
    by_id = {r.id: r for r in rows}
    chain: list[Delivery] = []
    while (known := by_id.get(row_id)) is not None:
        chain = [known] if known.sequence is not None else [*chain, known]
        row_id = repeatable(row_id, "again")
    return next((r for r in chain if not _is_history(work, state, r)), None), row_id


def as_got(subscription: Subscription, rows: Sequence[Delivery], version: int) -> Subscription:
    """In the format in which the receiver has that version, if it has it: it does not get it again
    because its format changed."""
    got = (r.format for r in rows if _has_left(r, version))
    return replace(subscription, format=next(got, subscription.format))


def _is_history(work: UnitOfWork, state: PlanState, known: Delivery) -> bool:
    """Another one takes its place: it came to nothing, or holds more or less than is permitted now;
    or an operator had it made anew. What an operator stopped stays so."""
    if known.ruling is not None:
        return known.ruling == "anew"
    if known.state in {State.CANCELLED, State.SUPERSEDED}:
        return True
    if known.state not in _HAS_LEFT or known.receiver == CITIZEN:
        return False
    return bool(why_not(work, state.plan, state.facts, known)) or _fuller(work, state, known)


def _fuller(work: UnitOfWork, state: PlanState, known: Delivery) -> bool:
    """The citizen permits more since it was made, and the plan has some of that."""
    member, told = state.member(known.receiver), known.sections
    if member is None or told is None or not told < open_now(state.facts, member):
        return False
    return shows_more(work, state, known.version, known.receiver, told)


def _has_left(row: Delivery, version: int) -> bool:
    return row.version == version and row.state in _HAS_LEFT and row.ruling != "anew"

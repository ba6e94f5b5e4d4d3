"""A delivery's states."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import Final

from hub.contract import Loss, LossKind

ACKNOWLEDGES: Final = "acknowledgement/"
"""How ``about`` of an acknowledgement begins; the id of the received message follows. It is of no
plan."""


class State(StrEnum):
    """Where one plan version for one receiver stands."""

    DUE = "due"
    """Waits for a worker."""
    SENDING = "sending"
    """Bytes, ids and consent epoch are frozen and committed; it may have left."""
    SENT = "sent"
    """The next hop keeps it durably; waits for the receiver's receipt."""
    RETRY_AT = "retry_at"
    """A temporary failure; tried again at a set time, with the frozen bytes."""
    BLOCKED = "blocked"
    """Waits for a named person's act; there is a task."""
    HELD = "held"
    """Paused, or a loss the party does not accept."""
    DELIVERED = "delivered"
    """The receiver's receipt, or the recorded hand-over. Final."""
    SUPERSEDED = "superseded"
    """A newer version took its place before it was sent, or handed over. Final."""
    CANCELLED = "cancelled"
    """The legal basis was gone. Final."""
    NOT_SENT = "not_sent"
    """A person decided so, with a reason. Final."""
    DEAD = "dead"
    """Permanently refused, or every attempt spent; the operator's move. Final until then."""


FINAL = frozenset({State.DELIVERED, State.SUPERSEDED, State.CANCELLED, State.NOT_SENT, State.DEAD})
WAITING = frozenset({State.DUE, State.BLOCKED, State.HELD})
"""Nothing has left yet."""
UNDER_WAY = frozenset({State.SENDING, State.SENT, State.RETRY_AT})
"""Order is kept among these, and at most one of them exists per (plan, receiver)."""

_MOVES: dict[State, frozenset[State]] = {
    State.DUE: frozenset(
        {State.SENDING, State.BLOCKED, State.HELD, State.SUPERSEDED, State.CANCELLED,
         State.NOT_SENT, State.DEAD}
    ),
    State.SENDING: frozenset({State.SENT, State.RETRY_AT, State.DELIVERED, State.DEAD,
                              State.CANCELLED}),
    # A copy that lies ready for a person's hand can still be replaced by a newer one.
    State.SENT: frozenset({State.DELIVERED, State.RETRY_AT, State.DEAD, State.CANCELLED,
                           State.SUPERSEDED}),
    State.RETRY_AT: frozenset({State.SENDING, State.DELIVERED, State.DEAD, State.CANCELLED}),
    State.BLOCKED: frozenset({State.DUE, State.SUPERSEDED, State.CANCELLED, State.NOT_SENT}),
    # Its receiver may acknowledge what the hub had given up.
    State.DEAD: frozenset({State.DELIVERED}),
    State.HELD: frozenset({State.DUE, State.SUPERSEDED, State.CANCELLED, State.NOT_SENT}),
}  # fmt: skip


_REOPENED: dict[State, frozenset[State]] = {
    State.DEAD: frozenset({State.RETRY_AT, State.NOT_SENT}),
    State.DELIVERED: frozenset({State.RETRY_AT}),
}


def may_move(before: State, after: State) -> bool:
    """The state machine; a final state is left by nobody, but for a receipt that comes late."""
    return after in _MOVES.get(before, frozenset())


def may_reopen(before: State, after: State) -> bool:
    """What a person may do besides: an operator, by name and with a reason, or a receiver that asks
    for what it missed. The hub itself never does."""
    return after in _REOPENED.get(before, frozenset())


def unaccepted(
    losses: Iterable[Loss], kinds: Collection[LossKind], accepted: Collection[tuple[str, str]]
) -> tuple[Loss, ...]:
    """Losses of kinds that the receiver does not accept, but for those (path, kind) let go."""
    return tuple(x for x in losses if x.kind in kinds and (x.path, x.kind) not in accepted)

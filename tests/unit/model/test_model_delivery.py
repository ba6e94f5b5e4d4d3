"""A delivery's states."""

from __future__ import annotations

from itertools import product

import pytest

from hub.model.delivery import FINAL, UNDER_WAY, WAITING, State, may_move, may_reopen

S = State
LEGAL = {
    S.DUE: {S.SENDING, S.BLOCKED, S.HELD, S.SUPERSEDED, S.CANCELLED, S.NOT_SENT, S.DEAD},
    S.SENDING: {S.SENT, S.RETRY_AT, S.DELIVERED, S.DEAD, S.CANCELLED},
    S.SENT: {S.DELIVERED, S.RETRY_AT, S.DEAD, S.CANCELLED, S.SUPERSEDED},
    S.RETRY_AT: {S.SENDING, S.DELIVERED, S.DEAD, S.CANCELLED},
    S.BLOCKED: {S.DUE, S.SUPERSEDED, S.CANCELLED, S.NOT_SENT},
    S.HELD: {S.DUE, S.SUPERSEDED, S.CANCELLED, S.NOT_SENT},
    S.DEAD: {S.DELIVERED},
}
"""The states of the design, written down a second time."""


@pytest.mark.parametrize(("before", "after"), [*product(State, State)])
def test_every_move_is_legal_or_refused(before: State, after: State) -> None:
    assert may_move(before, after) == (after in LEGAL.get(before, set()))


def test_a_state_is_waiting_under_way_or_final_and_never_two_of_them() -> None:
    assert set(State) == WAITING | UNDER_WAY | FINAL
    assert len(State) == len(WAITING) + len(UNDER_WAY) + len(FINAL)


def test_what_is_final_stays_and_what_is_waiting_has_sent_nothing() -> None:
    left = {(f, s) for f in FINAL for s in State if may_move(f, s)}
    # Its receiver has it after all.
    assert left == {(S.DEAD, S.DELIVERED)}
    assert not any(may_move(w, s) for w in WAITING for s in (S.SENT, S.RETRY_AT, S.DELIVERED))


def test_only_who_asks_for_it_opens_what_is_final() -> None:
    opened = {(f, s) for f in State for s in State if may_reopen(f, s)}
    assert opened == {
        (S.DELIVERED, S.RETRY_AT), (S.DEAD, S.RETRY_AT), (S.DEAD, S.NOT_SENT),
    }  # fmt: skip

"""The picture fits its frame, and whose move it is follows from the state."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.console.flow import GROUPS, WIDTH, Side, flow, grouped
from hub.model.delivery import FINAL, State
from hub.model.records import Delivery, Task
from hub.services.overview import Turn, whose_turn

SIDES = st.lists(
    st.builds(
        Side,
        name=st.text("abc def", min_size=1, max_size=90),
        counts=st.dictionaries(st.sampled_from(sorted(GROUPS)), st.integers(0, 10**6)),
        paused=st.booleans(),
    ),
    max_size=12,
)
NOW = datetime(2026, 11, 2, tzinfo=UTC)


@given(SIDES, SIDES)
def test_every_box_has_its_place_and_its_line(senders: list[Side], receivers: list[Side]) -> None:
    made = flow(senders, receivers)
    assert len(made.lines) == len(senders) + len(receivers)
    for boxes, sides in ((made.left, senders), (made.right, receivers)):
        assert len(boxes) == len(sides)
        for upper, lower in pairwise(boxes):
            assert upper.y + upper.height < lower.y
        for box, side in zip(boxes, sides, strict=True):
            assert box.y >= 0
            assert box.y + box.height <= made.height
            assert box.x + box.width <= WIDTH
            shown = [(c.name, c.number) for c in box.chips]
            paused = [("paused", 0)] if side.paused else []
            assert shown == [(n, c) for n, c in side.counts.items() if c] + paused
            assert all(box.y <= c.y <= box.y + box.height - 14 for c in box.chips)
            assert all(box.x <= c.x <= box.x + box.width - 100 for c in box.chips)
            assert all(box.y < at < box.y + box.height for at, _ in box.lines)
    assert 0 <= made.hub_y <= made.hub_y + made.hub_height <= made.height


def test_each_state_that_matters_is_in_one_group() -> None:
    members = [s for group in GROUPS.values() for s in group]
    assert len(members) == len(set(members))
    unseen = {s.value for s in State} - set(members)
    assert unseen == {"superseded", "cancelled", "not_sent"}
    assert grouped({"blocked": 2, "held": 1, "cancelled": 9})["waiting"] == 3


def delivery(state: State) -> Delivery:
    return Delivery("d", "p", "gp", "pdf", 1, "x", state, "", "", NOW, NOW)


def task(party: str, about: str = "d") -> Task:
    return Task("t", "approve", party, "", "p", about, None, NOW)


@pytest.mark.parametrize(
    ("state", "tasks", "paused", "wanted"),
    [
        (State.DUE, [], [], Turn("hub")),
        (State.DUE, [], ["gp"], Turn("operator")),
        (State.SENDING, [], [], Turn("hub")),
        (State.RETRY_AT, [], [], Turn("hub")),
        (State.SENT, [], [], Turn("receiver", "gp")),
        (State.SENT, [task("lead")], [], Turn("party", "lead")),
        (State.BLOCKED, [task("lead")], [], Turn("party", "lead")),
        (State.BLOCKED, [task("other", "another")], [], Turn("nobody")),
        (State.BLOCKED, [task("operator")], [], Turn("operator")),
        (State.HELD, [], [], Turn("operator")),
        (State.DEAD, [task("lead")], [], Turn("operator")),
        (State.DEAD, [], [], Turn("nobody")),
        *((s, [], ["gp"], Turn("nobody")) for s in sorted(FINAL - {State.DEAD})),
    ],
)
def test_whose_move_it_is(state: State, tasks: list[Task], paused: list[str], wanted: Turn) -> None:
    assert whose_turn(delivery(state), tasks, frozenset(paused)) == wanted

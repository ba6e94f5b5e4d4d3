"""Which deliveries a worker may begin: nobody waits for another's endpoint."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from hub.model.lanes import Candidate, Room

OWN = frozenset({"amqp", "mailbox"})
ROOM = Room(OWN, batch=3, each=2, others=4)


def own(name: str, transport: str = "amqp") -> Candidate:
    return Candidate(name, transport, f"{transport}:{name}")


def out(name: str, server: str = "a") -> Candidate:
    return Candidate(name, "https", f"https://{server}:443")


def ids(found: list[Candidate]) -> list[str]:
    return [c.id for c in found]


def test_few_go_to_one_endpoint_and_the_next_ones_turn_comes() -> None:
    found = [out("1"), out("2"), out("3"), out("4", "b"), out("5")]
    assert ids(ROOM.pick(found)) == ["1", "2", "4"]
    after = ROOM.after(ROOM.pick(found))
    assert (after.others, after.full.endpoints) == (1, {"https://a:443"})


def test_own_queues_get_a_batch_at_a_time_each_transport_by_itself() -> None:
    found = [own(str(n)) for n in range(5)] + [own("m", "mailbox"), out("x")]
    picked = ROOM.pick(found)
    assert ids(picked) == ["0", "1", "2", "m", "x"]
    growing = ROOM.after(picked)
    assert growing.full.transports == {"amqp"}
    assert ids(growing.pick([own("n", "mailbox")])) == ["n"], "while it is put together"
    on_its_way = Room(OWN, 3, 2, 4, {"amqp": 1, "mailbox": 1})
    assert on_its_way.full.transports == OWN
    assert on_its_way.pick(found[:6]) == []


def test_without_room_for_others_the_own_queues_go_on() -> None:
    busy = Room(OWN, 3, 2, 0)
    assert busy.full.outside
    assert ids(busy.pick([out("x"), own("1")])) == ["1"]


candidates = st.lists(
    st.one_of(
        st.sampled_from([("amqp", "amqp:1"), ("amqp", "amqp:2"), ("mailbox", "mailbox:1")]),
        st.sampled_from([("https", f"https://{n}:443") for n in "abc"] + [("https", None)]),
    ),
    max_size=30,
).map(lambda rows: [Candidate(f"d-{n}", t, e) for n, (t, e) in enumerate(rows)])
rooms = st.builds(
    Room,
    own=st.just(OWN),
    batch=st.integers(1, 5),
    each=st.integers(1, 3),
    others=st.integers(0, 6),
    held=st.dictionaries(st.sampled_from(["amqp", "mailbox", "https://a:443", "https"]),
                         st.integers(1, 4)),
)  # fmt: skip


@given(rooms, candidates)
def test_what_is_picked_is_in_order_within_every_bound_and_leaves_nobody_out(
    room: Room, found: list[Candidate]
) -> None:
    picked = room.pick(found)
    assert picked == [c for c in found if c in picked]
    counted = Counter(room.lane(c) for c in picked)
    for lane, number in counted.items():
        bound = room.batch if lane in OWN else room.each - room.held.get(lane, 0)
        assert number <= bound
        assert lane not in OWN or not room.held.get(lane)
    outside = sum(c.transport not in OWN for c in picked)
    assert outside <= room.others
    full = room.after(picked).full
    for left in (c for c in found if c not in picked):
        lane = room.lane(left)
        kept = lane in full.transports if lane in OWN else lane in full.endpoints or full.outside
        assert kept, "only what is full was left"

"""Reading messages is pure and trusts no header."""

from __future__ import annotations

import re
import struct
from typing import Any

import pika
from hypothesis import given
from hypothesis import strategies as st
from pika import data
from pika.spec import Basic

from hub.bus.inbound import deliveries_before, inbound_message
from hub.bus.topology import DEAD, INBOUND, RECEIPTS, is_hub_queue, party_rights, topology
from hub.ports import answers_queue, deliveries_queue

_text = st.one_of(st.none(), st.text(max_size=20), st.binary(max_size=20))
_leaf = st.one_of(_text, st.integers(), st.booleans(), st.datetimes())
_value = st.recursive(
    _leaf, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=8), inner), max_leaves=8
)
_headers = st.one_of(
    st.none(),
    st.fixed_dictionaries({}, optional={"x-death": _value, "x-delivery-count": _value}),
    st.fixed_dictionaries(
        {
            "x-death": st.lists(
                st.fixed_dictionaries(
                    {}, optional={"queue": _value, "reason": _value, "routing-keys": _value}
                )
            )
        }
    ),
)
_party = st.from_regex(r"[a-z0-9][a-z0-9-]{0,30}", fullmatch=True)


@given(
    st.sampled_from([INBOUND, RECEIPTS, DEAD]), st.text(), _text, _text, _text, _headers,
    st.binary(max_size=40),
)  # fmt: skip
def test_no_header_breaks_the_reading(
    queue: str,
    exchange: str,
    key: Any,
    user: Any,
    message_id: Any,
    headers: Any,
    body: bytes,
) -> None:
    method = Basic.Deliver(delivery_tag=1, exchange=exchange, routing_key=key)
    properties = pika.BasicProperties(user_id=user, message_id=message_id, headers=headers)

    message = inbound_message(queue, method, properties, body, max_body=20)

    texts = (message.user, message.format, message.media_type, message.reason)
    assert all(isinstance(text, str) for text in texts)
    assert isinstance(deliveries_before(properties), int)
    assert message.body == (body if len(body) <= 20 else b"")
    assert (message.kind == "dead") == (queue == DEAD or len(body) > 20)
    assert bool(message.reason) == (message.kind == "dead")


def test_latin_1_is_kept_readable() -> None:
    method = Basic.Deliver(delivery_tag=1, exchange=INBOUND, routing_key="vum")
    as_pika_reads_it: Any = "p\xe5".encode("latin-1")
    properties = pika.BasicProperties(user_id="a", message_id=as_pika_reads_it)
    assert inbound_message(INBOUND, method, properties, b"", 20).message_id == "p\\xe5"


@given(
    st.lists(
        st.one_of(
            st.builds(struct.pack, st.just(">cQ"), st.just(b"T"), st.integers(0, 2**64 - 1)),
            st.builds(struct.pack, st.just(">cd"), st.just(b"d"), st.floats()),
            st.builds(struct.pack, st.just(">cf"), st.just(b"f"), st.floats(width=32)),
            st.builds(struct.pack, st.just(">cI"), st.just(b"i"), st.integers(0, 2**32 - 1)),
        ),
        max_size=6,
    )
)
def test_every_amqp_value_is_read_to_its_end(values: list[bytes]) -> None:
    packed = b"".join(values)
    table = b"\x01aF" + struct.pack(">I", 0)
    for number, value in enumerate(values):
        table += bytes([1, 98 + number]) + value
    last = b"\x04lastt\x01"
    array = b"\x05arrayA" + struct.pack(">I", len(packed)) + packed
    encoded = struct.pack(">I", len(table + array + last)) + table + array + last

    found, offset = data.decode_table(encoded, 0)

    assert offset == len(encoded)
    assert found["last"] is True
    array_read: Any = found["array"]
    assert len(array_read) == len(values)


def test_tables_nested_deeper_than_python_goes_are_passed_over() -> None:
    inner = b""
    for _ in range(5000):
        inner = b"\x01xF" + struct.pack(">I", len(inner)) + inner
    inner += b"\x04lastt\x01"

    found, offset = data.decode_table(struct.pack(">I", len(inner)) + inner, 0)

    assert (found["last"], offset) == (True, len(inner) + 4)


@given(_party, _party)
def test_a_party_reads_its_own_queues_and_no_other(party: str, other: str) -> None:
    rights = party_rights(party)
    for make in (deliveries_queue, answers_queue):
        assert re.search(rights.read, make(party))
        assert bool(re.search(rights.read, make(other))) == (party == other)
        assert is_hub_queue(make(party))
    for name in (INBOUND, RECEIPTS, DEAD, "ki.outbound", "", "amq.default"):
        assert not re.search(rights.read, name)
        assert bool(re.search(rights.write, name)) == (name in (INBOUND, RECEIPTS))
    assert not re.search(rights.configure, party)


@given(st.lists(_party, unique=True, max_size=5))
def test_every_queue_is_durable_bound_and_has_a_way_out(parties: list[str]) -> None:
    found = topology(parties)

    names = [queue.name for queue in found.queues]
    assert len(names) == len(set(names)) == 3 + 2 * len(parties)
    assert {binding.queue for binding in found.bindings} == set(names)
    assert {b.exchange for b in found.bindings} <= {e.name for e in found.exchanges}
    for queue in found.queues:
        assert queue.arguments["x-queue-type"] == "quorum"
        assert "x-message-ttl" not in queue.arguments
        if queue.name != DEAD:
            assert queue.arguments["x-dead-letter-exchange"] == DEAD
            assert queue.arguments["x-dead-letter-strategy"] == "at-least-once"

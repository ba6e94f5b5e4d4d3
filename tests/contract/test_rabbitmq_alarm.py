"""A broker that is short of memory or disk: told at once, and over when it is over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import pytest

from hub.bus.publishing import DISK, MEMORY
from hub.errors import BusAlarm, HubError
from hub.ports import deliveries_queue
from tests.contract.harness import PSYK, RabbitHarness, outgoing, until

QUEUE = deliveries_queue(PSYK.id)


def told(ask: Callable[[], object]) -> str:
    """Why it was refused; empty if it was not."""
    try:
        ask()
    except HubError as e:
        return e.text
    return ""


@pytest.mark.parametrize(
    ("kind", "why"), [("memory", MEMORY), ("disk", DISK)], ids=["memory", "disk"]
)
def test_an_alarm_is_told_and_passes(
    rabbit: RabbitHarness, kind: Literal["memory", "disk"], why: str
) -> None:
    bus = rabbit.bus
    bus.expect_room()
    bus.publish(QUEUE, outgoing("before"))
    with rabbit.server.alarm(kind):
        until(lambda: told(bus.expect_room) == why)
        assert told(bus.check) == why
        for key in ("during", "again"):
            with pytest.raises(BusAlarm) as refused:
                bus.publish(QUEUE, outgoing(key))
            assert (refused.value.text, refused.value.move) == (why, "operator")
    until(lambda: told(bus.expect_room) == "")
    until(lambda: told(lambda: bus.publish(QUEUE, outgoing("after"))) == "")
    bus.check()
    got = [m.key for m in rabbit.fetch(PSYK.id, QUEUE, 3)]
    # What was on its way when the alarm came may arrive, and is sent again under its own id.
    assert [k for k in got if k != "during"] == ["before", "after"]

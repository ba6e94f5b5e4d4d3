"""MedCom's rules on resends hold for an operator too."""

from __future__ import annotations

import pytest

from tests.api.medcom import Practice
from tests.api.operating import done, why_not
from tests.api.test_medcom_reliable import header, message_id
from tests.api.world import GP, World


@pytest.fixture
def gp(planned: World, plan: str) -> Practice:
    """A first copy that nobody has acknowledged."""
    found = Practice(planned, plan)
    found.first()
    return found


def test_a_resend_is_the_same_message_in_a_new_envelope(gp: Practice) -> None:
    one, delivery = gp.newest(), gp.world.delivery(GP)
    gp.world.clock.advance(minutes=2)
    done(gp.world, "resend", deliveries=[delivery["delivery"]])
    two = gp.newest()
    assert two["id"] != one["id"]
    assert (message_id(two), header(two)) == (message_id(one), header(one))
    assert gp.world.delivery(GP)["sequence"] == delivery["sequence"]


def test_it_is_transmitted_three_times_at_most(gp: Practice) -> None:
    delivery = gp.world.delivery(GP)["delivery"]
    for _ in range(2):
        gp.world.clock.advance(minutes=2)
        done(gp.world, "resend", deliveries=[delivery])
    assert "as often as" in why_not(gp.world, "resend", delivery)


def test_after_a_fatal_error_only_another_message_goes(gp: Practice) -> None:
    first, delivery = gp.newest(), gp.world.delivery(GP)["delivery"]
    gp.acknowledge(first, "fatal-error")
    assert gp.world.delivery(GP)["state"] == "dead"
    assert "refused it for good" in why_not(gp.world, "resend", delivery)
    gp.world.clock.advance(minutes=2)
    done(gp.world, "send-anew", deliveries=[delivery])
    anew = gp.newest()
    assert message_id(anew) != message_id(first)
    assert anew["id"] != first["id"]
    gp.acknowledge(anew)
    states = {d["delivery"]: d["state"] for d in gp.world.deliveries() if d["receiver"] == GP}
    assert states.pop(delivery) == "dead"
    assert set(states.values()) == {"delivered"}

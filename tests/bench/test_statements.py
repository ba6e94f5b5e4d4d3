"""What an act may ask of the database: a number that grows with every careless read."""

from __future__ import annotations

from tests.bench.places import place
from tests.bench.steps import begun, measured

CITIZENS = 2
CEILINGS = {
    "consent, no plan": 48,
    "document": 86,
    "approval": 74,
    "consent, plan of six": 78,
    "receipt": 12,
}
"""Embedded; a little above what they took when this was written."""


def test_no_act_takes_more_statements_than_it_did() -> None:
    with place("embedded") as where:
        found = measured(begun(where.hub, CITIZENS))
    over = {n: found[n].statements_each for n, most in CEILINGS.items()
            if found[n].statements_each > most}  # fmt: skip
    assert over == {}
    assert found["delivery"].acts == 6 * CITIZENS, "five units and the citizen"
    assert found["receipt"].acts == 5 * CITIZENS

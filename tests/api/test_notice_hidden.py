"""A notice that is no longer so is taken out of the mailbox, and does not come back later."""

from __future__ import annotations

from tests.api.papers import consent_of
from tests.api.test_nothing_lost import decide
from tests.api.world import KOORD_OWN, World


def test_a_notice_overtaken_by_a_new_consent_does_not_come_after_newer_ones(world: World) -> None:
    decide(world, consent_of("samtykke-1"))
    world.publish_plan()
    world.work()
    (copy,) = world.letters(KOORD_OWN)
    assert world.receipt(copy, KOORD_OWN).status_code == 200
    decide(world, consent_of("samtykke-1", status="inactive"))
    world.work()
    (first,) = world.letters(KOORD_OWN)

    decide(world, consent_of("samtykke-2"))
    world.work()
    assert first not in world.letters(KOORD_OWN)
    for letter in world.letters(KOORD_OWN):
        world.receipt(letter, KOORD_OWN)
    decide(world, consent_of("samtykke-2", status="inactive"))
    world.work()
    (second,) = world.letters(KOORD_OWN)
    assert second != first

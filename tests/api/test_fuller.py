"""The citizen permits more after a copy was made: whoever gains by it gets a fuller one."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from hub.fhir import names
from hub.model.party import Subscription
from hub.services.worker import maintain
from tests.api.papers import approval_of, consent_of
from tests.api.test_withdrawal import notices, tell
from tests.api.world import KOORD_OWN, OPERATOR, PLAN_1, PSYK, RUS, SOCIAL, World

NAME = "Anna Testine Nygaard"
"""The relative in the published plan who is named."""
OTHERS = (PSYK, RUS, KOORD_OWN)


@pytest.fixture
def plain(world: World) -> World:
    """Everyone receives FHIR, so that a copy can be read."""
    with world.hub.store.writing() as work:
        for one in work.parties.all():
            work.parties.save(replace(one, subscriptions=(Subscription("fhir"),)), world.clock())
        work.commit()
    return world


def begun(world: World, *sections: str) -> str:
    """A plan, of which one unit may have some sections, and has fetched its copy."""
    tell(world, consent_of("ja", OTHERS))
    tell(world, consent_of("noget", (SOCIAL,), sections={SOCIAL: sections}))
    plan = world.publish_plan()
    world.work()
    return plan


def fetched(world: World, who: str = SOCIAL) -> list[str]:
    """Copies that lie there, each with a receipt now."""
    world.work()
    found = []
    for key in world.copies(who):
        found.append(world.get(f"/mailbox/{key}", who).text)
        world.receipt(key, who)
    return found


def labelled(text: str) -> set[str]:
    """The sections that something in it is labelled with."""
    return {
        e["valueCode"]
        for entry in json.loads(text)["entry"]
        for e in entry["resource"].get("extension", ())
        if e["url"] == names.extension("section")
    }


def test_a_unit_that_may_have_more_gets_it_and_the_others_nothing(plain: World) -> None:
    begun(plain, "social")
    (first,) = fetched(plain)
    assert labelled(first) == {"social"}
    for other in OTHERS:
        fetched(plain, other)
    tell(plain, consent_of("mere", (SOCIAL,), sections={SOCIAL: ("substance-use",)}))
    (second,) = fetched(plain)
    assert labelled(second) == {"social", "substance-use"}
    assert [fetched(plain, other) for other in OTHERS] == [[], [], []]
    assert fetched(plain) == [], "once"
    versions = [d["version"] for d in plain.deliveries() if d["receiver"] == SOCIAL]
    assert versions == [1, 1]


def test_it_gets_no_copy_for_a_section_that_the_plan_says_nothing_of(plain: World) -> None:
    begun(plain, "social")
    assert len(fetched(plain)) == 1
    tell(plain, consent_of("mere", (SOCIAL,), sections={SOCIAL: ("economy",)}))
    assert fetched(plain) == []


def test_what_begins_later_is_sent_when_it_begins(plain: World) -> None:
    begun(plain, "social")
    assert len(fetched(plain)) == 1
    later = json.loads(consent_of("senere", (SOCIAL,)))
    later["provision"]["period"] = {"start": "2026-09-22T08:00:00+02:00"}
    tell(plain, json.dumps(later).encode())
    assert fetched(plain) == []
    plain.clock.advance(days=3)
    maintain(plain.hub)
    (whole,) = fetched(plain)
    assert {"psychiatry", "social"} <= labelled(whole)


def test_a_copy_that_nobody_has_fetched_is_followed_by_the_fuller_one(plain: World) -> None:
    begun(plain, "social")
    tell(plain, consent_of("mere", (SOCIAL,)))
    first, *rest = fetched(plain)
    (second,) = [*rest, *fetched(plain)]
    assert labelled(first) == {"social"}
    assert {"psychiatry", "social"} <= labelled(second)


def test_relatives_are_named_from_when_the_citizen_says_so(plain: World) -> None:
    begun(plain, "social")
    (first,) = fetched(plain)
    assert NAME not in first
    tell(plain, consent_of("familie", (SOCIAL,), purposes=("relatives",)))
    (second,) = fetched(plain)
    assert NAME in second


def test_bytes_that_name_a_relative_are_taken_back_when_that_is(plain: World) -> None:
    tell(plain, consent_of("familie", (SOCIAL,), purposes=("relatives",)))
    plan = begun(plain, "social")
    (letter,) = plain.copies(SOCIAL)
    tell(plain, consent_of("familie", (SOCIAL,), purposes=("relatives",), status="inactive"))
    assert plain.get(f"/mailbox/{letter}", SOCIAL).status_code == 404
    (anew,) = fetched(plain)
    assert NAME not in anew
    told = plain.get(f"/operations/plans/{plan}", OPERATOR).json()["withdrawals"]
    assert told[-1]["units"] == {SOCIAL: "consent-narrowed"}


def test_who_was_told_of_a_relative_is_told_that_it_may_not_know_any_more(plain: World) -> None:
    tell(plain, consent_of("familie", (SOCIAL,), purposes=("relatives",)))
    begun(plain, "social")
    (first,) = fetched(plain)
    assert NAME in first
    tell(plain, consent_of("familie", (SOCIAL,), purposes=("relatives",), status="inactive"))
    (second,) = fetched(plain)
    assert NAME not in second
    assert [(n.receiver, n.about) for n in notices(plain)] == [(SOCIAL, "notice/consent-narrowed")]


def test_what_was_more_and_is_less_again_is_sent_as_less_again(plain: World) -> None:
    begun(plain, "social")
    (first,) = fetched(plain)
    tell(plain, consent_of("mere", (SOCIAL,)))
    (second,) = fetched(plain)
    assert labelled(first) < labelled(second)
    tell(plain, consent_of("mere", (SOCIAL,), status="inactive"))
    (third,) = fetched(plain)
    assert labelled(third) == labelled(first), "the first one counts no more: it has a later one"
    assert fetched(plain) == [], "once"


def publish_again(world: World, plan: str, decision: str) -> None:
    """The next version, and what the citizen says of it."""
    body = json.loads(PLAN_1)
    body["entry"][0]["resource"]["title"] = "En plan, som borgeren svarer på"
    world.clock.advance(minutes=1)
    world.publish_plan(json.dumps(body).encode())
    world.clock.advance(minutes=1)
    said = approval_of(plan, 2, decision, dateTime=world.clock().isoformat())
    assert world.post("/fhir/Consent", RUS, said).status_code in {200, 201}


def test_a_no_to_a_version_leaves_the_one_before_it_on_its_way(plain: World) -> None:
    tell(plain, consent_of("ja", (*OTHERS, SOCIAL)))
    plan = plain.publish_plan()
    publish_again(plain, plan, "no")
    (copy,) = fetched(plain)
    assert "En plan, som borgeren svarer på" not in copy
    assert [d["version"] for d in plain.deliveries() if d["receiver"] == SOCIAL
            and d["state"] == "delivered"] == [1]  # fmt: skip


def test_a_narrower_consent_reaches_the_version_before_a_no(plain: World) -> None:
    tell(plain, consent_of("ja", (*OTHERS, SOCIAL)))
    plan = plain.publish_plan()
    assert len(fetched(plain)) == 1
    publish_again(plain, plan, "no")
    assert fetched(plain) == [], "what it has stays right"
    plain.clock.advance(minutes=1)
    tell(plain, consent_of("ja", (*OTHERS, SOCIAL), sections={SOCIAL: ("social",)}))
    (smaller,) = fetched(plain)
    assert labelled(smaller) == {"social"}

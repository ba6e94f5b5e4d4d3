"""New versions to a receiver reached by MedCom: replies in its thread, or a new thread."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from adapters.medcom.message import Message
from hub.contract import Identifier
from hub.errors import Invalid
from hub.fhir import names
from hub.model.party import Subscription
from hub.services.admin import PartyEntry, apply_parties
from hub.services.lapse import reconcile_one
from tests.api.medcom import (
    FORMAT,
    Practice,
    activity,
    message_id,
    spoken,
    thread_of,
)
from tests.api.world import (
    CONSENT_1,
    GP,
    KOORD_OWN,
    PLAN_1,
    RUS,
    World,
    approval,
)


@pytest.fixture
def gp(planned: World, plan: str) -> Practice:
    return Practice(planned, plan)


def narrower(section: str = "substance-use") -> bytes:
    consent = json.loads(CONSENT_1) | {"id": f"snaevrere-{section}"}
    for rule in consent["provision"]["provision"]:
        rule["type"] = "deny"
        rule["securityLabel"] = [{"system": names.SECTION_CODE, "code": section}]
    return json.dumps(consent).encode()


def test_a_new_version_is_a_reply_once_the_last_is_acknowledged(gp: Practice) -> None:
    one = gp.first()
    assert gp.acknowledge(one).status_code == 200
    assert gp.world.delivery(GP)["state"] == "delivered"
    two = gp.next("Planen efter mødet")
    assert (activity(one), activity(two)) == ("new-message", "reply-message")
    assert thread_of(two) == thread_of(one)
    assert message_id(two) != message_id(one)
    assert gp.acknowledge(two).status_code == 200
    three = gp.next("Planen i december")
    assert thread_of(three) == thread_of(one)
    assert len(Message(three).of_type("Provenance")) == 3


@pytest.mark.parametrize("code", ["transient-error", "fatal-error"])
def test_a_new_thread_when_the_last_was_not_acknowledged_ok(gp: Practice, code: str) -> None:
    one = gp.first()
    gp.acknowledge(one, code)
    if code == "transient-error":
        for _ in range(2):
            gp.world.clock.advance(minutes=31)
            gp.world.work()
            gp.acknowledge(gp.newest(), code)
    assert gp.world.delivery(GP)["state"] == "dead"
    two = gp.next("Planen efter mødet")
    assert activity(two) == "new-message"
    assert thread_of(two) != thread_of(one)
    assert spoken(one) not in spoken(two)


def test_a_new_thread_when_the_consent_narrowed(gp: Practice) -> None:
    one = gp.first()
    gp.acknowledge(one)
    assert "hash" in spoken(one)
    assert gp.world.post("/fhir/Consent", RUS, narrower()).status_code == 201
    two = gp.next("Planen efter mødet")
    assert activity(two) == "new-message"
    assert "hash" not in spoken(two)
    gp.acknowledge(two)
    three = gp.next("Planen i december")
    assert thread_of(three) == thread_of(two)
    assert "hash" not in spoken(three)


def test_a_new_thread_when_the_citizen_takes_an_approval_back(gp: Practice) -> None:
    """Version 1 was sent and acknowledged; it may not be had any more, so nothing repeats it."""
    one = gp.first()
    gp.acknowledge(one)
    gp.world.clock.advance(minutes=1)
    body = approval(gp.plan, 1, "no")
    assert gp.world.post("/fhir/Consent", RUS, body).status_code == 201
    two = gp.next("Planen efter mødet")
    assert activity(two) == "new-message"


def test_a_reply_that_repeats_it_is_not_sent_again_but_made_anew(gp: Practice) -> None:
    """Version 2 was sent as a reply and not answered when the citizen takes version 1 back."""
    gp.acknowledge(gp.first())
    two = gp.next("Planen efter mødet")
    assert activity(two) == "reply-message"
    gp.world.clock.advance(minutes=1)
    assert gp.world.post("/fhir/Consent", RUS, approval(gp.plan, 1, "no")).status_code == 201
    gp.world.clock.advance(minutes=40)
    gp.world.work()
    again = gp.newest()
    assert message_id(again) != message_id(two)
    assert activity(again) == "new-message"
    assert "version 1, " not in spoken(again)
    states = [d["state"] for d in gp.world.deliveries() if d["receiver"] == GP]
    assert sorted(states) == ["cancelled", "delivered", "sent"]


def test_a_new_thread_when_an_item_is_labelled_otherwise(gp: Practice) -> None:
    """The consent is the same; it is the item that has another label now."""
    assert gp.world.post("/fhir/Consent", RUS, narrower("crime")).status_code == 201
    one = gp.first()
    gp.acknowledge(one)
    bundle = json.loads(PLAN_1)
    goals = [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "Goal"]
    shown = next(g for g in goals if g["description"]["text"] in spoken(one))
    for extension in shown["extension"]:
        if extension["url"] == names.SECTION:
            extension["valueCode"] = "crime"
    answer = gp.world.post("/documents/fhir", RUS, json.dumps(bundle).encode())
    assert answer.status_code == 200, answer.text
    gp.approve()
    gp.world.work()
    two = gp.newest()
    assert message_id(two) != message_id(one)
    assert activity(two) == "new-message"
    assert shown["description"]["text"] not in spoken(two)


def renumbered(world: World, party: str, sor: str) -> None:
    with world.hub.store.writing() as work:
        known = work.parties.get(party)
        assert known is not None
        others = tuple(i for i in known.party.identifiers if i.system != names.SOR)
        changed = replace(known.party, identifiers=(Identifier(names.SOR, sor), *others))
        work.parties.save(replace(known, party=changed), world.clock())
        work.commit()


def test_a_new_thread_when_the_receivers_sor_code_changed(gp: Practice) -> None:
    one = gp.first()
    gp.acknowledge(one)
    renumbered(gp.world, GP, "999000000399")
    for url, body in (("/fhir/Consent", CONSENT_1), ("/documents/fhir", PLAN_1)):
        changed = body.replace(b"999000000305", b"999000000399")
        changed = changed.replace(b"Faste holdepunkter", b"Flere faste holdepunkter")
        assert gp.world.post(url, RUS, changed).status_code in {200, 201}
    gp.approve()
    gp.world.work()
    two = gp.newest()
    assert (activity(two), thread_of(two) == thread_of(one)) == ("new-message", False)


def test_the_tenth_attachment_is_in_a_new_thread(gp: Practice) -> None:
    threads = [thread_of(gp.first())]
    for number in range(2, 12):
        gp.acknowledge(gp.newest())
        threads.append(thread_of(gp.next(f"Planen, {number}. gang")))
    assert threads.count(threads[0]) == 9
    assert threads[9] == threads[10]
    assert len(set(threads)) == 2


def test_without_an_approval_there_is_no_message_and_the_thread_waits(gp: Practice) -> None:
    one = gp.first()
    gp.acknowledge(one)
    gp.write("Planen efter mødet")
    gp.world.work()
    assert gp.copies() == []
    gp.approve()
    gp.world.work()
    assert activity(gp.newest()) == "reply-message"


def test_a_change_of_mind_while_the_reply_is_made_makes_it_anew(gp: Practice) -> None:
    """The earlier version's approval is taken back between making and freezing."""
    one = gp.first()
    gp.acknowledge(one)
    gp.write("Planen efter mødet")
    gp.approve()
    real = gp.world.hub.printer
    said: list[int] = []

    class SlowPrinter:
        def plan(self, view: object, *, now: object) -> bytes:
            if not said:
                gp.world.clock.advance(seconds=1)
                body = approval(gp.plan, 1, "no")
                said.append(gp.world.post("/fhir/Consent", RUS, body).status_code)
            return real.plan(view, now=now)  # type: ignore[arg-type]

    slow = replace(gp.world.hub, printer=SlowPrinter())
    World(slow, gp.world.secrets, gp.world.clock).work()
    gp.world.work()
    assert said == [201]
    two = gp.newest()
    assert message_id(two) != message_id(one)
    assert activity(two) == "new-message"


def test_any_unit_reached_by_medcom_has_its_own_thread(planned: World, plan: str) -> None:
    """A coordinator of a municipality, by the same format."""
    with planned.hub.store.writing() as work:
        known = work.parties.get(KOORD_OWN)
        assert known is not None
        numbers = (Identifier(names.SOR, "999000000499"), Identifier(names.GLN, "5790009900047"))
        mine = tuple(i for i in known.party.identifiers if i.system not in {names.SOR, names.GLN})
        party = replace(known.party, identifiers=(*mine, *numbers))
        changed = replace(known, party=party, subscriptions=(Subscription(FORMAT),))
        work.parties.save(changed, planned.clock())
        work.commit()
    planned.receipt(planned.letters(KOORD_OWN)[0], KOORD_OWN)
    unit = Practice(planned, plan, KOORD_OWN)
    unit.write("Planen efter mødet")
    planned.work()
    one = unit.newest()
    unit.acknowledge(one)
    unit.write("Planen i december")
    planned.work()
    two = unit.newest()
    assert (activity(one), activity(two)) == ("new-message", "reply-message")
    assert thread_of(two) == thread_of(one)


# A document too large


def options(world: World, **said: str) -> None:
    with world.hub.store.writing() as work:
        known = work.parties.get(GP)
        assert known is not None
        mine = replace(
            known.subscriptions[0], options={k.replace("_", "-"): v for k, v in said.items()}
        )
        work.parties.save(replace(known, subscriptions=(mine,)), world.clock())
        work.commit()


class LargePrinter:
    def plan(self, view: object, *, now: object) -> bytes:
        return b"%PDF-1.7".ljust(1_500_000, b"\n")


def test_a_plan_too_large_waits_for_a_person_with_words(planned: World, plan: str) -> None:
    options(planned, attachment_megabytes="1")
    planned.hub = replace(planned.hub, printer=LargePrinter())
    planned.approve(plan)
    planned.work()
    found = planned.delivery(GP)
    assert found["state"] == "blocked"
    assert "larger than 1 MB" in found["reason"]
    assert ("too-large", found["delivery"]) in planned.tasks(RUS)
    assert ("dead", found["delivery"]) not in planned.tasks(RUS)
    # More is allowed, and it goes by itself.
    options(planned, attachment_megabytes="2")
    reconcile_one(planned.hub, plan, actor="test")
    planned.work()
    assert planned.delivery(GP)["state"] == "sent"
    assert ("too-large", found["delivery"]) not in planned.tasks(RUS)


def test_a_plan_too_large_may_be_sent_in_another_way(planned: World, plan: str) -> None:
    options(planned, attachment_megabytes="1")
    planned.hub = replace(planned.hub, printer=LargePrinter())
    planned.approve(plan)
    planned.work()
    delivery = planned.delivery(GP)["delivery"]
    said = {"postscript": "Afleveret på papir hos lægen"}
    assert planned.act(delivery, "not-sent", RUS, **said).json()["state"] == "not_sent"
    assert ("too-large", delivery) not in planned.tasks(RUS)


@pytest.mark.parametrize(
    "said", [{"category": "alcohol-and-drug-treatment"}, {"resends": "9"}, {"emne": "Plan"}]
)
def test_options_that_cannot_be_are_refused_when_they_are_applied(
    world: World, said: dict[str, str]
) -> None:
    with world.hub.store.reading() as work:
        known = work.parties.get(GP)
    assert known is not None
    entry = PartyEntry(replace(known, subscriptions=(Subscription(FORMAT, options=said),)))
    with pytest.raises(Invalid, match=f"party {GP}, {FORMAT}, options.{next(iter(said))}"):
        apply_parties(world.hub, [entry], [], "pdf", by="test")
    with world.hub.store.reading() as work:
        assert work.parties.get(GP) == known

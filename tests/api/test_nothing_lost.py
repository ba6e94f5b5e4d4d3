"""What was acknowledged arrives, once, at whom it is for; whatever changes or breaks meanwhile."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from hub.contract import Identifier, Party
from hub.errors import Invalid, ReceiverUnavailable, StoreUnavailable
from hub.fhir import names
from hub.model.party import SYSTEM, RegisteredParty, Subscription
from hub.ports import Bus, InboundMessage
from hub.sending import Confirm, Endpoint, Outgoing, Transport
from hub.services.accept import accept
from hub.services.admin import PartyEntry, apply_parties
from hub.services.process import process
from hub.services.senders import deliver_due
from hub.services.worker import maintain, receive, work_once
from tests.api.papers import SOR, approval_of, consent_of, plan_with_team, sector_plan
from tests.api.world import (
    GP,
    KOORD_OTHER,
    KOORD_OWN,
    ORDER,
    PLAN_1,
    PSYK,
    RUS,
    SOCIAL,
    World,
    changed_plan,
    problem,
)


def decide(world: World, body: bytes, who: str = RUS) -> None:
    answer = world.post("/fhir/Consent", who, body)
    assert answer.status_code in {200, 201}, answer.text
    world.clock.advance(minutes=1)


def with_plan(world: World) -> str:
    decide(world, consent_of("samtykke-1"))
    return world.publish_plan()


def registered(world: World, party: str) -> RegisteredParty:
    with world.hub.store.reading() as work:
        found = work.parties.get(party)
    assert found is not None
    return found


def apply(world: World, *parties: RegisteredParty) -> None:
    """As ``ki-hub parties apply`` does."""
    apply_parties(world.hub, [PartyEntry(p) for p in parties], [], "pdf", by="test")


def subscribed(world: World, party: str, **changes: Any) -> RegisteredParty:
    found = registered(world, party)
    (subscription,) = found.subscriptions
    return replace(found, subscriptions=(replace(subscription, **changes),))


# Transports and crashes


@dataclass
class Breaking:
    """Hands over through the real transport, and fails before or after that, as often as told."""

    real: Transport
    error: Exception
    before: bool
    times: int = 1
    keys: list[str] = field(default_factory=list)

    def send(self, message: Outgoing, endpoint: Endpoint) -> Confirm:
        self.keys.append(message.key)
        if self.times == 0:
            return self.real.send(message, endpoint)
        self.times -= 1
        if not self.before:
            self.real.send(message, endpoint)
        raise self.error


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize(
    "error", [OSError("disk"), KeyError("bug"), ReceiverUnavailable(), StoreUnavailable()]
)
def test_a_transport_that_breaks_once_loses_nothing(
    world: World, error: Exception, before: bool
) -> None:
    breaking = Breaking(world.hub.transports["mailbox"], error, before)
    transports: Mapping[str, Transport] = {**world.hub.transports, "mailbox": breaking}
    world.hub = replace(world.hub, transports=transports)
    with_plan(world)
    for _ in range(4):
        with suppress(StoreUnavailable):
            world.work()
        world.clock.advance(minutes=2)
    delivery = world.delivery(KOORD_OWN)
    assert delivery["state"] == "sent"
    assert set(breaking.keys) == {delivery["delivery"]}
    assert world.letters(KOORD_OWN) == [delivery["delivery"]]


def test_a_transport_that_never_works_is_given_up_after_its_budget(world: World) -> None:
    breaking = Breaking(world.hub.transports["mailbox"], OSError(), before=True, times=1000)
    world.hub = replace(world.hub, transports={**world.hub.transports, "mailbox": breaking})
    with_plan(world)
    for _ in range(world.hub.retry.attempts):
        world.work()
        world.clock.advance(hours=1)
    assert world.delivery(KOORD_OWN)["state"] == "dead"
    assert len(breaking.keys) == world.hub.retry.attempts


@dataclass
class Away:
    """A broker that refuses every answer for good; what else is asked goes to the real one."""

    real: Bus

    def publish_many(self, batch: Sequence[tuple[str, Outgoing]]) -> list[Confirm]:
        return [Confirm(False, "no such queue", permanent=True) for _ in batch]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


def test_an_answer_that_cannot_be_given_is_an_operator_s_task(world: World) -> None:
    bus: Any = Away(world.hub.bus)
    world.hub = replace(world.hub, bus=bus)
    sender = registered(world, PSYK).party
    accept(world.hub, sender, "behandlingsplan", b"<x/>", "application/xml", channel="amqp")
    for _ in range(3):
        work_once(world.hub)
    with world.hub.store.reading() as work:
        assert [t.kind for t in work.journal.tasks(SYSTEM) if t.party == "operator"] == ["answer"]


# Time


def test_a_consent_that_begins_later_begins_by_itself(world: World) -> None:
    decide(world, consent_of("nu", (RUS, PSYK, SOCIAL)))
    later = json.loads(consent_of("senere", (KOORD_OWN,)))
    later["provision"]["period"]["start"] = "2026-09-25"
    decide(world, json.dumps(later).encode())
    world.publish_plan()
    world.work()
    assert world.letters(KOORD_OWN) == []
    world.clock.now = datetime(2026, 9, 25, 6, tzinfo=UTC)
    maintain(world.hub)
    world.work()
    assert world.delivery(KOORD_OWN)["state"] == "sent"


def test_a_consent_that_lapses_takes_its_letters_back_and_a_new_one_sends_anew(
    world: World,
) -> None:
    short = json.loads(consent_of("kort"))
    short["provision"]["period"]["end"] = "2026-09-24"
    decide(world, json.dumps(short).encode())
    world.publish_plan()
    world.work()
    world.clock.advance(days=10)
    maintain(world.hub)
    assert world.delivery(KOORD_OWN)["state"] == "cancelled"
    decide(world, consent_of("nyt"))
    world.work()
    assert len(world.letters(KOORD_OWN)) == 1


def test_maintenance_without_anything_to_do_changes_nothing(planned: World, plan: str) -> None:
    maintain(planned.hub)
    before = planned.deliveries()
    planned.clock.advance(minutes=10)
    maintain(planned.hub)
    assert planned.deliveries() == before


# The register


def test_a_changed_format_takes_the_place_of_what_waits_in_the_old_one(world: World) -> None:
    plan = with_plan(world)
    apply(world, subscribed(world, KOORD_OWN, format="fhir"), subscribed(world, GP, format="pdf"))
    decide(world, approval_of(plan))
    world.work()
    for who, wanted in ((KOORD_OWN, "fhir"), (GP, "pdf")):
        formats = {d["format"]: d["state"] for d in world.deliveries() if d["receiver"] == who}
        assert formats.pop(wanted) == "sent"
        assert set(formats.values()) == {"superseded"}
        assert len(world.letters(who)) == 1
    assert "approve" not in {k for k, _ in world.tasks(RUS)}


def test_a_receiver_that_gets_a_subscription_gets_the_plan(world: World) -> None:
    without = replace(registered(world, KOORD_OWN), subscriptions=())
    with world.hub.store.writing() as work:
        work.parties.save(without, world.clock())
        work.commit()
    with_plan(world)
    with world.hub.store.reading() as work:
        assert [t.kind for t in work.journal.tasks(SYSTEM) if t.kind == "subscription"]
    apply(world, replace(without, subscriptions=(Subscription("pdf"),)))
    world.work()
    assert world.delivery(KOORD_OWN)["state"] == "sent"
    with world.hub.store.reading() as work:
        assert not [t.kind for t in work.journal.tasks(SYSTEM) if t.kind == "subscription"]


def test_a_consent_that_covers_the_unit_closes_its_task(world: World) -> None:
    decide(world, consent_of("samtykke-1", (RUS, PSYK)))
    world.publish_plan()
    assert "consent" in {k for k, _ in world.tasks(RUS)}
    decide(world, consent_of("samtykke-2"))
    assert "consent" not in {k for k, _ in world.tasks(RUS)}


@pytest.mark.parametrize(
    ("party_id", "identifier"),
    [
        ("laege-ny", Identifier(names.SOR, SOR[GP])),
        ("ny", Identifier(names.LOCAL_UNIT, GP)),
        ("citizen", Identifier(names.LOCAL_UNIT, "x")),
        ("operator", Identifier(names.LOCAL_UNIT, "x")),
        ("hub", Identifier(names.LOCAL_UNIT, "x")),
    ],
)
def test_no_party_takes_another_s_name(world: World, party_id: str, identifier: Identifier) -> None:
    party = Party(party_id, "Ny enhed", "gp", "Ny enhed", (identifier,))
    entry = RegisteredParty(party, Endpoint("mailbox", party_id), (Subscription("pdf"),))
    with pytest.raises(Invalid):
        apply(world, entry)
    with world.hub.store.reading() as work:
        assert work.parties.get(party_id) is None


# Documents


def test_a_decision_s_postscript_survives_the_lead_s_next_document(
    planned: World, plan: str
) -> None:
    waiting = planned.delivery(GP)["delivery"]
    said = "Borgeren er udskrevet efter eget ønske; planen sendes ikke til lægen"
    planned.act(waiting, "not-sent", RUS, postscript=said)
    answer = planned.post("/documents/fhir", RUS, changed_plan(title="Planen som den er"))
    assert answer.status_code == 200
    head = planned.get(f"/fhir/CarePlan/{plan}", RUS).json()
    planned.clock.advance(minutes=1)
    written = json.loads(PLAN_1)["entry"][0]["resource"]["extension"]
    decisions = [e for e in head["extension"] if e["url"] == names.POSTSCRIPT]
    again = changed_plan(title="Sendt tilbage, som den kom", extension=[*written, *decisions])
    assert planned.post("/documents/fhir", RUS, again).status_code == 200
    head = planned.get(f"/fhir/CarePlan/{plan}", RUS).json()
    assert json.dumps(head, ensure_ascii=False).count(said) == 1


def test_the_own_document_is_the_one_in_the_receiver_s_format(world: World) -> None:
    """A municipality has several kinds of plans; its order is re-issued, not another of them."""
    decide(world, consent_of("samtykke-1"))
    other = sector_plan(SOCIAL, case="HAV-141")
    assert world.post("/documents/fhir", SOCIAL, other).status_code == 202
    assert world.post("/documents/vum", SOCIAL, ORDER).status_code == 202
    world.publish_plan()
    world.work()
    assert world.delivery(SOCIAL)["state"] == "sent"


def test_of_two_cases_the_newest_document_is_re_issued(world: World) -> None:
    decide(world, consent_of("samtykke-1"))
    for n in (1, 2):
        body = ORDER.replace(b"SAG-2025-00417", f"SAG-2025-0041{n}".encode())
        assert world.post("/documents/vum", SOCIAL, body).status_code == 202
        world.clock.advance(minutes=1)
    plan = world.publish_plan()
    with world.hub.store.reading() as work:
        parts = [p for p in work.plans.parts(plan) if p.owner == SOCIAL]
        newest = max(parts, key=lambda p: work.inbox.get(p.source_inbox or "", SYSTEM).received_at)  # type: ignore[union-attr]
    world.work()
    (letter,) = world.letters(SOCIAL)
    assert len(parts) == 2
    assert newest.case_id in world.get(f"/mailbox/{letter}", SOCIAL).text


def test_a_sealed_message_sent_again_in_other_bytes_is_taken_up(world: World) -> None:
    """The same message: a resend has another timestamp."""
    first, second = ORDER, json.loads(ORDER)
    second["timestamp"] = "2026-09-20T12:00:00+02:00"
    sealed = world.post("/documents/vum", SOCIAL, first, message_id="order-1")
    problem(sealed, 403)
    decide(world, consent_of("samtykke-1"))
    again = json.dumps(second).encode()
    assert world.post("/documents/vum", SOCIAL, again, message_id="order-1").status_code == 202


def test_a_document_processed_late_does_not_undo_a_newer_one(planned: World, plan: str) -> None:
    party = registered(planned, RUS).party
    old = accept(planned.hub, party, "fhir", changed_plan(title="Ældre"), "application/fhir+json")
    planned.clock.advance(minutes=1)
    planned.publish_plan(changed_plan(title="Nyere"))
    item = process(planned.hub, old.item.id)
    assert item.status == 200
    assert planned.get(f"/fhir/CarePlan/{plan}", RUS).json()["title"] == "Nyere"


def test_a_withdrawal_processed_before_the_consent_it_withdraws_holds(world: World) -> None:
    decide(world, consent_of("samtykke-1"))
    plan = world.publish_plan()
    party = registered(world, RUS).party
    wide = consent_of("samtykke-1", policyRule={"text": "Samme samtykke, ny formular"})
    late = accept(world.hub, party, "fhir", wide, "application/fhir+json")
    world.clock.advance(minutes=1)
    decide(world, consent_of("samtykke-1", status="inactive"))
    process(world.hub, late.item.id)
    assert world.get(f"/fhir/CarePlan/{plan}", PSYK).status_code == 404


# Receivers


def test_what_the_broker_gives_up_is_dead_and_stops_no_later_version(world: World) -> None:
    with_plan(world)
    world.work()
    sent = world.delivery(KOORD_OWN)["delivery"]
    receive(
        world.hub,
        InboundMessage(
            "dead",
            "",
            "",
            sent,
            "application/pdf",
            b"%PDF-",
            f"delivery-limit in party.{KOORD_OWN}.deliveries",
        ),
    )
    assert world.delivery(KOORD_OWN)["state"] == "dead"
    world.post("/documents/fhir", RUS, changed_plan(title="Næste"))
    world.work()
    assert world.delivery(KOORD_OWN, version=2)["state"] == "sent"


def test_a_party_cannot_kill_another_s_delivery_by_a_dead_letter(world: World) -> None:
    """A message of a party's own that died may carry any message id."""
    with_plan(world)
    world.work()
    sent = world.delivery(KOORD_OWN)["delivery"]
    receive(
        world.hub,
        InboundMessage("dead", PSYK, "vum", sent, "text/plain", b"x", "rejected in ki.inbound"),
    )
    assert world.delivery(KOORD_OWN)["state"] == "sent"


def test_letters_that_may_not_be_had_do_not_stand_before_those_that_may(world: World) -> None:
    with_plan(world)
    with world.hub.store.writing() as work:
        for n in range(120):
            hidden = Outgoing(f"gone-{n}", b"x", "text/plain", {"ki-sequence": "1"})
            work.queues.add(f"party.{KOORD_OWN}.deliveries", hidden, world.clock())
        work.commit()
    world.work()
    assert world.letters(KOORD_OWN) == [world.delivery(KOORD_OWN)["delivery"]]


def test_a_lead_without_a_copy_of_its_own_forwards_its_own_plan(world: World) -> None:
    decide(world, consent_of("samtykke-1"))
    world.publish_plan(plan_with_team({KOORD_OWN: ()}))
    waiting = world.delivery(KOORD_OTHER)["delivery"]
    assert world.act(waiting, "forward", RUS).json()["state"] == "due"


def test_every_version_reaches_who_wants_every_one_in_order(world: World) -> None:
    with_plan(world)
    for title in ("To", "Tre"):
        world.post("/documents/fhir", RUS, changed_plan(title=title))
        world.clock.advance(minutes=1)
    seen = []
    for _ in range(5):
        world.work()
        for letter in world.letters(RUS):
            seen.append(next(d["version"] for d in world.deliveries() if d["delivery"] == letter))
            world.receipt(letter, RUS)
    assert seen == [1, 2, 3]


def test_two_workers_send_each_once(world: World) -> None:
    with_plan(world)
    assert deliver_due(world.hub) == 1
    assert world.states()["citizen"] == "sent"
    world.work()
    counted = [d["delivery"] for d in world.deliveries() if d["state"] == "sent"]
    assert len(counted) == len(set(counted)) >= 3

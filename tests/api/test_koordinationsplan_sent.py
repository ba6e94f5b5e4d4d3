"""A koordinationsplan goes to its own parties, each by a delivery of its own on § 13 c.

Source: psykiatriloven §§ 13 b and 13 c; the domain study of the KI-plan, section 7, scenario 25
(only the parties receive it, no consent is asked for, and the KI-plan stays refused), and section
6.4 (a withdrawal does not stop statutory flows).
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

import adapters.fhir
from hub.contract import Context, Loss, Party, Rendered
from hub.errors import Invalid, TooLargeToSend
from hub.fhir import names
from hub.fhir.language import said
from hub.law import Statutes, statutes
from hub.model.party import SYSTEM, Subscription
from hub.services import queries
from hub.services.admin import PartyEntry, apply_parties
from hub.services.document_route import follow_documents
from hub.services.lapse import follow_time
from tests.api.fhir.writing import put, read
from tests.api.operating import audited, done, why_not
from tests.api.papers import SOR, consent_of, sector_plan
from tests.api.test_citizens import bundle as plan_bundle
from tests.api.test_koordinationsplan import MARKED, PLAN, publish
from tests.api.world import (
    GP,
    KOORD_OWN,
    OPERATOR,
    PARTIES,
    PLAN_1,
    PSYK,
    RUS,
    SOCIAL,
    World,
    problem,
)

BASIS = "psykiatriloven-13c"
SHOWN, HIDDEN = "Bostøtte hver mandag og torsdag", "Depotmedicin"
SENDING = Subscription("fhir", "koordinationsplan")


def subscribe(world: World, who: str, wish: Subscription = SENDING) -> None:
    with world.hub.store.writing() as work:
        known = work.parties.get(who)
        assert known is not None
        kept = tuple(s for s in known.subscriptions if s.content != wish.content)
        work.parties.save(replace(known, subscriptions=(*kept, wish)), world.clock())
        follow_documents(world.hub, work, work.parties.directory(), actor="test")
        work.commit()


def sent(world: World, who: str | None = None) -> list[dict[str, Any]]:
    found = [d for d in world.deliveries() if d["document"] and who in {None, d["receiver"]}]
    return sorted(found, key=lambda d: (d["receiver"], d["version"]))


def states(world: World, who: str) -> list[str]:
    return [d["state"] for d in sent(world, who)]


def letter(world: World, who: str) -> Any:
    (found,) = [m for m in world.get("/mailbox", who).json() if m["document"]]
    return found, world.get(found["href"], who)


def changed(body: bytes, number: int) -> bytes:
    return body.replace(b"kp-2026-000064-2", f"kp-2026-000064-{number}".encode())


def test_25_each_party_gets_it_as_itself_on_the_statute_and_nobody_else(world: World) -> None:
    for who in (SOCIAL, RUS, GP, KOORD_OWN, PSYK):
        subscribe(world, who)
    publish(world, MARKED)
    world.work()
    assert {d["receiver"] for d in sent(world)} == {SOCIAL, RUS}
    for who in (SOCIAL, RUS):
        found, got = letter(world, who)
        assert (found["plan"], found["sequence"], found["format"]) == (None, 1, "fhir")
        assert got.headers["KI-Document"] == found["document"]
        assert "KI-Plan" not in got.headers
        bundle = json.loads(got.content)
        (plan,) = [e["resource"] for e in bundle["entry"]
                   if e["resource"]["resourceType"] == "CarePlan"]  # fmt: skip
        kinds = [c["code"] for x in plan["category"] for c in x["coding"]]
        assert (plan["id"], kinds) == (found["document"], ["koordinationsplan"])
        assert not {"partOf", "replaces"} & plan.keys()
        assert SHOWN in got.text
        assert HIDDEN not in got.text
        assert world.receipt(found["delivery"], who).status_code == 200
        (row,) = sent(world, who)
        assert (row["state"], row["legal_basis"], row["plan"]) == ("delivered", BASIS, "")
    for who in set(PARTIES) - {SOCIAL, RUS}:
        assert [m for m in world.get("/mailbox", who).json() if m["document"]] == []
        assert world.tasks(who) == []
    assert world.work() is None
    assert publish(world, MARKED).status_code == 200
    world.work()
    assert len(sent(world)) == 2


def test_what_leaves_is_audited_with_the_statute_and_the_citizen(world: World) -> None:
    subscribe(world, SOCIAL)
    publish(world, MARKED)
    world.work()
    found, _ = letter(world, SOCIAL)
    with world.hub.store.reading() as work:
        rows = work.journal.audit_of(f"CarePlan/{found['document']}")
    told = {(r["action"], r["actor"], r["party"], r["basis"]) for r in rows}
    assert ("disclose", "hub", SOCIAL, BASIS) in told
    assert ("fetch", SOCIAL, SOCIAL, BASIS) in told
    assert all(r["citizen"] for r in rows)


def test_nothing_marked_is_nothing_sent_and_nobody_is_asked(world: World) -> None:
    subscribe(world, SOCIAL)
    publish(world)
    world.work()
    assert sent(world) == []
    assert queries.tasks(world.hub, SYSTEM) == []


def test_a_newer_one_takes_the_place_of_what_waits_and_goes_after_what_left(world: World) -> None:
    subscribe(world, SOCIAL)
    publish(world, MARKED)
    publish(world, changed(MARKED, 3).replace("Bostøtte hver".encode(), "Støtte hver".encode()))
    assert states(world, SOCIAL) == ["superseded", "due"]
    world.work()
    found, got = letter(world, SOCIAL)
    assert (found["sequence"], "Støtte hver mandag" in got.text) == (1, True)
    # What others are shown is as before: nothing new for them.
    publish(world, changed(MARKED, 4).replace("Bostøtte hver".encode(), "Støtte hver".encode())
            .replace(b"hver uge den", b"den"))  # fmt: skip
    assert len(sent(world, SOCIAL)) == 2
    publish(world, changed(MARKED, 5))
    assert states(world, SOCIAL) == ["superseded", "sent", "due"]
    world.work()
    assert states(world, SOCIAL) == ["superseded", "sent", "due"]
    assert world.receipt(found["delivery"], SOCIAL).status_code == 200
    world.work()
    again, _ = letter(world, SOCIAL)
    assert (again["sequence"], states(world, SOCIAL)[-1]) == (2, "sent")


@pytest.mark.parametrize("fetched", [False, True])
def test_who_is_a_party_no_more_gets_nothing_more(world: World, fetched: bool) -> None:
    subscribe(world, SOCIAL)
    subscribe(world, RUS)
    publish(world, MARKED)
    if fetched:
        world.work()
        letter(world, SOCIAL)
    left = changed(MARKED, 3).replace(b"<UnitSORIdentifier>999000000202</UnitSORIdentifier>", b"")
    assert publish(world, left).status_code == 200
    world.work()
    assert states(world, SOCIAL) == ["cancelled"]
    assert world.get("/mailbox", SOCIAL).json() == []
    assert len([m for m in world.get("/mailbox", RUS).json() if m["document"]]) == 1


def test_what_its_owner_unmarks_is_not_handed_out_any_more(world: World) -> None:
    subscribe(world, SOCIAL)
    publish(world, MARKED)
    world.work()
    found, _ = letter(world, SOCIAL)
    publish(world, changed(PLAN, 3))
    assert states(world, SOCIAL) == ["cancelled"]
    problem(world.get(found["href"], SOCIAL), 404)


def test_a_withdrawn_consent_stops_the_plan_and_not_this(planned: World, plan: str) -> None:
    subscribe(planned, SOCIAL)
    publish(planned, MARKED)
    planned.work()
    found, _ = letter(planned, SOCIAL)
    assert planned.consent(consent_of("nej-til-alle", kind="deny")).status_code in {200, 201}
    planned.work()
    assert planned.get(f"/fhir/CarePlan/{plan}", SOCIAL).status_code == 404
    assert planned.get(found["href"], SOCIAL).status_code == 200
    publish(planned, changed(MARKED, 3).replace("Bostøtte hver".encode(), "Støtte hver".encode()))
    assert planned.receipt(found["delivery"], SOCIAL).status_code == 200
    planned.work()
    _, got = letter(planned, SOCIAL)
    assert "Støtte hver mandag" in got.text
    assert "CarePlan/" + plan not in got.text


def test_a_refusal_is_not_got_round(world: World) -> None:
    """Who the citizen has said no to gets the document it is a party of, and nothing of a plan."""
    world.consent(consent_of("nej", (SOCIAL,), kind="deny"))
    subscribe(world, SOCIAL)
    publish(world, MARKED)
    world.consent(consent_of("ja", (RUS, PSYK, KOORD_OWN)))
    plan = world.publish_plan()
    world.work()
    _, got = letter(world, SOCIAL)
    assert {d["plan"] for d in world.deliveries() if d["receiver"] == SOCIAL} == {""}
    assert not [w for w in (plan, "ki-plan", "Fælles") if w in got.text]
    assert SHOWN not in world.get(f"/fhir/CarePlan/{plan}/$everything", RUS).text


def test_where_the_statute_lets_the_citizen_object_that_has_the_last_word(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = statutes()
    law = Statutes(tuple(replace(s, objection_beats_it=True) for s in known))
    monkeypatch.setattr("hub.model.lawful.statutes", lambda: law)
    subscribe(world, SOCIAL)
    subscribe(world, RUS)
    publish(world, MARKED)
    world.work()
    found, _ = letter(world, SOCIAL)
    world.consent(consent_of("frabedt", (SOCIAL,), kind="deny"))
    assert (states(world, SOCIAL), states(world, RUS)) == (["cancelled"], ["sent"])
    problem(world.get(found["href"], SOCIAL), 404)


def test_without_a_subscription_the_operator_is_asked_and_it_goes_when_there_is_one(
    world: World,
) -> None:
    publish(world, MARKED)
    world.work()
    assert sent(world) == []
    asked = [t for t in queries.tasks(world.hub, SYSTEM) if t.kind == "subscription"]
    assert [(t.party, t.plan_id) for t in asked] == [("operator", None)] * 2
    assert {who for who in PARTIES for t in asked if who in t.text} == {SOCIAL, RUS}
    assert all(said("da", t.text) for t in asked)
    subscribe(world, SOCIAL)
    subscribe(world, RUS)
    world.work()
    assert queries.tasks(world.hub, SYSTEM) == []
    assert {states(world, who)[0] for who in (SOCIAL, RUS)} == {"sent"}


def test_a_format_that_would_make_something_else_of_it_is_refused(world: World) -> None:
    with world.hub.store.reading() as work:
        known = work.parties.get(SOCIAL)
    assert known is not None
    for format in ("pdf", "ki-plan-xml", "udskrivningsaftale"):
        wish = replace(SENDING, format=format)
        entry = PartyEntry(replace(known, subscriptions=(wish,)))
        with pytest.raises(Invalid, match="carries no koordinationsplan"):
            apply_parties(world.hub, [entry], [], "pdf", by="x")
    # One that was written by an older program makes nothing.
    subscribe(world, SOCIAL, replace(SENDING, format="pdf"))
    publish(world, MARKED)
    world.work()
    assert states(world, SOCIAL) == ["dead"]
    assert world.get("/mailbox", SOCIAL).json() == []


def test_of_one_in_error_who_had_it_is_told_that_and_no_more(world: World) -> None:
    subscribe(world, SOCIAL)
    answer = publish(world, MARKED)
    world.work()
    found, _ = letter(world, SOCIAL)
    assert world.receipt(found["delivery"], SOCIAL).status_code == 200
    subscribe(world, RUS, replace(SENDING, versions="every-version"))
    assert states(world, RUS) == ["due"]
    message = answer.headers["Location"].rpartition("/")[2]
    said = {"person": "Overlægen", "reason": "Forkert patient"}
    url = f"/messages/{message}/entered-in-error"
    assert world.request("POST", url, PSYK, json=said).status_code == 200
    world.work()
    assert states(world, RUS) == ["cancelled"]
    last, got = letter(world, SOCIAL)
    kinds = {r["resource"]["resourceType"]: r["resource"] for r in got.json()["entry"]}
    assert set(kinds) == {"CarePlan", "Patient"}
    assert kinds["CarePlan"]["status"] == "entered-in-error"
    assert (last["sequence"], SHOWN in got.text) == (2, False)


def test_losses_that_its_receiver_does_not_accept_are_its_owner_s_to_let_go(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = adapters.fhir.render

    def lossy(content: Any, receiver: Party, context: Context) -> Rendered:
        """The canonical form loses nothing of it; another format that carries it may."""
        made = plain(content, receiver, context)
        return replace(made, losses=(Loss("CarePlan/x/note", "dropped", "no place for it"),))

    monkeypatch.setattr(adapters.fhir, "render", lossy)
    subscribe(world, SOCIAL, replace(SENDING, unacceptable=("dropped",)))
    publish(world, MARKED)
    world.work()
    (row,) = sent(world, SOCIAL)
    assert (row["state"], row["losses"], row["attempts"]) == ("held", 1, 0)
    assert ("losses", row["delivery"]) in world.tasks(PSYK)
    said = {"reason": "Bilaget sendes med posten"}
    problem(world.act(row["delivery"], "accept-losses", RUS, **said), 404)
    assert world.act(row["delivery"], "accept-losses", PSYK, **said).status_code == 200
    world.work()
    assert (states(world, SOCIAL), world.tasks(PSYK)) == (["sent"], [])


def test_its_owner_changes_it_over_rest_and_the_change_is_sent(world: World) -> None:
    subscribe(world, SOCIAL)
    publish(world, MARKED)
    world.work()
    found, _ = letter(world, SOCIAL)
    mine, version = read(world, f"CarePlan/{found['document']}", PSYK)
    for activity in mine["activity"]:
        if SHOWN in activity["detail"]["description"]:
            activity["detail"]["description"] = "Bostøtte hver dag"
    assert put(world, mine, version, PSYK).status_code == 200
    assert states(world, SOCIAL) == ["sent", "due"]
    assert world.receipt(found["delivery"], SOCIAL).status_code == 200
    world.work()
    assert "Bostøtte hver dag" in letter(world, SOCIAL)[1].text


def test_a_receiver_asks_for_what_it_missed_of_it(world: World) -> None:
    subscribe(world, SOCIAL)
    publish(world, MARKED)
    world.work()
    found, _ = letter(world, SOCIAL)
    world.receipt(found["delivery"], SOCIAL)
    url = f"/plans/{found['document']}"
    assert [r["sequence"] for r in world.get(f"{url}/deliveries", SOCIAL).json()] == [1]
    for who in (RUS, GP):
        problem(world.get(f"{url}/deliveries", who), 404)
        problem(world.request("POST", f"{url}/missed", who, json={}), 404)
    answer = world.request("POST", f"{url}/missed", SOCIAL, json={"latest": True})
    assert answer.status_code == 202
    world.work()
    again, _ = letter(world, SOCIAL)
    assert (again["delivery"], again["sequence"]) == (found["delivery"], 1)


def test_an_operator_acts_on_it_as_on_any_delivery(world: World) -> None:
    subscribe(world, SOCIAL)
    subscribe(world, RUS)
    publish(world, MARKED)
    stopped, other = sent(world, RUS)[0]["delivery"], sent(world, SOCIAL)[0]["delivery"]
    assert why_not(world, "resend", other)
    assert done(world, "cancel", deliveries=[stopped])["done"] == 1
    publish(world, MARKED)
    assert (states(world, RUS), states(world, SOCIAL)) == (["cancelled"], ["sent"])
    assert "on its way" in why_not(world, "send-anew", other)
    world.receipt(other, SOCIAL)
    assert done(world, "send-anew", deliveries=[stopped, other])["done"] == 2
    assert sorted(states(world, RUS)) == ["cancelled", "sent"]
    assert sorted(states(world, SOCIAL)) == ["delivered", "sent"]
    assert letter(world, SOCIAL)[0]["sequence"] == 2
    listed = world.get("/operations/deliveries", OPERATOR).text
    assert not [w for w in (SHOWN, HIDDEN) if w in listed]


@pytest.mark.parametrize("moment", ["due", "in the mailbox", "followed"])
def test_when_the_statute_ends_nothing_more_leaves(
    world: World, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    last = world.clock().date()
    law = Statutes(tuple(replace(s, valid_until=last if s.id == BASIS else s.valid_until)
                         for s in statutes()))  # fmt: skip
    for place in ("hub.model.lawful", "hub.services.lapse"):
        monkeypatch.setattr(f"{place}.statutes", lambda: law)
    subscribe(world, SOCIAL)
    publish(world, MARKED)
    follow_time(world.hub)
    if moment == "due":
        world.clock.advance(days=1)
        world.work()
        assert states(world, SOCIAL) == ["cancelled"]
        assert [r["outcome"] for r in audited(world, "disclose")] == ["denied"]
        return
    world.work()
    found, _ = letter(world, SOCIAL)
    world.clock.advance(days=1)
    if moment == "followed":
        follow_time(world.hub)
        assert states(world, SOCIAL) == ["cancelled"]
    assert world.get("/mailbox", SOCIAL).json() == []
    problem(world.get(found["href"], SOCIAL), 404)


MARK = b"<CoordinationIndicator>true</CoordinationIndicator>"
TWO = MARKED.replace(
    b"<SectionCode>misbrug</SectionCode>", MARK + b"<SectionCode>misbrug</SectionCode>"
)


def test_what_holds_more_than_is_shown_now_is_taken_back_and_holds_up_nothing(
    world: World,
) -> None:
    subscribe(world, SOCIAL)
    assert TWO != MARKED
    publish(world, TWO)
    world.work()
    found, _ = letter(world, SOCIAL)
    publish(world, changed(MARKED, 3))
    assert states(world, SOCIAL) == ["cancelled", "due"]
    problem(world.get(found["href"], SOCIAL), 404)
    world.work()
    assert letter(world, SOCIAL)[0]["sequence"] == 2


def housed() -> bytes:
    """One that says where the citizen lives, and names the social office as a party."""
    bundle = json.loads(sector_plan(PSYK, case="K-1", kind="koordinationsplan"))
    by = []
    for number, (name, sor) in enumerate((("Botilbuddet Birken", "999000000999"),
                                          ("Socialforvaltningen", SOR[SOCIAL]))):  # fmt: skip
        url = f"urn:uuid:3b0ff6a2-0d8c-4a5c-9e59-9f8a1f6f0c1{number}"
        identifier = [{"system": names.SOR, "value": sor}]
        unit = {"resourceType": "Organization", "name": name, "identifier": identifier}
        bundle["entry"].append({"fullUrl": url, "resource": unit})
        by.append({"reference": url})
    bundle["entry"][0]["resource"]["activity"][0]["detail"]["performer"] = by
    return json.dumps(bundle).encode()


def test_a_citizen_who_is_protected_since_is_so_in_what_was_made_before(planned: World) -> None:
    subscribe(planned, SOCIAL)
    assert planned.post("/documents/fhir", PSYK, housed()).status_code == 200
    planned.work()
    found, got = letter(planned, SOCIAL)
    assert "Botilbuddet Birken" in got.text
    bundle, citizen = plan_bundle()
    citizen["meta"] = {"security": [{"system": names.CONFIDENTIALITY, "code": "R"}]}
    planned.clock.advance(minutes=1)
    planned.publish_plan(json.dumps(bundle).encode())
    assert states(planned, SOCIAL) == ["cancelled", "due"]
    problem(planned.get(found["href"], SOCIAL), 404)
    planned.work()
    _, got = letter(planned, SOCIAL)
    assert ("Birken" in got.text, "Socialforvaltningen" in got.text) == (False, True)


def test_a_citizen_who_is_protected_by_one_plan_is_so_beside_another(planned: World) -> None:
    """That says nothing of it, and says it later."""
    bundle, citizen = plan_bundle()
    citizen["meta"] = {"security": [{"system": names.CONFIDENTIALITY, "code": "R"}]}
    planned.clock.advance(minutes=1)
    planned.publish_plan(json.dumps(bundle).encode())
    planned.clock.advance(minutes=1)
    other = PLAN_1.replace(b"RUS-2026-0001", b"RUS-2026-0002")
    assert planned.post("/documents/fhir", RUS, other).status_code == 200
    subscribe(planned, SOCIAL)
    assert planned.post("/documents/fhir", PSYK, housed()).status_code == 200
    planned.work()
    _, got = letter(planned, SOCIAL)
    assert ("Birken" in got.text, "Socialforvaltningen" in got.text) == (False, True)


def test_one_that_is_too_large_is_an_operator_s_to_see_to(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def large(content: Any, receiver: Party, context: Context) -> Rendered:
        raise TooLargeToSend("It is too large")

    monkeypatch.setattr(adapters.fhir, "render", large)
    subscribe(world, SOCIAL)
    publish(world, MARKED)
    world.work()
    (row,) = sent(world, SOCIAL)
    (asked,) = [t for t in queries.tasks(world.hub, SYSTEM) if t.kind == "too-large"]
    assert (row["state"], asked.party, asked.delivery_id, asked.plan_id) == (
        "blocked", "operator", row["delivery"], None,
    )  # fmt: skip
    assert done(world, "skip", deliveries=[row["delivery"]])["done"] == 1
    assert states(world, SOCIAL) == ["not_sent"]
    assert [t for t in queries.tasks(world.hub, SYSTEM) if t.kind == "too-large"] == []
    publish(world, MARKED)
    assert states(world, SOCIAL) == ["not_sent"]

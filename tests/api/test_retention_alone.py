"""A citizen who has a koordinationsplan and nothing else: held, handed a copy, forgotten."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from sqlalchemy import select

from hub.contract import Identifier
from hub.errors import Invalid, NotFound
from hub.fhir import names
from hub.fhir.codec import parse_json
from hub.model.party import Viewer
from hub.services import access_record, retention
from hub.services.subject import everything_held
from hub.services.whose import Whose, whole_id
from hub.services.worker import maintain
from hub.store.tables import INBOX
from hub.store.trail import Wanted
from tests.api.papers import consent_of
from tests.api.test_koordinationsplan import MARKED, publish
from tests.api.test_koordinationsplan_sent import HIDDEN, SENDING, SHOWN, changed, sent, subscribe
from tests.api.test_retention import DRIFT, grow_old, kept, rows
from tests.api.world import CPR_1, CPR_2, PSYK, RUS, World
from tests.views import errors_in

NUMBER = Identifier(names.CPR, CPR_1)
NOBODY = Identifier(names.CPR, "0101809995")
WHY = "A complaint is being looked into"
WRONG = "/messages/{}/entered-in-error"


@pytest.fixture
def alone(world: World) -> World:
    """Three versions of one koordinationsplan, each sent to one party."""
    subscribe(world, RUS, replace(SENDING, receipt=False))
    for number in (2, 3, 4):
        world.clock.advance(minutes=1)
        body = MARKED.replace(b"mandag og", b"dag, uge %d," % number)
        assert publish(world, changed(body, number)).status_code == 200
        world.work()
    return world


def document(world: World) -> str:
    return str(sent(world)[0]["document"])


def named(world: World, by: str) -> Whose:
    return NUMBER if by == "number" else document(world)


@pytest.mark.parametrize("by", ["number", "document"])
def test_a_hold_keeps_it_all_and_its_end_lets_it_go(alone: World, by: str) -> None:
    hub, whose = alone.hub, named(alone, by)
    made = retention.hold(hub, DRIFT, whose, reason=WHY)
    assert (made.plan_id, bool(made.citizen_id)) == ("", True)
    for other in ("number", "document"):
        with pytest.raises(Invalid, match="already"):
            retention.hold(hub, DRIFT, named(alone, other), reason="Once more")
    before = kept(alone)
    grow_old(alone)
    maintain(hub)
    assert kept(alone) == before == (3, 3)
    assert rows(alone, "disclose") != []
    assert retention.release(hub, DRIFT, whose, reason="It is over") == "citizen"
    maintain(hub)
    assert kept(alone) == (1, 1), "its owner's newest, and its receiver's"
    assert rows(alone, "disclose") == []


def test_another_s_hold_keeps_nothing_of_a_citizen_who_is_known(alone: World) -> None:
    """Until it was written down whom a document is about, any hold kept all that is of no plan."""
    from_before = alone.consent(consent_of("ja", (RUS,), cpr=CPR_2))
    assert from_before.status_code in {200, 201}
    held = retention.hold(alone.hub, DRIFT, Identifier(names.CPR, CPR_2), reason=WHY).citizen_id
    grow_old(alone)
    maintain(alone.hub)
    with alone.hub.store.database.engine.connect() as db:
        there = db.execute(select(INBOX.c.citizen_id).where(INBOX.c.body.is_not(None)))
        left = sorted(there.scalars())
    assert (left.count(held), len(left)) == (1, 2), "the consent, and the newest plan"


def test_what_is_said_of_it_in_the_trail_names_nobody(alone: World) -> None:
    retention.hold(alone.hub, DRIFT, NUMBER, reason=WHY)
    (row,) = rows(alone, "legal-hold")
    (mine, *_) = rows(alone, "disclose")
    assert (row["object"], row["detail"], row["reason"]) == ("Patient", "citizen", WHY)
    assert row["citizen"] == mine["citizen"]
    with alone.hub.store.reading() as work:
        told = str(work.journal.audit_of(""))
        citizen = work.plans.citizen([NUMBER])
    assert citizen is not None
    assert CPR_1 not in told
    assert citizen not in told.replace(f"Patient/{citizen}", ""), "its id outlives its pseudonym"


def test_the_trail_tells_who_sent_what_about_the_citizen(alone: World) -> None:
    found = access_record.export(alone.hub, DRIFT, Wanted(), citizen_of=NUMBER)
    assert {r["action"] for r in found} >= {"receive", "disclose"}
    again = access_record.export(alone.hub, DRIFT, Wanted(), citizen_of=document(alone))
    assert again[: len(found)] == found
    assert [r["object"] for r in rows(alone, "audit-export")] == [
        "Patient", f"CarePlan/{document(alone)}",
    ]  # fmt: skip


@pytest.mark.parametrize("by", ["number", "document"])
def test_the_citizen_gets_all_versions_as_they_came_and_as_they_are(alone: World, by: str) -> None:
    files = everything_held(alone.hub, DRIFT, named(alone, by), reason="The citizen asks")
    held = {f.name.partition("/")[0] for f in files}
    assert held == {"index.json", "alone", "records", "documents", "deliveries", "audit"}
    came = [f.body.decode() for f in files if f.name.startswith("documents/")]
    assert sorted(n for n in (2, 3, 4) for body in came if f"uge {n}," in body) == [2, 3, 4]
    (plan,) = [f for f in files if f.name.startswith("alone/")]
    assert errors_in(parse_json(plan.body)) == []
    assert SHOWN.split()[0] in plan.body.decode()
    assert HIDDEN in plan.body.decode()
    opened = {f.name: json.loads(f.body) for f in files if f.name.startswith("records/")}
    assert {r["party"] for r in opened["records/document_access.json"]} >= {RUS}
    assert len(opened["records/inbox.json"]) == 3
    index = files[0].body.decode()
    assert not [w for w in (CPR_1, SHOWN, HIDDEN) if w in index]
    (said,) = rows(alone, "subject-export")
    assert said["citizen"] is not None


def test_the_link_is_erased_when_the_plan_is_in_error(alone: World) -> None:
    with pytest.raises(Invalid, match="is open"):
        retention.forget(alone.hub, DRIFT, NUMBER, reason="The time is up")
    message = publish(alone, changed(MARKED, 9)).headers["Location"].rpartition("/")[2]
    said = {"person": "Overlægen", "reason": "Forkert patient"}
    assert alone.request("POST", WRONG.format(message), PSYK, json=said).status_code == 200
    retention.hold(alone.hub, DRIFT, NUMBER, reason=WHY)
    with pytest.raises(Invalid, match="legal hold"):
        retention.forget(alone.hub, DRIFT, NUMBER, reason="The time is up")
    retention.release(alone.hub, DRIFT, NUMBER, reason="It is over")
    retention.forget(alone.hub, DRIFT, NUMBER, reason="The time is up")
    with pytest.raises(NotFound):
        access_record.export(alone.hub, DRIFT, Wanted(), citizen_of=NUMBER)


def test_a_number_that_nobody_has_is_nobody_and_the_question_is_written_down(alone: World) -> None:
    for act in (retention.hold, retention.release, retention.forget, everything_held):
        with pytest.raises(NotFound, match="No citizen with that number"):
            act(alone.hub, DRIFT, NOBODY, reason=WHY)
        with pytest.raises(NotFound):
            act(alone.hub, Viewer("party", RUS), NUMBER, reason=WHY)
        with pytest.raises(Invalid):
            act(alone.hub, DRIFT, Identifier("urn:oid:2.999", "1"), reason=WHY)
    for action in ("legal-hold", "legal-release", "forget", "subject-export"):
        (row,) = rows(alone, action)
        assert (row["outcome"], row["object"], row["citizen"]) == ("denied", "Patient", None)


def test_only_a_document_that_stands_alone_names_a_citizen(alone: World) -> None:
    assert whole_id(alone.hub, DRIFT, document(alone)[:8]) == document(alone)
    for wrong in ("00000000-0000-4000-8000-000000000000", "x"):
        with pytest.raises(NotFound):
            retention.hold(alone.hub, DRIFT, wrong, reason=WHY)
    with pytest.raises(NotFound):
        whole_id(alone.hub, Viewer("party", RUS), document(alone))

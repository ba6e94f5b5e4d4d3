"""What comes back: merged where parts differ, kept for a person where they do not."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from hub.model.party import SYSTEM
from hub.services.state import plan_state
from hub.services.views import build_view
from tests.api.copies import (
    Bundle,
    care_plan,
    changed,
    copy_for,
    goals,
    head,
    note_of,
    resources,
    says,
    send,
    shared_part,
    whole_plan,
    without_base,
)
from tests.api.papers import consent_of
from tests.api.world import (
    GP,
    KOORD_OWN,
    OPERATOR,
    PSYK,
    RUS,
    SOCIAL,
    World,
    changed_plan,
    outcome_of,
    problem,
)

NEW = "Karla vælger selv, hvem der er med til næste møde."
OTHER = "Karla bestemmer dagsordenen til næste møde."


def texts(answer: Any) -> str:
    return " ".join(i["details"]["text"] for i in outcome_of(answer)["issue"])


def saying(bundle: Bundle, text: str, number: int = 0) -> Bundle:
    return changed(bundle, lambda b: goals(b)[number].update(description={"text": text}))


def noting(bundle: Bundle, text: str, label: str = "Psykiatrien") -> Bundle:
    return changed(bundle, lambda b: note_of(b, label).update(valueString=text))


def goal_texts(world: World, plan: str) -> list[str]:
    return [g["description"]["text"] for g in goals(says(world, plan, RUS))]


def waiting(world: World, who: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.get("/proposals", who).json()
    return found


def decide(world: World, proposal: str, act: str, who: str = RUS, **said: Any) -> Any:
    body = {"person": "Mette, kontaktperson", "reason": "Aftalt med Karla"} | said
    return world.request("POST", f"/proposals/{proposal}/{act}", who, json=body)


def narrowed(world: World) -> None:
    """Psychiatry sees nothing of substance use and social matters, the municipality no others."""
    hidden = {PSYK: ("substance-use", "social"), SOCIAL: ("substance-use", "psychiatry")}
    answer = world.consent(consent_of("mindre", units=(PSYK, SOCIAL), kind="deny", sections=hidden))
    assert answer.status_code == 201


# Two writers


def test_different_parts_by_two_writers_merge(planned: World, plan: str) -> None:
    """The unit's own note, and the lead's goal, both written on version 1."""
    mine, theirs = copy_for(planned.hub, plan, RUS), copy_for(planned.hub, plan, PSYK)
    answer = send(planned, PSYK, noting(theirs, NEW))
    assert (answer.status_code, head(planned, plan)) == (200, 2)
    assert "proposals" not in texts(answer)
    answer = send(planned, RUS, saying(mine, OTHER))
    assert (answer.status_code, head(planned, plan)) == (200, 3)
    assert "Merged with what has changed since version 1" in texts(answer)
    found = says(planned, plan, RUS)
    assert goals(found)[0]["description"]["text"] == OTHER
    assert note_of(found, "Psykiatrien")["valueString"] == NEW
    assert waiting(planned, RUS) == []


def test_the_same_part_by_two_entitled_writers_is_a_conflict(planned: World, plan: str) -> None:
    mine, theirs = copy_for(planned.hub, plan, RUS), copy_for(planned.hub, plan, PSYK)
    before = note_of(mine, "Psykiatrien")["valueString"]
    send(planned, PSYK, noting(theirs, NEW))
    answer = send(planned, RUS, noting(mine, OTHER))
    assert (answer.status_code, head(planned, plan)) == (200, 2)
    assert "conflict" in {i["code"] for i in outcome_of(answer)["issue"]}
    assert "Changed by another as well" in texts(answer)
    assert "of your own" not in texts(answer)
    assert note_of(says(planned, plan, RUS), "Psykiatrien")["valueString"] == NEW
    (row,) = waiting(planned, RUS)
    assert (row["kind"], row["author"], row["decides"], row["written_on"]) == (
        "conflict", RUS, RUS, 1
    )  # fmt: skip
    assert ("conflict", None) in planned.tasks(RUS)
    shown = planned.get(f"/proposals/{row['proposal']}", RUS).json()
    assert [shown[k][0] for k in ("base", "theirs", "stands")] == [before, OTHER, NEW]
    # The unit whose own words they are knows of it too.
    assert [r["proposal"] for r in waiting(planned, PSYK)] == [row["proposal"]]
    assert waiting(planned, SOCIAL) == []


@pytest.mark.parametrize(
    ("act", "said", "stands", "version"),
    [
        ("accept", {}, OTHER, 3),
        ("reject", {}, NEW, 2),
        ("reword", {"text": "Begge dele er aftalt."}, "Begge dele er aftalt.", 3),
    ],
)
def test_a_person_decides_a_conflict(
    planned: World, plan: str, act: str, said: dict[str, str], stands: str, version: int
) -> None:
    mine, theirs = copy_for(planned.hub, plan, RUS), copy_for(planned.hub, plan, PSYK)
    send(planned, PSYK, noting(theirs, NEW))
    send(planned, RUS, noting(mine, OTHER))
    (row,) = waiting(planned, RUS)
    for _ in range(2):
        answer = decide(planned, row["proposal"], act, version=2, **said)
        assert answer.status_code == 200, answer.text
        assert answer.json()["decided_by"] == f"{RUS}: Mette, kontaktperson"
    assert head(planned, plan) == version
    assert note_of(says(planned, plan, RUS), "Psykiatrien")["valueString"] == stands
    assert waiting(planned, RUS) == []
    assert ("conflict", None) not in planned.tasks(RUS)
    other = "reject" if act != "reject" else "accept"
    problem(decide(planned, row["proposal"], other), 422)
    with planned.hub.store.reading() as work:
        rows = work.journal.audit_of(f"proposal/{row['proposal']}")
    acts = [(r["action"], r["actor"]) for r in rows]
    assert acts == [("propose", RUS), ("decide", f"{RUS}: Mette, kontaktperson")]


def test_the_same_words_by_two_are_no_conflict(planned: World, plan: str) -> None:
    mine, theirs = copy_for(planned.hub, plan, RUS), copy_for(planned.hub, plan, PSYK)
    send(planned, PSYK, noting(theirs, NEW))
    send(planned, RUS, noting(mine, NEW))
    assert (head(planned, plan), waiting(planned, RUS)) == (2, [])


def test_the_lead_s_two_systems_are_two_writers(planned: World, plan: str) -> None:
    first = copy_for(planned.hub, plan, RUS)
    send(planned, RUS, saying(first, NEW))
    answer = send(planned, RUS, saying(first, OTHER))
    assert "Changed by an earlier document of your own as well" in texts(answer)
    assert "Changed by another" not in texts(answer)
    assert goal_texts(planned, plan)[0] == NEW
    (row,) = waiting(planned, RUS)
    assert row["about"].startswith("goal/")
    assert decide(planned, row["proposal"], "accept").status_code == 200
    assert goal_texts(planned, plan)[0] == OTHER


def test_two_orders_are_a_conflict_of_the_order(planned: World, plan: str) -> None:
    first = copy_for(planned.hub, plan, RUS)
    before = goal_texts(planned, plan)

    def moved(*order: int) -> Bundle:
        def move(bundle: Bundle) -> None:
            links = care_plan(bundle)["goal"]
            ranks = [x["extension"] for x in links]
            links[:] = [
                links[i] | {"extension": rank} for i, rank in zip(order, ranks, strict=True)
            ]

        return changed(first, move)

    send(planned, RUS, moved(2, 0, 1))
    send(planned, RUS, moved(1, 0, 2))
    assert goal_texts(planned, plan) == [before[i] for i in (2, 0, 1)]
    (row,) = waiting(planned, RUS)
    assert row["about"] == "order/goal"
    shown = planned.get(f"/proposals/{row['proposal']}", RUS).json()
    assert [x.split(". ", 1)[1] for x in shown["theirs"]] == [before[i] for i in (1, 0, 2)]
    assert decide(planned, row["proposal"], "accept").status_code == 200
    assert goal_texts(planned, plan) == [before[i] for i in (1, 0, 2)]
    ranks = [
        g["extension"][0]["valuePositiveInt"] for g in care_plan(says(planned, plan, RUS))["goal"]
    ]
    assert ranks == [1, 2, 3]


def test_two_at_once_come_one_after_the_other(planned: World, plan: str) -> None:
    """Every one of five changes of different pieces is in the plan afterwards, whichever comes
    first: each document names the version that it was written on."""
    mine, theirs = copy_for(planned.hub, plan, RUS), copy_for(planned.hub, plan, PSYK)
    documents = [(RUS, saying(mine, f"{NEW} {i}", i)) for i in range(3)]
    documents += [(PSYK, noting(theirs, NEW))]
    documents += [(RUS, changed(mine, lambda b: care_plan(b).update(title=OTHER)))]
    with ThreadPoolExecutor(len(documents)) as pool:
        answers = list(pool.map(lambda d: send(planned, *d), documents))
    assert [a.status_code for a in answers] == [200] * len(documents)
    found = says(planned, plan, RUS)
    assert [g["description"]["text"] for g in goals(found)] == [f"{NEW} {i}" for i in range(3)]
    assert note_of(found, "Psykiatrien")["valueString"] == NEW
    assert care_plan(found)["title"] == OTHER
    assert (head(planned, plan), waiting(planned, RUS)) == (1 + len(documents), [])


# Proposals


def test_what_another_unit_changes_of_the_shared_part_is_a_proposal(
    planned: World, plan: str
) -> None:
    before = shared_part(planned, plan)
    answer = send(planned, PSYK, saying(copy_for(planned.hub, plan, PSYK), NEW))
    assert answer.status_code == 200
    assert "Kept as proposals for the lead's unit to decide: 1" in texts(answer)
    assert (shared_part(planned, plan), head(planned, plan)) == (before, 1)
    (row,) = waiting(planned, RUS)
    assert (row["kind"], row["author"], row["decides"]) == ("proposal", PSYK, RUS)
    assert ("proposal", None) in planned.tasks(RUS)
    assert decide(planned, row["proposal"], "accept").json()["state"] == "accepted"
    assert (goal_texts(planned, plan)[0], head(planned, plan)) == (NEW, 2)
    assert ("proposal", None) not in planned.tasks(RUS)
    planned.work()
    assert planned.delivery("citizen", version=2)["state"] == "sent"
    with planned.hub.store.reading() as work:
        rows = work.journal.audit_of(f"CarePlan/{plan}/_history/2")
    assert ("update", f"{RUS}: Mette, kontaktperson") in [(r["action"], r["actor"]) for r in rows]


def test_the_author_reads_how_it_went_and_why(planned: World, plan: str) -> None:
    send(planned, PSYK, saying(copy_for(planned.hub, plan, PSYK), NEW))
    (row,) = waiting(planned, PSYK)
    assert decide(planned, row["proposal"], "reject").status_code == 200
    assert waiting(planned, PSYK) == []
    (told,) = planned.get("/proposals?decided=true", PSYK).json()
    assert (told["state"], told["reason"]) == ("rejected", "Aftalt med Karla")
    assert planned.get(f"/proposals/{row['proposal']}", PSYK).json()["theirs"][0] == NEW


def test_what_was_said_once_is_not_asked_twice(planned: World, plan: str) -> None:
    sent = saying(copy_for(planned.hub, plan, PSYK), NEW)
    for number in range(2):
        send(planned, PSYK, sent, message_id=f"m-{number}")
    (row,) = waiting(planned, RUS)
    decide(planned, row["proposal"], "reject")
    send(planned, PSYK, sent, message_id="m-3")
    assert waiting(planned, RUS) == []
    send(planned, PSYK, saying(sent, OTHER))
    (first,) = waiting(planned, RUS)
    send(planned, PSYK, saying(sent, f"{OTHER} Også næste gang."))
    (second,) = waiting(planned, RUS)
    assert first["proposal"] != second["proposal"]
    states = [r["state"] for r in planned.get("/proposals?decided=true", RUS).json()]
    assert sorted(states) == ["open", "rejected", "superseded"]


@pytest.mark.parametrize("who", [PSYK, SOCIAL, KOORD_OWN, GP])
def test_only_the_lead_s_people_decide(planned: World, plan: str, who: str) -> None:
    send(planned, PSYK, saying(copy_for(planned.hub, plan, PSYK), NEW))
    (row,) = waiting(planned, RUS)
    problem(decide(planned, row["proposal"], "accept", who), 403 if who == PSYK else 404)
    if who != PSYK:
        problem(planned.get(f"/proposals/{row['proposal']}", who), 404)
        assert waiting(planned, who) == []
    assert head(planned, plan) == 1


@pytest.mark.parametrize("act", ["accept", "reject", "reword"])
@pytest.mark.parametrize("missing", ["person", "reason"])
def test_a_decision_has_a_person_and_a_reason(
    planned: World, plan: str, act: str, missing: str
) -> None:
    send(planned, PSYK, saying(copy_for(planned.hub, plan, PSYK), NEW))
    (row,) = waiting(planned, RUS)
    for empty in ("", "   "):
        answer = decide(planned, row["proposal"], act, **{"text": "x", missing: empty})
        assert answer.status_code in {400, 422}
    assert [r["state"] for r in waiting(planned, RUS)] == ["open"]


def test_a_person_decides_on_what_stands_now(planned: World, plan: str) -> None:
    mine = copy_for(planned.hub, plan, RUS)
    send(planned, PSYK, saying(copy_for(planned.hub, plan, PSYK), NEW))
    (row,) = waiting(planned, RUS)
    seen = planned.get(f"/proposals/{row['proposal']}", RUS).json()["version"]
    send(planned, RUS, saying(mine, OTHER))
    problem(decide(planned, row["proposal"], "accept", version=seen), 409)
    assert planned.get(f"/proposals/{row['proposal']}", RUS).json()["stands"][0] == OTHER
    assert decide(planned, row["proposal"], "accept", version=2).status_code == 200
    assert goal_texts(planned, plan)[0] == NEW


def test_a_proposal_that_needs_another_waits_for_it(planned: World, plan: str) -> None:
    def add(bundle: Bundle) -> None:
        new = goals(bundle)[0] | {"id": "nyt-maal", "description": {"text": NEW}}
        bundle["entry"].append({"fullUrl": "urn:uuid:6d1f8a50-0000-4000-8000-00000000aaaa",
                                "resource": new})  # fmt: skip
        link = {"reference": "urn:uuid:6d1f8a50-0000-4000-8000-00000000aaaa"}
        plan_ = care_plan(bundle)
        plan_["goal"].append(link)
        plan_["activity"][0]["detail"]["goal"].append(link)

    assert send(planned, PSYK, changed(copy_for(planned.hub, plan, PSYK), add)).status_code == 200
    found = {r["about"].split("/")[0]: r["proposal"] for r in waiting(planned, RUS)}
    assert set(found) == {"goal", "intervention"}
    problem(decide(planned, found["intervention"], "accept"), 422)
    assert decide(planned, found["goal"], "accept").status_code == 200
    assert decide(planned, found["intervention"], "accept").status_code == 200
    assert goal_texts(planned, plan)[3] == NEW
    told = care_plan(says(planned, plan, RUS))
    assert [g["extension"][0]["valuePositiveInt"] for g in told["goal"]] == [1, 2, 3, 4]
    assert len(told["activity"][0]["detail"]["goal"]) == 2


def test_a_unit_adds_its_own_note_itself(planned: World, plan: str) -> None:
    def add(bundle: Bundle) -> None:
        new = note_of(bundle, "Psykiatrien") | {"id": "ny-note", "valueString": NEW}
        bundle["entry"].append({"fullUrl": "urn:uuid:6d1f8a50-0000-4000-8000-00000000bbbb",
                                "resource": new})  # fmt: skip
        link = {"reference": "urn:uuid:6d1f8a50-0000-4000-8000-00000000bbbb"}
        care_plan(bundle)["supportingInfo"].append(link)

    send(planned, PSYK, changed(copy_for(planned.hub, plan, PSYK), add))
    assert (head(planned, plan), waiting(planned, RUS)) == (2, [])
    notes = [o["valueString"] for o in resources(says(planned, plan, RUS), "Observation")]
    assert NEW in notes


def test_a_note_is_nobody_s_by_being_called_so(planned: World, plan: str) -> None:
    """Who an actor is, is what the plan says, not what the document says."""

    def take(bundle: Bundle) -> None:
        mine = note_of(bundle, "Psykiatrien")["performer"]
        note_of(bundle, "Botilbuddet").update(performer=mine, valueString=NEW)

    before = shared_part(planned, plan)
    send(planned, PSYK, changed(copy_for(planned.hub, plan, PSYK), take))
    assert shared_part(planned, plan) == before
    assert [r["kind"] for r in waiting(planned, RUS)] == ["proposal"]


# What nobody can change by sending a copy


@pytest.mark.parametrize("who", [RUS, PSYK, SOCIAL, KOORD_OWN])
@pytest.mark.parametrize("based", [True, False])
def test_a_copy_sent_back_unchanged_changes_nothing(
    planned: World, plan: str, who: str, based: bool
) -> None:
    narrow = (PSYK, SOCIAL)
    narrowed(planned)
    copy = copy_for(planned.hub, plan, who)
    before, number = whole_plan(planned, plan), head(planned, plan)
    if who in narrow:
        assert len(care_plan(copy).get("goal", ())) < 3
    answer = send(planned, who, copy if based else without_base(copy))
    assert answer.status_code == 200, answer.text
    assert "Nothing new" in texts(answer)
    assert (whole_plan(planned, plan), head(planned, plan)) == (before, number)
    assert waiting(planned, RUS) == []


def test_a_reduced_copy_s_changes_leave_what_was_hidden(planned: World, plan: str) -> None:
    narrowed(planned)
    copy = copy_for(planned.hub, plan, SOCIAL)
    hidden = set(shared_part(planned, plan)) - {
        f"{e['resource']['resourceType']}/{e['resource']['id']}" for e in copy["entry"]
    }
    assert any(k.startswith("Goal/") for k in hidden)

    assert len(care_plan(copy)["activity"]) == 1

    def take_away(bundle: Bundle) -> None:
        care_plan(bundle).pop("activity")
        goals(bundle)[0]["description"]["text"] = NEW

    answer = send(planned, SOCIAL, changed(copy, take_away))
    assert answer.status_code == 200, answer.text
    assert head(planned, plan) == 1
    (row,) = waiting(planned, RUS)
    assert row["about"].startswith("goal/")
    assert decide(planned, row["proposal"], "accept").status_code == 200
    assert hidden <= set(shared_part(planned, plan))
    assert len(care_plan(says(planned, plan, RUS))["activity"]) == 3


def test_a_document_of_another_unit_touches_no_part_but_its_own(planned: World, plan: str) -> None:
    """Everything it can say of the shared part, at once: nothing of it happens by itself."""
    planned.approve(plan)
    planned.work()
    with planned.hub.store.reading() as work:
        before = (work.consents.approvals(plan), shared_part(planned, plan))
    members = whole_plan(planned, plan)

    def everything(bundle: Bundle) -> None:
        plan_ = care_plan(bundle)
        plan_.update(title=NEW, status="completed", activity=plan_["activity"][:1])
        plan_["goal"] = [x | {"extension": [x["extension"][0] | {"valuePositiveInt": 4 - i}]}
                         for i, x in enumerate(plan_["goal"], 1)]  # fmt: skip
        for one in [*resources(bundle, "Condition"), *resources(bundle, "Patient")]:
            one.pop("code", None) and one.update(code={"text": NEW})
        resources(bundle, "CareTeam")[0]["participant"].pop()
        note_of(bundle, "Borger").update(valueString=NEW)

    answer = send(planned, SOCIAL, changed(copy_for(planned.hub, plan, SOCIAL), everything))
    assert answer.status_code == 200, answer.text
    with planned.hub.store.reading() as work:
        after = (work.consents.approvals(plan), shared_part(planned, plan))
        found = work.plans.get(plan, SYSTEM, planned.clock())
    assert after == before
    assert whole_plan(planned, plan) == members
    assert found is not None
    assert (found.status, found.head) == ("active", 1)
    assert len(waiting(planned, RUS)) > 4


# Whose eyes


def test_a_proposal_is_gone_with_the_consent(planned: World, plan: str) -> None:
    send(planned, PSYK, saying(copy_for(planned.hub, plan, PSYK), NEW))
    (row,) = waiting(planned, PSYK)
    planned.consent(consent_of("nej-tak", units=(PSYK,), kind="deny"))
    assert waiting(planned, PSYK) == []
    problem(planned.get(f"/proposals/{row['proposal']}", PSYK), 404)
    assert [r["proposal"] for r in waiting(planned, RUS)] == [row["proposal"]]


def test_what_stands_is_shown_only_to_who_may_see_it(planned: World, plan: str) -> None:
    mine = copy_for(planned.hub, plan, RUS)
    send(planned, PSYK, saying(copy_for(planned.hub, plan, PSYK), NEW))
    (row,) = waiting(planned, PSYK)
    send(planned, RUS, saying(mine, OTHER))
    assert planned.get(f"/proposals/{row['proposal']}", PSYK).json()["stands"][0] == OTHER
    narrowed(planned)
    shown = planned.get(f"/proposals/{row['proposal']}", PSYK)
    assert shown.json()["stands"] == []
    assert OTHER not in shown.text


def test_the_look_is_audited_and_the_operator_has_no_such_door(planned: World, plan: str) -> None:
    send(planned, PSYK, saying(copy_for(planned.hub, plan, PSYK), NEW))
    (row,) = waiting(planned, RUS)
    planned.get(f"/proposals/{row['proposal']}", RUS)
    with planned.hub.store.reading() as work:
        rows = work.journal.audit_of(f"proposal/{row['proposal']}")
    looks = [(r["action"], r["actor"], r["basis"].split("/")[0]) for r in rows]
    assert looks == [("propose", PSYK, ""), ("read", RUS, "consent")]
    assert planned.get("/proposals", OPERATOR).status_code in {401, 403}


def test_who_may_not_know_of_the_plan_proposes_nothing(planned: World, plan: str) -> None:
    copy = copy_for(planned.hub, plan, RUS)
    nobody_s = json.loads(json.dumps(copy).replace(plan, "0b0f7f5e-5f1c-4a52-9d35-1a1b5a3c9f10"))
    there, not_there = send(planned, GP, copy), send(planned, GP, nobody_s)
    assert problem(there, 422) == problem(not_there, 422)
    assert waiting(planned, RUS) == []


# What the sender had


def test_a_system_that_keeps_no_version_writes_on_what_it_was_last_given(
    planned: World, plan: str
) -> None:
    """Version 2 has not been given to it yet: what it sends is written on version 1."""
    mine = without_base(copy_for(planned.hub, plan, RUS))
    send(planned, PSYK, noting(copy_for(planned.hub, plan, PSYK), NEW))
    answer = send(planned, RUS, saying(mine, OTHER))
    assert "Merged with what has changed since version 1" in texts(answer)
    found = says(planned, plan, RUS)
    assert note_of(found, "Psykiatrien")["valueString"] == NEW
    # Now it is given version 3, with the note; leaving that out is its own doing.
    for _ in range(3):
        planned.work()
        for letter in planned.letters(RUS):
            planned.receipt(letter, RUS)
    assert planned.delivery(RUS, version=3)["state"] == "delivered"
    given = without_base(copy_for(planned.hub, plan, RUS))

    def drop(bundle: Bundle) -> None:
        own = note_of(bundle, "Psykiatrien")["id"]
        care_plan(bundle)["supportingInfo"] = [
            x for x in care_plan(bundle)["supportingInfo"] if own not in x["reference"]
        ]

    send(planned, RUS, changed(given, drop))
    notes = [o["valueString"] for o in resources(says(planned, plan, RUS), "Observation")]
    assert NEW not in notes


@pytest.mark.parametrize(("how", "counts"), [
    ("/$everything", True), ("/$document", True), ("", False), ("/$everything?_count=2", False),
    ("/$everything?_type=Goal", False),
])  # fmt: skip
def test_what_is_read_whole_over_rest_is_had(
    planned: World, plan: str, how: str, counts: bool
) -> None:
    """A system that keeps no version takes in version 2 by reading it, and writes on that."""
    send(planned, PSYK, noting(copy_for(planned.hub, plan, PSYK), NEW))
    assert planned.get(f"/fhir/CarePlan/{plan}{how}", RUS).status_code == 200
    mine = noting(without_base(copy_for(planned.hub, plan, RUS)), OTHER)
    answer = send(planned, RUS, mine)
    assert ("Changed by another as well" in texts(answer)) == (not counts)
    assert head(planned, plan) == (3 if counts else 2)


def test_what_the_lead_wrote_last_is_what_it_had(planned: World, plan: str) -> None:
    """It goes on from its own document, whether or not the hub's copy has reached it."""
    for title in ("Planen efter mødet", "Planen efter andet møde"):
        answer = planned.post("/documents/fhir", RUS, changed_plan(title=title))
        assert "Merged" not in texts(answer)
    assert care_plan(says(planned, plan, RUS))["title"] == "Planen efter andet møde"
    assert waiting(planned, RUS) == []


# In another format


def as_xml(world: World, plan: str, who: str) -> bytes:
    """The plan as the paper template in XML, as a receiver of that format gets it."""
    hub = world.hub
    with hub.store.reading() as work:
        found = work.plans.get(plan, SYSTEM, hub.clock())
        assert found is not None
        directory = work.parties.directory()
        state = plan_state(work, found, directory, hub.clock())
        reduced = build_view(work, state, found.head, who, hub.clock())
    party = directory.get(who)
    assert reduced is not None
    assert party is not None
    context = hub.context(directory, party, f"{who}/{plan}")
    return hub.adapters.adapter("ki-plan-xml").render(reduced.view, party, context).body


@pytest.mark.parametrize("who", [RUS, PSYK])
def test_a_format_that_cannot_say_everything_changes_nothing_it_cannot_say(
    planned: World, plan: str, who: str
) -> None:
    before = shared_part(planned, plan)
    body = as_xml(planned, plan, who)
    answer = planned.post("/documents/ki-plan-xml", who, body)
    assert answer.status_code == 200, answer.text
    assert "Nothing new" in texts(answer)
    assert (shared_part(planned, plan), waiting(planned, RUS)) == (before, [])
    old = b"Faste holdepunkter i ugen"
    assert body.count(old) == 1
    answer = planned.post("/documents/ki-plan-xml", who, body.replace(old, NEW.encode()))
    assert answer.status_code == 200, answer.text
    after = shared_part(planned, plan)
    if who == RUS:
        (goal,) = (k for k, r in before.items() if r != after[k])
        assert after[goal] == before[goal] | {"description": {"text": NEW}}
    else:
        assert after == before
        assert [r["about"].split("/")[0] for r in waiting(planned, RUS)] == ["goal"]

"""Operators resend, send anew, skip and cancel: exactly what they saw, in order, and lawfully."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hub.contract import Receipt
from hub.model.party import SYSTEM, Subscription
from hub.runtime.bootstrap import close
from hub.services import admin, mailbox
from hub.services.admin import PartyEntry, apply_parties
from hub.services.operate import many
from hub.store.operating import Wanted
from tests.api.in_hand import claimed, sent
from tests.api.operating import WHY, ask, audited, done, look, why_not
from tests.api.world import (
    GP,
    KOORD_OTHER,
    KOORD_OWN,
    OPERATOR,
    OPERATOR_VIEW,
    PSYK,
    RUS,
    SOCIAL,
    World,
    changed_plan,
    opened,
    problem,
)


def body_of(world: World, delivery: str) -> bytes:
    with world.hub.store.reading() as work:
        found = work.deliveries.get(delivery, SYSTEM, body=True)
    assert found is not None
    assert found.body is not None
    return found.body


def dead(world: World, receiver: str) -> dict[str, Any]:
    """The receiver refuses what it was sent."""
    found = world.delivery(receiver)
    assert world.receipt(found["delivery"], receiver, "permanent").status_code == 200
    return world.delivery(receiver)


def newest(world: World, receiver: str) -> dict[str, Any]:
    mine = [d for d in world.deliveries() if d["receiver"] == receiver]
    return max(mine, key=lambda d: (d["version"], d["sequence"] or 99))


def tasks(world: World) -> list[tuple[str, str | None]]:
    with world.hub.store.reading() as work:
        return [(t.kind, t.delivery_id) for t in work.journal.tasks(SYSTEM)]


# Resend


def test_a_resend_is_the_same_message_under_the_same_id_and_number(planned: World) -> None:
    first = dead(planned, PSYK)
    bytes_sent = body_of(planned, first["delivery"])
    assert ("dead", first["delivery"]) in tasks(planned)
    action = done(planned, "resend", deliveries=[first["delivery"]])
    assert (action["done"], action["refused"]) == (1, 0)
    again = planned.delivery(PSYK)
    assert (again["state"], again["sequence"]) == ("sent", first["sequence"])
    assert body_of(planned, first["delivery"]) == bytes_sent
    assert planned.letters(PSYK) == [first["delivery"]]
    assert ("dead", first["delivery"]) not in tasks(planned)
    assert planned.receipt(first["delivery"], PSYK).status_code == 200
    assert planned.delivery(PSYK)["state"] == "delivered"


def test_what_was_received_is_put_in_the_mailbox_once_more(planned: World) -> None:
    first = planned.delivery(PSYK)
    assert planned.receipt(first["delivery"], PSYK).status_code == 200
    assert planned.letters(PSYK) == []
    done(planned, "resend", deliveries=[first["delivery"]])
    assert planned.letters(PSYK) == [first["delivery"]]
    assert planned.delivery(PSYK)["state"] == "sent"


def test_the_audit_has_one_row_for_the_action_and_one_for_each_delivery(planned: World) -> None:
    first = dead(planned, PSYK)
    action = done(planned, "resend", deliveries=[first["delivery"]])
    (whole,) = audited(planned, "operate")
    (one,) = audited(planned, "resend")
    assert whole["object"] == f"action/{action['action']}"
    assert whole["detail"] == "resend: 1 of 1"
    assert action["action"] in one["detail"]
    assert first["delivery"] in one["detail"]
    assert {r["reason"] for r in (whole, one)} == {WHY}
    assert {r["actor"] for r in (whole, one)} == {"Drift Demo"}
    (last, *_) = [e for e in planned.delivery(PSYK)["history"] if e["state"] == "retry_at"]
    assert last["by"] == "Drift Demo"


def test_an_overtaken_one_is_not_sent_after_the_newer_one(planned: World) -> None:
    first = dead(planned, PSYK)
    planned.clock.advance(minutes=1)
    planned.publish_plan(changed_plan(title="Ny titel"))
    planned.work()
    newer = newest(planned, PSYK)
    assert newer["version"] > first["version"]
    told = why_not(planned, "resend", first["delivery"])
    assert told == f"Version {newer['version']} has taken its place; send that one"
    planned.receipt(newer["delivery"], PSYK)
    assert why_not(planned, "resend", first["delivery"]) == told


def test_a_receiver_of_every_version_gets_it_by_its_old_number(planned: World) -> None:
    with planned.hub.store.reading() as work:
        known = work.parties.get(PSYK)
    assert known is not None
    format_ = planned.delivery(PSYK)["format"]
    wanted = replace(known, subscriptions=(Subscription(format_, versions="every-version"),))
    apply_parties(planned.hub, [PartyEntry(wanted)], [], "pdf", by="x")
    first = dead(planned, PSYK)
    planned.clock.advance(minutes=1)
    planned.publish_plan(changed_plan(title="Ny titel"))
    planned.work()
    newer = newest(planned, PSYK)
    assert "waits or is on its way" in why_not(planned, "resend", first["delivery"])
    planned.receipt(newer["delivery"], PSYK)
    done(planned, "resend", deliveries=[first["delivery"]])
    (letter,) = planned.get("/mailbox", PSYK).json()
    assert letter["delivery"] == first["delivery"]
    assert letter["sequence"] == first["sequence"] < newer["sequence"]


def test_what_the_citizen_no_longer_permits_is_refused_with_the_reason(
    planned: World, plan: str
) -> None:
    first = dead(planned, PSYK)
    seen = look(planned, "resend", deliveries=[first["delivery"]])
    assert seen["count"] == 1
    withdraw(planned)
    told = why_not(planned, "resend", first["delivery"])
    assert "consent" in told
    assert why_not(planned, "send-anew", first["delivery"])
    problem(ask(planned, "resend", seen["token"], deliveries=[first["delivery"]]), 412)
    planned.work()
    assert planned.delivery(PSYK)["state"] == "dead"


def withdraw(world: World) -> None:
    consents = world.request("POST", "/fhir/Consent/_search", RUS).json()["entry"]
    given = next(
        e["resource"]
        for e in consents
        if e["resource"]["scope"]["coding"][0]["code"] != "treatment"
    )
    gone = given | {"status": "inactive"}
    answer = world.request(
        "PUT", f"/fhir/Consent/{given['id']}", RUS, json=gone,
        headers={"If-Match": f'W/"{given["meta"]["versionId"]}"'},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text


def test_what_changes_between_the_look_and_its_turn_is_decided_on_again(planned: World) -> None:
    first = dead(planned, PSYK)
    wanted = {"deliveries": [first["delivery"]]}
    answer = ask(planned, "resend", look(planned, "resend", **wanted)["token"], **wanted)
    withdraw(planned)
    planned.work()
    action = planned.get(answer.headers["Location"], OPERATOR).json()
    assert (action["done"], action["refused"]) == (0, 1)
    assert "consent" in action["deliveries"][0]["told"]
    assert planned.copies(PSYK) == []
    assert [r["outcome"] for r in audited(planned, "resend")] == ["refused"]


# Send anew


def test_anew_is_another_message_and_the_old_one_stays_as_it_was(planned: World) -> None:
    first = dead(planned, PSYK)
    action = done(planned, "send-anew", deliveries=[first["delivery"]])
    (item,) = action["deliveries"]
    made = newest(planned, PSYK)
    assert item["told"] == made["delivery"] != first["delivery"]
    assert (made["state"], made["version"]) == ("sent", first["version"])
    assert made["sequence"] == first["sequence"] + 1
    states = {d["delivery"]: d["state"] for d in planned.deliveries()}
    assert states[first["delivery"]] == "dead"
    assert ("dead", first["delivery"]) not in tasks(planned)
    assert why_not(planned, "resend", first["delivery"]) == "Another was made in its place"
    # Nothing more comes of it by itself.
    planned.clock.advance(days=1)
    planned.work()
    assert newest(planned, PSYK)["delivery"] == made["delivery"]


def test_anew_makes_the_version_that_is_current(planned: World) -> None:
    first = dead(planned, PSYK)
    planned.clock.advance(minutes=1)
    planned.publish_plan(changed_plan(title="Ny titel"))
    planned.work()
    newer = newest(planned, PSYK)
    told = why_not(planned, "send-anew", first["delivery"])
    assert told == f"Version {newer['version']} is on its way to this receiver"
    planned.receipt(newer["delivery"], PSYK)
    done(planned, "send-anew", deliveries=[first["delivery"]])
    made = newest(planned, PSYK)
    assert made["delivery"] not in {first["delivery"], newer["delivery"]}
    assert made["version"] == newer["version"]
    assert made["sequence"] > newer["sequence"]


def test_anew_asks_the_citizen_s_approval_again(planned: World, plan: str) -> None:
    """The GP's copy waits for it; there is nothing else for the GP to have."""
    waits = planned.delivery(GP)
    assert waits["state"] == "blocked"
    assert "approval" in why_not(planned, "send-anew", waits["delivery"])


# Skip and cancel


def test_what_is_skipped_is_not_sent_with_the_reason_and_its_task_is_done(planned: World) -> None:
    waits = planned.delivery(GP)
    assert waits["delivery"] in [d for _, d in tasks(planned)]
    done(planned, "skip", deliveries=[waits["delivery"]])
    found = planned.delivery(GP)
    assert (found["state"], found["reason"]) == (
        "not_sent", f"A person decided not to send it: {WHY}",
    )  # fmt: skip
    assert waits["delivery"] not in [d for _, d in tasks(planned)]


def test_what_is_skipped_stays_so_until_an_operator_sends_it_anew(
    planned: World, plan: str
) -> None:
    done(planned, "skip", deliveries=[planned.delivery(GP)["delivery"]])
    assert planned.approve(plan, version=planned.delivery(PSYK)["version"]).status_code == 201
    planned.work()
    skipped = planned.delivery(GP)
    assert skipped["state"] == "not_sent"
    action = done(planned, "send-anew", deliveries=[skipped["delivery"]])
    told = action["deliveries"][0]["told"]
    (made,) = [d for d in planned.deliveries() if d["delivery"] == told]
    assert (made["state"], made["version"]) == ("sent", skipped["version"])


def test_what_is_cancelled_is_not_made_again_by_itself(planned: World) -> None:
    admin.pause(planned.hub, PSYK, by="x", reason="y")
    planned.clock.advance(minutes=1)
    planned.publish_plan(changed_plan(title="Ny titel"))
    due = newest(planned, PSYK)
    assert due["state"] == "due"
    done(planned, "cancel", deliveries=[due["delivery"]])
    admin.resume(planned.hub, PSYK, by="x", reason="y")
    planned.approve(planned.delivery(GP, version=1)["plan"], version=1)
    planned.work()
    found = newest(planned, PSYK)
    assert (found["delivery"], found["state"]) == (due["delivery"], "cancelled")
    assert found["reason"] == f"A person cancelled it: {WHY}"


def test_a_failed_one_that_may_have_left_is_left_so_and_not_called_unsent(planned: World) -> None:
    first = dead(planned, PSYK)
    done(planned, "skip", deliveries=[first["delivery"]])
    found = planned.delivery(PSYK)
    assert (found["state"], found["reason"]) == (
        "dead", f"A person decided to leave it so: {WHY}",
    )  # fmt: skip
    assert ("dead", first["delivery"]) not in tasks(planned)


def test_the_citizen_s_own_copy_and_a_notice_are_not_held_back(planned: World) -> None:
    own = planned.delivery("citizen")
    assert "citizen's own copy" in why_not(planned, "skip", own["delivery"])
    admin.pause(planned.hub, PSYK, by="x", reason="y")
    withdraw(planned)
    rows = planned.get(f"/operations/deliveries?receiver={PSYK}&state=due", OPERATOR).json()
    (notice,) = [d for d in rows if d["notice"]]
    for act in ("skip", "cancel"):
        assert "must know" in why_not(planned, act, notice["delivery"])


# Many


def test_many_by_filter_and_what_is_refused_is_listed_and_left_alone(planned: World) -> None:
    first, own = dead(planned, PSYK), planned.delivery("citizen")
    seen = look(planned, "resend", plan=first["plan"])
    refused = {d["delivery"]: d["refused"] for d in seen["deliveries"]}
    assert refused[first["delivery"]] is None
    assert refused[own["delivery"]]
    assert seen["count"] + seen["refused"] == len(planned.deliveries())
    assert sum(seen["refused_because"].values()) == seen["refused"]
    action = done(planned, "resend", plan=first["plan"])
    assert (action["done"], action["refused"]) == (seen["count"], seen["refused"])


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"receiver": PSYK}, 1),
        ({"receiver": PSYK, "state": "due"}, 0),
        ({"format": "no-such"}, 0),
        ({"state": "blocked"}, 2),
        ({"because": "APPROVAL", "state": "blocked"}, 1),
        ({"because": "100%"}, 0),
        ({"since": "2026-09-20T09:00:00Z", "until": "2026-09-20T09:30:00Z"}, 0),
        ({"since": "2026-09-20T09:00:00Z", "receiver": PSYK}, 1),
    ],
)
def test_the_filter(looking: World, wanted: dict[str, str], found: int) -> None:
    seen = look(looking, "cancel", **wanted)
    assert seen["count"] + seen["refused"] == found


@pytest.fixture(scope="module")
def looking(plan_template: Any, tmp_path_factory: pytest.TempPathFactory) -> World:
    """For those that change nothing."""
    made: World = plan_template.copy(tmp_path_factory.mktemp("looking") / "data")
    return made


def test_nothing_is_done_to_all_there_are_or_without_a_reason(looking: World) -> None:
    post = looking.request
    url = "/operations/deliveries/preview"
    problem(post("POST", url, OPERATOR, json={"act": "cancel"}), 422)
    problem(
        post("POST", url, OPERATOR, json={"act": "cancel", "since": "2026-09-20T09:00:00"}), 422
    )
    seen = look(looking, "cancel", state="blocked")
    problem(ask(looking, "cancel", seen["token"], " ", state="blocked"), 422)
    named = ask(looking, "cancel", seen["token"], "Om 0201609996", state="blocked")
    assert "number" in problem(named, 422)[0]["details"]["text"]
    problem(ask(looking, "cancel", "another", state="blocked"), 412)
    assert looking.get("/operations/actions", OPERATOR).json() == []


def test_a_crash_in_the_middle_is_gone_on_with_and_nothing_is_done_twice(planned: World) -> None:
    for receiver in (PSYK, SOCIAL, KOORD_OWN):
        dead(planned, receiver)
    made = many.begin(
        planned.hub, OPERATOR_VIEW, "resend", Wanted(state="dead"), reason=WHY, expect=3
    )
    assert many.advance(planned.hub, made, at_most=1) == 1
    half = many.action_row(planned.hub, OPERATOR_VIEW, made)
    assert (half["done"], half["waits"], half["done_at"]) == (1, 2, None)
    planned.work()
    whole = many.action_row(planned.hub, OPERATOR_VIEW, made)
    assert (whole["done"], whole["waits"]) == (3, 0)
    assert len(audited(planned, "resend")) == 3
    assert {planned.delivery(r)["state"] for r in (PSYK, SOCIAL, KOORD_OWN)} == {"sent"}


# Pause


@pytest.mark.parametrize("again", [False, True])
def test_a_pause_stops_what_is_claimed_and_not_yet_sent(planned: World, again: bool) -> None:
    """Between the claim and the freezing; first-time documents and frozen ones alike."""
    if again:
        planned.receipt(planned.delivery(PSYK)["delivery"], PSYK, "transient")
        planned.clock.advance(hours=1)
    else:
        planned.clock.advance(minutes=1)
        planned.publish_plan(changed_plan(title="Ny titel"))
        with planned.hub.store.reading() as work:
            letters = [m.key for m in work.queues.waiting(f"party.{PSYK}.deliveries")]
        mailbox.receipt(planned.hub, party(planned), Receipt(letters[0], "ok"))
        many_rounds(planned)
    taken = claimed(planned, "w")
    waits = newest(planned, PSYK)
    assert waits["delivery"] in taken
    admin.pause(planned.hub, PSYK, by="x", reason="y")
    sent(planned, waits["delivery"], "w")
    stopped = newest(planned, PSYK)
    assert (stopped["state"], stopped["attempts"]) == (waits["state"], waits["attempts"])
    admin.resume(planned.hub, PSYK, by="x", reason="y")
    planned.work()
    assert newest(planned, PSYK)["state"] == "sent"


def test_a_pause_survives_a_restart(plan_template: Any, tmp_path: Path) -> None:
    first = plan_template.copy(tmp_path / "data")
    admin.pause(first.hub, PSYK, by="Drift", reason="Flytter postkasse")
    close(first.hub)
    world = opened(tmp_path / "data", plan_template.secrets)
    world.clock.advance(minutes=1)
    world.publish_plan(changed_plan(title="Ny titel"))
    world.work()
    assert newest(world, PSYK)["state"] == "due"
    (row,) = audited(world, "pause")
    assert (row["actor"], row["reason"]) == ("Drift", "Flytter postkasse")
    close(world.hub)


def party(world: World) -> Any:
    with world.hub.store.reading() as work:
        found = work.parties.get(PSYK)
    assert found is not None
    return found.party


def many_rounds(world: World) -> None:
    """The citizen's own copy is made before anybody's."""
    first = claimed(world, "first")
    for one in first:
        if newest(world, PSYK)["delivery"] != one:
            sent(world, one, "first")
    with world.hub.store.writing() as work:
        for one in first:
            work.deliveries.release(one)
        work.commit()


def test_others_receive_while_one_is_paused(planned: World) -> None:
    assert planned.delivery(KOORD_OTHER)["state"] == "blocked"
    admin.pause(planned.hub, PSYK, by="x", reason="y")
    planned.receipt(planned.delivery(SOCIAL)["delivery"], SOCIAL)
    planned.clock.advance(minutes=1)
    planned.publish_plan(changed_plan(title="Ny titel"))
    planned.work()
    assert newest(planned, SOCIAL)["state"] == "sent"
    assert newest(planned, PSYK)["state"] == "due"

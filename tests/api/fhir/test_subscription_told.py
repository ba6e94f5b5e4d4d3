"""Being told of changes: what is sent, to whom, in which order, and what never is."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from hub.fhir import names
from hub.model.party import SYSTEM
from hub.model.subscription import CONSENT_CHANGE
from hub.services.had import known_version
from hub.services.state import plan_state
from hub.services.subscription_events import number_due
from tests.api.fhir.subscription_world import (
    SECRET,
    create,
    publish,
    put,
    state,
    subscribed,
    subscription,
)
from tests.api.world import (
    CONSENT_1,
    GP,
    KOORD_OTHER,
    OPERATOR,
    PLAN_1,
    PSYK,
    RUS,
    SOCIAL,
    World,
)
from tests.servers.hook import Got, Hook, said

BASE = "http://127.0.0.1:8080/fhir"


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as found:
        yield found


def withdrawn() -> bytes:
    return json.dumps(json.loads(CONSENT_1) | {"status": "inactive"}).encode()


def test_the_endpoint_answers_before_anything_is_told(planned: World, hook: Hook) -> None:
    answer = create(planned, PSYK, subscription(hook.url))
    assert answer.status_code == 201
    assert answer.json()["status"] == "requested"
    made = answer.json()["id"]
    assert answer.headers["Location"] == f"{BASE}/Subscription/{made}/_history/1"
    planned.work()

    (greeting,) = hook.got
    assert greeting.kind == "handshake"
    assert greeting.status["status"] == "requested"
    assert greeting.status["events-since-subscription-start"] == "0"
    assert greeting.status["subscription"] == {"reference": f"{BASE}/Subscription/{made}"}
    assert greeting.headers["content-type"] == "application/fhir+json"
    assert greeting.headers["authorization"] == SECRET
    assert state(planned, made)["status"] == "active"


def test_a_change_is_told_by_id_and_nothing_else(planned: World, hook: Hook, plan: str) -> None:
    subscribed(planned, hook)
    publish(planned, RUS, 2)
    planned.work()

    (event,) = hook.of("event-notification")
    assert event.number == 1
    assert event.focus == f"{BASE}/CarePlan/{plan}"
    bundle = event.bundle
    assert bundle["type"] == "history"
    assert bundle["entry"][0]["request"]["url"].endswith("/$status")
    assert [e["request"] for e in bundle["entry"][1:]] == [
        {"method": "PUT", "url": f"CarePlan/{plan}"}
    ]
    assert "resource" not in bundle["entry"][1]
    assert planned.get(f"/fhir/CarePlan/{plan}", PSYK).json()["description"] == "Udgave 2"


def test_what_a_notification_held_is_what_its_party_had(
    planned: World, hook: Hook, plan: str
) -> None:
    """A document that names no version is written on what the party was last told in full."""

    def had() -> int | None:
        with planned.hub.store.reading() as work:
            found = work.plans.get(plan, SYSTEM, planned.clock())
            assert found is not None
            state = plan_state(work, found, work.parties.directory(), planned.clock())
            sender = state.member(PSYK)
            assert sender is not None
            return known_version(planned.hub, work, state, sender.party, None)

    assert had() == 1
    subscribed(planned, hook)
    publish(planned, RUS, 2)
    planned.work()
    assert had() == 1, "told by id alone"
    subscribed(planned, hook, content="full-resource")
    publish(planned, RUS, 3)
    planned.work()
    assert had() == 3


def test_what_was_there_before_is_no_event(planned: World, hook: Hook) -> None:
    subscribed(planned, hook)
    assert hook.of("event-notification") == []


def test_a_party_without_a_part_is_told_nothing(planned: World, hook: Hook) -> None:
    made = subscribed(planned, hook, who=KOORD_OTHER)
    publish(planned, RUS, 2)
    planned.work()
    assert hook.of("event-notification") == []
    found = planned.get(f"/fhir/Subscription/{made}/$status", KOORD_OTHER).json()
    status = said(found["entry"][0]["resource"])
    assert status["events-since-subscription-start"] == "0"


def test_the_gp_is_told_when_the_citizen_has_approved(
    planned: World, hook: Hook, plan: str
) -> None:
    subscribed(planned, hook, who=GP)
    publish(planned, RUS, 2)
    planned.work()
    assert hook.of("event-notification") == []
    assert planned.approve(plan, 2).status_code == 201
    planned.work()
    (event,) = hook.of("event-notification")
    assert (event.number, event.focus) == (1, f"{BASE}/CarePlan/{plan}")


def test_what_is_due_is_cancelled_when_consent_is_withdrawn(
    planned: World, hook: Hook, plan: str
) -> None:
    made = subscribed(planned, hook)
    publish(planned, RUS, 2)
    assert planned.consent(withdrawn()).status_code == 200
    planned.work()
    assert hook.of("event-notification") == []
    found = planned.get(f"/fhir/Subscription/{made}/$status", PSYK).json()
    assert said(found["entry"][0]["resource"])["events-since-subscription-start"] == "0"

    planned.clock.advance(minutes=1)
    given = json.loads(CONSENT_1) | {"dateTime": planned.clock().isoformat()}
    assert planned.consent(json.dumps(given).encode()).status_code == 201
    planned.work()
    assert [e.number for e in hook.of("event-notification")] == [1], "told once it may be known"


def test_numbers_have_no_gaps_and_come_in_order(planned: World, hook: Hook) -> None:
    subscribed(planned, hook)
    for number in range(2, 6):
        publish(planned, RUS, number)
    planned.work()
    assert [e.number for e in hook.of("event-notification")] == [1, 2, 3, 4]
    assert [e.headers["ki-sequence"] for e in hook.of("event-notification")] == ["1", "2", "3", "4"]


def test_an_endpoint_that_answers_is_heard_of(planned: World, hook: Hook) -> None:
    subscribed(planned, hook)
    with planned.hub.store.reading() as work:
        assert work.standing.heard()[PSYK] == planned.clock()


def test_empty_says_that_something_changed_and_no_more(planned: World, hook: Hook) -> None:
    subscribed(planned, hook, content="empty")
    publish(planned, RUS, 2)
    planned.work()
    (event,) = hook.of("event-notification")
    assert (event.number, event.focus, len(event.bundle["entry"])) == (1, None, 1)
    assert "topic" not in event.status


def test_in_full_is_the_view_the_party_may_read(planned: World, hook: Hook, plan: str) -> None:
    subscribed(planned, hook, content="full-resource")
    publish(planned, RUS, 2)
    planned.work()
    (event,) = hook.of("event-notification")
    sent = {e["fullUrl"]: e["resource"] for e in event.bundle["entry"][1:]}
    whole = planned.get(f"/fhir/CarePlan/{plan}", PSYK).json()
    assert sent[f"{BASE}/CarePlan/{plan}"] == whole
    for url, resource in sent.items():
        read = planned.get(f"/fhir/{url.removeprefix(BASE + '/')}", PSYK)
        assert read.json() == resource


def test_a_notification_may_be_xml(planned: World, hook: Hook, plan: str) -> None:
    subscribed(planned, hook, payload="application/fhir+xml")
    publish(planned, RUS, 2)
    planned.work()
    (event,) = hook.of("event-notification")
    assert event.headers["content-type"] == "application/fhir+xml"
    assert event.focus == f"{BASE}/CarePlan/{plan}"


def test_a_filter_narrows(planned: World, hook: Hook, plan: str) -> None:
    patient = planned.get(f"/fhir/CarePlan/{plan}", PSYK).json()["subject"]["reference"]
    other = create(planned, PSYK, subscription(hook.url, filters=("CarePlan?patient=Patient/x",)))
    assert other.status_code == 201
    subscribed(
        planned, hook, filters=(f"CarePlan?patient={BASE}/{patient}", f"CarePlan?_id={plan}")
    )
    publish(planned, RUS, 2)
    planned.work()
    assert [e.status["subscription"] != {"reference": f"{BASE}/Subscription/{other.json()['id']}"}
            for e in hook.of("event-notification")] == [True]  # fmt: skip


def test_consents_are_told_to_those_who_may_know(planned: World, hook: Hook) -> None:
    with Hook() as others:
        subscribed(planned, hook, who=RUS, topic=CONSENT_CHANGE)
        subscribed(planned, others, who=SOCIAL, topic=CONSENT_CHANGE)
        assert planned.consent(withdrawn()).status_code == 200
        planned.work()
        (event,) = hook.of("event-notification")
        assert event.focus is not None
        assert "/Consent/" in event.focus
        assert others.of("event-notification") == []


def test_a_message_is_answered(planned: World, hook: Hook, plan: str) -> None:
    hook.answer = json.dumps({
        "resourceType": "Bundle", "type": "message", "entry": [{"resource": {
            "resourceType": "MessageHeader", "response": {"identifier": "x", "code": "ok"}}}],
    }).encode()  # fmt: skip
    subscribed(planned, hook, type="message")
    publish(planned, RUS, 2)
    planned.work()
    (event,) = hook.of("event-notification")
    assert event.path == "/told/$process-message"
    message = json.loads(event.body)
    header = message["entry"][0]["resource"]
    assert header["resourceType"] == "MessageHeader"
    assert header["focus"] == [{"reference": message["entry"][1]["fullUrl"]}]
    assert event.focus == f"{BASE}/CarePlan/{plan}"


def test_a_message_refused_in_its_answer_is_an_error(planned: World, hook: Hook) -> None:
    hook.answer = json.dumps({
        "resourceType": "Bundle", "type": "message", "entry": [{"resource": {
            "resourceType": "MessageHeader", "response": {"code": "fatal-error"}}}],
    }).encode()  # fmt: skip
    answer = create(planned, PSYK, subscription(hook.url, type="message"))
    planned.work()
    assert state(planned, answer.json()["id"])["status"] == "error"


def test_without_an_answer_it_ends_in_error_and_may_be_asked_for_again(
    planned: World, hook: Hook
) -> None:
    hook.code = 503
    made = create(planned, PSYK, subscription(hook.url)).json()["id"]
    for _ in range(20):
        planned.work()
        planned.clock.advance(hours=1)
    assert len(hook.got) == planned.hub.retry.attempts
    assert len({g.body for g in hook.got}) == 1, "the same bytes each time"
    broken = state(planned, made)
    assert broken["status"] == "error"
    assert "503" in broken["error"]
    assert ("subscription-error", None) in planned.tasks(PSYK)

    hook.code = 200
    asked = {k: v for k, v in broken.items() if k != "error"} | {"status": "requested"}
    assert put(planned, PSYK, asked).status_code == 200
    planned.work()
    mended = state(planned, made)
    assert (mended["status"], mended.get("error")) == ("active", None)
    assert ("subscription-error", None) not in planned.tasks(PSYK)


def test_events_missed_while_in_error_are_numbered_and_can_be_fetched(
    planned: World, hook: Hook, plan: str
) -> None:
    made = subscribed(planned, hook)
    hook.code = 400
    publish(planned, RUS, 2)
    publish(planned, RUS, 3)
    planned.work()
    assert state(planned, made)["status"] == "error"
    url = f"/fhir/Subscription/{made}/$events?eventsSinceNumber=1&eventsUntilNumber=2"
    bundle = planned.get(url, PSYK).json()
    status = said(bundle["entry"][0]["resource"])
    assert status["type"] == "query-event"
    assert [e["event-number"] for e in status["notification-event"]] == ["1", "2"]
    assert {e["focus"]["reference"] for e in status["notification-event"]} == {
        f"{BASE}/CarePlan/{plan}"
    }
    hook.code = 200
    asked = {k: v for k, v in state(planned, made).items() if k != "error"}
    put(planned, PSYK, asked | {"status": "active"})
    planned.work()
    greeting = hook.of("handshake")[-1]
    assert greeting.status["events-since-subscription-start"] == "2"
    assert hook.of("event-notification")[-1].number == 2, "what waited is told after the handshake"


def test_past_events_are_decided_on_anew(planned: World, hook: Hook, plan: str) -> None:
    made = subscribed(planned, hook)
    publish(planned, RUS, 2)
    planned.work()
    assert planned.consent(withdrawn()).status_code == 200
    bundle = planned.get(f"/fhir/Subscription/{made}/$events?content=full-resource", PSYK).json()
    assert len(bundle["entry"]) == 1
    assert said(bundle["entry"][0]["resource"])["notification-event"] == [{"event-number": "1"}]
    assert plan not in json.dumps(bundle)


def test_a_heartbeat_when_nothing_else_was_sent(planned: World, hook: Hook) -> None:
    subscribed(planned, hook, heartbeat=60)
    planned.clock.advance(seconds=59)
    planned.work()
    assert hook.of("heartbeat") == []
    planned.clock.advance(seconds=2)
    planned.work()
    (beat,) = hook.of("heartbeat")
    assert beat.number is None
    planned.clock.advance(seconds=600)
    planned.work()
    assert len(hook.of("heartbeat")) == 2, "one for the whole silence"
    publish(planned, RUS, 2)
    planned.work()
    planned.clock.advance(seconds=30)
    planned.work()
    assert len(hook.of("heartbeat")) == 2


def test_a_paused_partys_subscriptions_rest(planned: World, hook: Hook) -> None:
    subscribed(planned, hook)
    body = {"reason": "Deres system er nede"}
    planned.request("POST", f"/operations/parties/{PSYK}/pause", OPERATOR, json=body)
    publish(planned, RUS, 2)
    planned.work()
    assert hook.of("event-notification") == []
    planned.request("POST", f"/operations/parties/{PSYK}/resume", OPERATOR, json=body)
    planned.work()
    assert [e.number for e in hook.of("event-notification")] == [1]


def test_telling_is_audited_before_it_happens(planned: World, hook: Hook, plan: str) -> None:
    subscribed(planned, hook)
    publish(planned, RUS, 2)
    planned.work()
    (event,) = hook.of("event-notification")
    with planned.hub.store.reading() as work:
        rows = work.journal.audit_of(f"CarePlan/{plan}")
    told = [r for r in rows if r["detail"] == f"delivery/{event.headers['ki-delivery']}"]
    assert [(r["action"], r["outcome"], r["party"]) for r in told] == [
        ("disclose", "success", PSYK)
    ]
    assert told[0]["basis"].startswith("consent/")


def test_the_end_of_its_time_turns_it_off(planned: World, hook: Hook) -> None:
    end = planned.clock.now.replace(hour=23)
    answer = create(planned, PSYK, subscription(hook.url) | {"end": end.isoformat()})
    planned.work()
    planned.clock.advance(days=1)
    planned.work()
    assert state(planned, answer.json()["id"])["status"] == "off"
    publish(planned, RUS, 2)
    planned.work()
    assert hook.of("event-notification") == []


def test_a_notification_is_settled_by_nothing_else(planned: World, hook: Hook) -> None:
    subscribed(planned, hook)
    hook.code = 503
    publish(planned, RUS, 2)
    planned.work()
    key = hook.of("event-notification")[0].headers["ki-delivery"]
    assert planned.receipt(key, PSYK).status_code == 404
    lead = planned.act(key, "not-sent", RUS, postscript="Nej")
    assert lead.status_code == 404


def test_a_suspended_one_rests_until_the_operator_resumes_it(planned: World, hook: Hook) -> None:
    made = subscribed(planned, hook)
    why = {"reason": "For mange fejl"}
    url = f"/operations/subscriptions/{made}"
    assert planned.request("POST", f"{url}/suspend", OPERATOR, json=why).status_code == 200
    rests = state(planned, made)
    assert (rests["status"], rests["error"]) == ("off", "Suspended by the hub's operator")
    asked = {k: v for k, v in rests.items() if k != "error"} | {"status": "requested"}
    assert put(planned, PSYK, asked).json()["status"] == "off", "the party cannot undo it"
    publish(planned, RUS, 2)
    planned.work()
    assert [g.kind for g in hook.got] == ["handshake"]
    assert planned.get(url, OPERATOR).json()["events"] == 1, "kept meanwhile"
    assert planned.request("POST", f"{url}/resume", PSYK).status_code == 401
    assert planned.request("POST", f"{url}/resume", OPERATOR).status_code == 200
    planned.work()
    assert [g.kind for g in hook.got] == ["handshake", "handshake", "event-notification"]


def made_and_not_taken(world: World, hook: Hook) -> Got:
    """A notification with full resources, which the endpoint did not take."""
    subscribed(world, hook, content="full-resource")
    hook.code = 503
    publish(world, RUS, 2)
    world.work()
    (made,) = hook.of("event-notification")
    return made


def test_bytes_made_before_a_consent_was_narrowed_are_not_sent_again(
    planned: World, hook: Hook
) -> None:
    first = made_and_not_taken(planned, hook)
    narrowed = json.loads(CONSENT_1)
    for rule in narrowed["provision"]["provision"]:
        rule["securityLabel"] = [
            {"system": "https://ki-hub.example/fhir/CodeSystem/ki-section", "code": "psychiatry"}
        ]
    planned.clock.advance(minutes=1)
    assert planned.consent(withdrawn()).status_code == 200
    assert planned.consent(json.dumps(narrowed).encode()).status_code == 201
    hook.code = 200
    planned.clock.advance(hours=1)
    planned.work()
    first_again, *_ = hook.of("event-notification")[1:]
    assert first_again.number == 2, "made anew, smaller, as another event"
    assert len(first_again.bundle["entry"]) < len(first.bundle["entry"])
    assert first.body not in [g.body for g in hook.of("event-notification")[1:]]


def test_bytes_made_before_a_citizen_was_protected_are_not_sent_again(
    planned: World, hook: Hook
) -> None:
    first = made_and_not_taken(planned, hook)
    protected = json.loads(PLAN_1)
    for entry in protected["entry"]:
        if entry["resource"]["resourceType"] == "Patient":
            entry["resource"]["meta"] = {
                "security": [{"system": names.CONFIDENTIALITY, "code": "R"}]
            }
    planned.clock.advance(minutes=1)
    planned.publish_plan(json.dumps(protected).encode())
    hook.code = 200
    planned.clock.advance(hours=1)
    planned.work()
    assert hook.of("event-notification")[1:], "it is told of what there is now"
    assert first.body not in [g.body for g in hook.of("event-notification")[1:]]


def test_a_change_beside_the_making_of_the_subscription_is_not_missed(
    planned: World, hook: Hook, plan: str
) -> None:
    """On PostgreSQL a change may commit while neither transaction sees the other."""
    made = create(planned, PSYK, subscription(hook.url)).json()["id"]
    with planned.hub.store.writing() as work:
        work.subscriptions.see(made, f"CarePlan/{plan}", 0)
        work.commit()
    planned.work()
    assert [g.kind for g in hook.got] == ["handshake", "event-notification"]


def events_and_states(world: World, made: str) -> tuple[int, list[str]]:
    """How many were numbered, and what became of those that tell of something."""
    row = world.get(f"/operations/subscriptions/{made}", OPERATOR).json()
    told = [n["state"] for n in row["notifications"] if n["about"] == "CarePlan"]
    return row["events"], told


def test_withdrawing_cancels_at_once(planned: World, hook: Hook) -> None:
    made = subscribed(planned, hook)
    publish(planned, RUS, 2)
    assert planned.consent(withdrawn()).status_code == 200
    assert events_and_states(planned, made) == (0, ["cancelled"]), "before any worker looked"


def test_what_may_not_be_known_of_any_more_gets_no_number(planned: World, hook: Hook) -> None:
    made = subscribed(planned, hook)
    publish(planned, RUS, 2)
    planned.clock.advance(days=400)
    planned.work()
    assert events_and_states(planned, made) == (0, ["cancelled"]), "the consent had ended"
    assert hook.of("event-notification") == []


def test_what_may_not_be_known_of_when_it_is_sent_is_not_sent(planned: World, hook: Hook) -> None:
    made = subscribed(planned, hook)
    publish(planned, RUS, 2)
    assert number_due(planned.hub) == 1
    planned.clock.advance(days=400)
    planned.work()
    assert events_and_states(planned, made) == (1, ["cancelled"])
    assert hook.of("event-notification") == []


def test_what_was_sent_is_not_sent_again_after_consent_is_withdrawn(
    planned: World, hook: Hook
) -> None:
    made = subscribed(planned, hook)
    hook.code = 503
    publish(planned, RUS, 2)
    planned.work()
    assert events_and_states(planned, made) == (1, ["retry_at"])
    assert planned.consent(withdrawn()).status_code == 200
    hook.code = 200
    planned.clock.advance(hours=1)
    planned.work()
    assert events_and_states(planned, made) == (1, ["cancelled"])
    assert len(hook.of("event-notification")) == 1

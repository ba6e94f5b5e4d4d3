"""Subscription as a resource: one's own, validated, versioned, and never anyone else's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from hub.fhir.xml import to_xml
from hub.model.subscription import CONSENT_CHANGE, PLAN_CHANGE, PROFILE
from hub.services.subscription_admin import subscription_row, subscription_rows
from tests.api.fhir.subscription_world import (
    EXTENSION,
    SECRET,
    create,
    put,
    state,
    subscribed,
    subscription,
)
from tests.api.world import CPR_1, PSYK, RUS, World, problem
from tests.servers.hook import Hook, said

HERE = "http://127.0.0.1:9/told"


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as found:
        yield found


def channel(**changes: Any) -> dict[str, Any]:
    return subscription(changes.pop("endpoint", HERE), **changes)


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        (channel() | {"criteria": "Observation?code=x"}, "Subscription.criteria"),
        (channel() | {"status": "error"}, "Subscription.status"),
        (channel(type="websocket"), "Subscription.channel.type"),
        (channel(payload="text/plain"), "Subscription.channel.payload"),
        (channel(content="everything"), "Subscription.channel.payload.extension"),
        (channel(endpoint="https://example.org/told"), "Subscription.channel.endpoint"),
        (channel(endpoint="http://127.0.0.1.example.org/"), "Subscription.channel.endpoint"),
        (channel(endpoint="http://10.0.0.1/told"), "Subscription.channel.endpoint"),
        (channel(endpoint="http://127.0.0.1@example.org/"), "Subscription.channel.endpoint"),
        (channel(endpoint="file:///etc/passwd"), "Subscription.channel.endpoint"),
        (channel(endpoint=f"http://127.0.0.1/{CPR_1}"), "Subscription"),
        (channel(filters=(f"CarePlan?patient={CPR_1}",)), "Subscription"),
        (channel(filters=("CarePlan?category=x",)), "Subscription.criteria.extension"),
        (channel(filters=("Consent?patient=x",)), "Subscription.criteria.extension"),
        (channel(header=["Host: example.org"]), "Subscription.channel.header"),
        (channel(header=["ki-delivery: 1"]), "Subscription.channel.header"),
        (channel(heartbeat=0), "Subscription.channel.extension"),
    ],
)
def test_what_cannot_be_served_is_refused(
    planned: World, wrong: dict[str, Any], place: str
) -> None:
    issues = problem(create(planned, PSYK, wrong), 422)
    assert place in {i["expression"][0] for i in issues}
    assert CPR_1 not in json.dumps(issues)
    assert planned.get("/fhir/Subscription", PSYK).json()["total"] == 0


def test_hooks_go_where_the_operator_allows_and_the_refusal_says_so(planned: World) -> None:
    answer = create(planned, PSYK, channel(endpoint="https://example.org/told"))
    (issue,) = problem(answer, 422)
    assert "allowed" in issue["details"]["text"]


def test_every_finding_comes_at_once(planned: World) -> None:
    wrong = channel(type="email", payload="text/plain") | {"criteria": "x"}
    assert len(problem(create(planned, PSYK, wrong), 422)) == 3


def test_what_is_no_r4_is_refused(planned: World) -> None:
    without = {k: v for k, v in channel().items() if k != "reason"}
    (issue,) = problem(create(planned, PSYK, without), 422)
    assert issue["expression"] == ["Subscription.reason"]
    problem(create(planned, PSYK, channel() | {"channel": 7}), 422)
    problem(create(planned, PSYK, {"resourceType": "Basic"}), 400)


def test_the_level_of_content_is_said_where_it_was_left_to_the_hub(planned: World) -> None:
    made = create(planned, PSYK, channel()).json()
    said_ = {"url": f"{EXTENSION}payload-content", "valueCode": "id-only"}
    assert made["channel"]["_payload"]["extension"] == [said_]


def test_it_is_read_as_it_was_sent_by_its_owner_alone(planned: World) -> None:
    sent = channel(content="empty", heartbeat=600, filters=("CarePlan?patient=Patient/p-1",))
    made = create(planned, PSYK, sent).json()
    assert {k: v for k, v in made.items() if k not in {"id", "meta"}} == sent
    read = planned.get(f"/fhir/Subscription/{made['id']}", PSYK)
    assert (read.json(), read.headers["ETag"]) == (made, 'W/"1"')
    for method, path in [
        ("GET", ""), ("GET", "/_history"), ("GET", "/_history/1"), ("GET", "/$status"),
        ("GET", "/$events"), ("DELETE", ""),
    ]:  # fmt: skip
        answer = planned.request(method, f"/fhir/Subscription/{made['id']}{path}", RUS)
        problem(answer, 404)
    problem(put(planned, RUS, made), 404)
    assert planned.get("/fhir/Subscription", RUS).json()["total"] == 0


def test_it_may_be_written_and_read_as_xml(planned: World) -> None:
    headers = {"Content-Type": "application/fhir+xml"}
    body = to_xml(channel(content="empty"))
    answer = planned.request("POST", "/fhir/Subscription", PSYK, content=body, headers=headers)
    assert answer.status_code == 201
    read = planned.get(f"/fhir/Subscription/{answer.json()['id']}?_format=xml", PSYK)
    assert b"<Subscription" in read.content


def test_versions_follow_every_change_and_tell_of_the_end(planned: World, hook: Hook) -> None:
    made = subscribed(planned, hook)
    assert state(planned, made)["meta"]["versionId"] == "2", "requested, then active"
    first = planned.get(f"/fhir/Subscription/{made}/_history/1", PSYK).json()
    assert first["status"] == "requested"
    assert planned.request("DELETE", f"/fhir/Subscription/{made}", PSYK).status_code == 204
    assert planned.request("DELETE", f"/fhir/Subscription/{made}", PSYK).status_code == 204
    gone = planned.get(f"/fhir/Subscription/{made}", PSYK)
    assert problem(gone, 410)[0]["code"] == "deleted"
    entries = planned.get(f"/fhir/Subscription/{made}/_history", PSYK).json()["entry"]
    assert [e["request"]["method"] for e in entries] == ["DELETE", "PUT", "POST"]
    create(planned, PSYK, channel())
    all_ = planned.get("/fhir/Subscription/_history", PSYK).json()
    assert (all_["total"], len(all_["entry"])) == (4, 4)
    assert planned.get("/fhir/Subscription/_history", RUS).json()["total"] == 0
    assert planned.get("/fhir/Subscription", PSYK).json()["total"] == 1, "the other one"


def test_a_write_on_an_old_version_changes_nothing(planned: World, hook: Hook) -> None:
    made = subscribed(planned, hook)
    now = state(planned, made)
    other = now | {"reason": "Another"}
    problem(put(planned, PSYK, other, 'W/"1"'), 412)
    assert state(planned, made) == now
    assert put(planned, PSYK, other, 'W/"2"').status_code == 200
    assert state(planned, made)["reason"] == "Another"
    assert state(planned, made)["status"] == "active", "nothing of the channel changed"


def test_another_endpoint_must_answer_anew(planned: World, hook: Hook) -> None:
    made = subscribed(planned, hook)
    with Hook() as other:
        changed = state(planned, made)
        changed["channel"]["endpoint"] = other.url
        assert put(planned, PSYK, changed).json()["status"] == "requested"
        planned.work()
        assert [g.kind for g in other.got] == ["handshake"]
    assert len(hook.got) == 1


def test_off_is_silent_and_what_happened_meanwhile_is_no_event(planned: World, hook: Hook) -> None:
    made = subscribed(planned, hook, heartbeat=60)
    assert put(planned, PSYK, state(planned, made) | {"status": "off"}).status_code == 200
    planned.clock.advance(hours=1)
    planned.work()
    assert [g.kind for g in hook.got] == ["handshake"]
    put(planned, PSYK, state(planned, made) | {"status": "requested"})
    planned.work()
    assert [g.kind for g in hook.got] == ["handshake", "handshake"]


def test_search_is_over_ones_own(planned: World, hook: Hook) -> None:
    made = subscribed(planned, hook)
    create(planned, PSYK, channel(topic=CONSENT_CHANGE))
    for query, total in [
        ("", 2), ("?status=active", 1), ("?status=active,requested", 2), (f"?_id={made}", 1),
        (f"?url={hook.url}", 1), (f"?criteria={PLAN_CHANGE}", 1), ("?type=message", 0),
    ]:  # fmt: skip
        found = planned.get(f"/fhir/Subscription{query}", PSYK).json()
        assert found["total"] == total, query
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    posted = planned.request(
        "POST", "/fhir/Subscription/_search", PSYK, content=b"status=requested", headers=form
    )
    assert posted.json()["total"] == 1
    strict = {"Prefer": "handling=strict"}
    problem(planned.request("GET", "/fhir/Subscription?topic=x", PSYK, headers=strict), 400)


def test_status_of_all_and_of_one(planned: World, hook: Hook) -> None:
    made = subscribed(planned, hook)
    other = create(planned, PSYK, channel()).json()["id"]
    all_ = planned.get("/fhir/Subscription/$status", PSYK).json()
    assert (all_["type"], all_["total"]) == ("searchset", 2)
    one = planned.get(f"/fhir/Subscription/{made}/$status", PSYK).json()
    status = said(one["entry"][0]["resource"])
    assert (status["type"], status["status"]) == ("query-status", "active")
    by_id = planned.get(f"/fhir/Subscription/$status?id={other}", PSYK).json()
    assert said(by_id["entry"][0]["resource"])["status"] == "requested"
    body = json.dumps({
        "resourceType": "Parameters",
        "parameter": [{"name": "status", "valueCode": "active"}],
    }).encode()  # fmt: skip
    posted = planned.request("POST", "/fhir/Subscription/$status", PSYK, content=body,
                             headers={"Content-Type": "application/fhir+json"})  # fmt: skip
    assert posted.json()["total"] == 1


def test_events_are_asked_for_by_number(planned: World, hook: Hook) -> None:
    made = subscribed(planned, hook)
    for query in ("eventsSinceNumber=-1", "eventsUntilNumber=x", "content=all"):
        problem(planned.get(f"/fhir/Subscription/{made}/$events?{query}", PSYK), 400)


def test_the_capability_statement_tells_of_topics_and_operations(planned: World) -> None:
    statement = planned.get("/fhir/metadata").json()
    (found,) = [r for r in statement["rest"][0]["resource"] if r["type"] == "Subscription"]
    assert [e["valueCanonical"] for e in found["extension"]] == [PLAN_CHANGE, CONSENT_CHANGE]
    assert [o["name"] for o in found["operation"]] == ["status", "events"]
    assert found["supportedProfile"] == [PROFILE]
    assert statement["instantiates"][0].endswith("backport-subscription-server-r4")
    assert planned.hub.validator.check((statement,)) == []


def test_the_partys_secret_is_its_own(
    planned: World, hook: Hook, nothing_personal_in_the_log: list[Any]
) -> None:
    hook.code = 503
    made = create(planned, PSYK, subscription(f"{hook.url}/path-with-a-secret")).json()["id"]
    planned.work()
    shown = json.dumps([subscription_rows(planned.hub), subscription_row(planned.hub, made)])
    assert hook.url.removeprefix("http://").partition("/")[0] in shown
    for secret in (SECRET, "path-with-a-secret"):
        assert secret not in shown
        assert secret not in repr(nothing_personal_in_the_log)

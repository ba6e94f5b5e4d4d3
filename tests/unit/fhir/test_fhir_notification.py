"""Notifications as the Backport guide has them: profile, bundle rules, and levels of content."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from hub.fhir.notification import (
    Event,
    Kind,
    Told,
    message,
    message_response,
    notification,
    status_parameters,
)
from hub.fhir.validation import EmbeddedValidator
from hub.fhir.xml import from_xml, to_xml

BASE = "https://hub.example/fhir"
AT = datetime(2026, 11, 26, 8, tzinfo=UTC)
IDS = ("0f1e9f4e-0000-4000-8000-000000000001", "0f1e9f4e-0000-4000-8000-000000000002")
TOLD = Told("s-1", "https://ki-hub.example/fhir/SubscriptionTopic/plan-change", "active", 7)
PLAN = {
    "resourceType": "CarePlan", "id": "p-1", "meta": {"versionId": "3"}, "status": "active",
    "intent": "plan", "subject": {"reference": "Patient/c-1"},
}  # fmt: skip
PATIENT = {"resourceType": "Patient", "id": "c-1", "meta": {"versionId": "1"}}
EVENT = Event(7, AT, "CarePlan/p-1", 3)
FULL = Event(7, AT, "CarePlan/p-1", 3, (PLAN, PATIENT))


def made(*events: Event, kind: Kind = "event-notification", silent: bool = False) -> dict[str, Any]:
    return notification(BASE, TOLD, kind, IDS, AT, events, silent=silent)


def names(bundle: dict[str, Any]) -> list[str]:
    return [p["name"] for p in bundle["entry"][0]["resource"]["parameter"]]


@pytest.mark.parametrize(
    "bundle",
    [made(kind="handshake"), made(EVENT), made(EVENT, silent=True), made(FULL), made(Event(4)),
     message(BASE, made(EVENT), TOLD.topic, IDS, "http://127.0.0.1/fhir")],
)  # fmt: skip
def test_every_form_is_legal_r4_in_both_syntaxes(bundle: dict[str, Any]) -> None:
    assert EmbeddedValidator().check([bundle]) == []
    assert from_xml(to_xml(bundle)) == bundle


@pytest.mark.parametrize("bundle", [made(kind="heartbeat"), made(EVENT), made(FULL)])
def test_the_rules_of_a_history_bundle_hold(bundle: dict[str, Any]) -> None:
    assert bundle["type"] == "history"
    for entry in bundle["entry"]:
        assert {"fullUrl", "request", "response"} <= entry.keys(), "bdl-3, bdl-4"
        assert "/_history/" not in entry["fullUrl"], "bdl-8"
    versions = [(e["fullUrl"], e.get("resource", {}).get("meta", {}).get("versionId"))
                for e in bundle["entry"]]  # fmt: skip
    assert len(versions) == len(set(versions)), "bdl-7"
    first = bundle["entry"][0]
    assert first["resource"]["resourceType"] == "Parameters"
    assert first["request"] == {"method": "GET", "url": f"{BASE}/Subscription/s-1/$status"}


def test_the_parameters_have_the_profiles_names_and_types() -> None:
    found = status_parameters(BASE, TOLD, "query-status", "x", [EVENT])["parameter"]
    assert found == [
        {"name": "subscription", "valueReference": {"reference": f"{BASE}/Subscription/s-1"}},
        {"name": "topic", "valueCanonical": TOLD.topic},
        {"name": "status", "valueCode": "active"},
        {"name": "type", "valueCode": "query-status"},
        {"name": "events-since-subscription-start", "valueString": "7"},
        {"name": "notification-event", "part": [
            {"name": "event-number", "valueString": "7"},
            {"name": "timestamp", "valueInstant": "2026-11-26T08:00:00+00:00"},
            {"name": "focus", "valueReference": {"reference": f"{BASE}/CarePlan/p-1"}},
        ]},
    ]  # fmt: skip


def test_empty_names_neither_topic_nor_resources() -> None:
    bundle = made(FULL, silent=True)
    assert names(bundle) == [
        "subscription", "status", "type", "events-since-subscription-start", "notification-event",
    ]  # fmt: skip
    assert "p-1" not in json.dumps(bundle)
    assert len(bundle["entry"]) == 1


def test_an_event_that_may_not_be_known_of_is_a_number() -> None:
    bundle = made(Event(4))
    assert bundle["entry"][0]["resource"]["parameter"][-1] == {
        "name": "notification-event", "part": [{"name": "event-number", "valueString": "4"}],
    }  # fmt: skip
    assert len(bundle["entry"]) == 1


def test_in_full_what_it_is_about_comes_first_and_the_rest_is_context() -> None:
    bundle = made(FULL)
    assert [e.get("resource") for e in bundle["entry"][1:]] == [PLAN, PATIENT]
    part = bundle["entry"][0]["resource"]["parameter"][-1]["part"]
    assert part[-1] == {
        "name": "additional-context", "valueReference": {"reference": f"{BASE}/Patient/c-1"},
    }  # fmt: skip


def test_two_events_about_one_version_bring_it_once() -> None:
    bundle = made(FULL, Event(8, AT, "CarePlan/p-1", 3, (PLAN, PATIENT)))
    assert len(bundle["entry"]) == 3


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "ok"),
        (b"thanks", "ok"),
        (b'{"resourceType": "OperationOutcome"}', "ok"),
        (b'{"entry": [{"resource": {"response": {"code": "ok"}}}]}', "ok"),
        (b'{"entry": [{"resource": {"response": {"code": "fatal-error"}}}]}', "fatal-error"),
        (b'{"entry": [{"resource": {"response": {"code": "transient-error"}}}]}',
         "transient-error"),
        (b'{"entry": [{"resource": 3}]}', "ok"),
        (b'{"entry": {"resource": 3}}', "ok"),
    ],
)  # fmt: skip
def test_what_the_answer_to_a_message_says(body: bytes, said: str) -> None:
    assert message_response(body, "application/fhir+json") == said


def test_an_answer_in_xml_is_read_too() -> None:
    header = {"resourceType": "MessageHeader", "response": {"code": "fatal-error"}}
    bundle = {"resourceType": "Bundle", "type": "message", "entry": [{"resource": header}]}
    assert message_response(to_xml(bundle), "application/fhir+xml") == "fatal-error"

"""Audit rows as AuditEvents: legal R4, the project's own profile, and the shapes of IHE BALP."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hub.fhir import names
from hub.fhir.audit_event import DCM, PSEUDONYM, audit_event, bundle
from hub.model.access_record import SEEN, kind_of, lines, word
from hub.store.audit_tables import AUDIT
from tests.views import errors_in

BASE = "https://hub.example.org/fhir"
BALP = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
PLAN = "CarePlan/b3c1a1de-5a0f-5d0e-9a53-0f6a3f2f7b11/_history/1"
ROW: dict[str, Any] = {c.name: None for c in AUDIT.c} | {
    "id": 7, "at": datetime(2026, 9, 20, 10, 0, 0, 123456, tzinfo=UTC), "actor": "psyk",
    "action": "read", "object": PLAN, "party": "psyk", "basis": "consent/c-1",
    "outcome": "success", "detail": "", "role": "lead", "unit": f"{names.SOR}|999000000101",
    "unit_name": "Psykiatrisk Center", "citizen": "ab" * 32, "consent_id": "c-1", "version": 1,
    "plan_id": "b3c1a1de-5a0f-5d0e-9a53-0f6a3f2f7b11", "sections": "psychiatry social",
    "purpose": "exchange", "row_hash": "0" * 64,
}  # fmt: skip
ACTIONS = (
    *sorted(SEEN), "update", "receive", "consent", "approval", "propose", "decide", "write",
    "route", "login", "pause", "parties", "subscribe", "expire",
)  # fmt: skip


def agents(event: dict[str, Any], code: str) -> list[dict[str, Any]]:
    return [
        a
        for a in event["agent"]
        if a.get("type", {}).get("coding", [{"code": ""}])[0]["code"] == code
    ]


@pytest.mark.parametrize("outcome", ["success", "denied", "refused"])
@pytest.mark.parametrize("action", ACTIONS)
def test_every_row_is_a_legal_audit_event(action: str, outcome: str) -> None:
    changes: dict[str, Any] = {"action": action, "outcome": outcome}
    hub = {"actor": "hub", "unit": None, "citizen": None, "party": None, "plan_id": None}
    for more in ({}, {"basis": ""}, {"actor": "psyk: A B"}, {"reason": "why"},
                 hub | {"object": "audit", "basis": "", "consent_id": None}):  # fmt: skip
        event = audit_event(ROW | changes | more, BASE)
        assert errors_in(event) == [], more
        assert event["outcome"] == ("0" if outcome == "success" else "4")


def test_a_disclosed_version_is_held_to_the_project_s_own_profile() -> None:
    event = audit_event(ROW, BASE)
    assert event["meta"]["profile"][0] == names.profile("KiAuditEvent")
    del event["extension"]
    assert [e.code for e in errors_in(event)] == ["invariant"]


def test_a_read_has_the_shape_of_patient_read() -> None:
    """BALP: rest, read, R; the client is the destination and the server the source."""
    event = audit_event(ROW, BASE)
    assert (event["type"]["code"], event["subtype"][0]["code"], event["action"]) == (
        "rest", "read", "R",
    )  # fmt: skip
    (client,), (server,), (user,) = (agents(event, c) for c in ("110152", "110153", "IRCP"))
    assert client["who"]["identifier"]["value"] == "999000000101"
    assert server["network"] == {"address": BASE, "type": "5"}
    assert server["who"] == event["source"]["observer"]
    assert user["requestor"] is True
    patient, data, consent = event["entity"]
    assert (patient["type"]["code"], patient["role"]["code"]) == ("1", "1")
    assert patient["what"] == {
        "type": "Patient", "identifier": {"system": PSEUDONYM, "value": "ab" * 32},
    }  # fmt: skip
    assert (data["type"]["code"], data["role"]["code"], data["what"]) == (
        "2", "4", {"reference": PLAN},
    )  # fmt: skip
    assert [x["code"] for x in data["securityLabel"]] == ["psychiatry", "social"]
    assert consent["what"] == {"reference": "Consent/c-1"}


def claimed(event: dict[str, Any]) -> list[str]:
    profiles = event.get("meta", {}).get("profile", [])
    return [p.removeprefix(BALP) for p in profiles if p.startswith(BALP)]


def one(event: dict[str, Any], code: str) -> dict[str, Any]:
    (found,) = agents(event, code)
    assert found["who"]
    return found


def network(event: dict[str, Any], code: str) -> dict[str, Any]:
    """Of one agent: an address, or why there is none."""
    found: dict[str, Any] = one(event, code)["network"]
    absent = found.get("_address", {}).get("extension", [{}])[0]
    assert "address" in found or absent["valueCode"] == "unsupported"
    return found


@pytest.mark.parametrize("outcome", ["success", "denied"])
@pytest.mark.parametrize("action", ACTIONS)
def test_what_claims_a_profile_of_balp_keeps_its_rules(action: str, outcome: str) -> None:
    """The rules of BALP 1.1.4 (StructureDefinition Read, PatientRead, PrivacyDisclosure.Source)."""
    for more in ({}, {"actor": "psyk: A B"}, {"actor": "hub"}, {"actor": "drift"},
                 {"unit": None}, {"citizen": None}, {"party": "rus"}):  # fmt: skip
        event = audit_event(ROW | {"action": action, "outcome": outcome} | more, BASE)
        subtypes = [x["code"] for x in event.get("subtype", ())]
        for profile in claimed(event):
            assert (event["outcome"], event["action"]) == ("0", "R"), more
            assert network(event, "110153")["address"] == BASE
            assert network(event, "110152")
            (patient,) = [e for e in event["entity"] if e["type"]["code"] == "1"]
            assert (patient["role"]["code"], patient["what"]["type"]) == ("1", "Patient")
            (data,) = [e for e in event["entity"] if e["type"]["code"] == "2"]
            assert data["role"]["code"] in {"3", "4", "20"}
            if profile == "PatientRead":
                assert event["type"]["code"] == "rest"
                assert [s for s in subtypes if s in {"read", "vread"}] == subtypes
                assert one(event, "IRCP")["requestor"] is True
                assert "network" not in one(event, "IRCP")
            else:
                assert profile == "PrivacyDisclosure.Source"
                assert (event["type"]["code"], subtypes) == ("110106", ["disclose"])
                assert one(event, "110153")["who"] == event["source"]["observer"]


def test_reads_and_disclosures_claim_them_and_nothing_else_does() -> None:
    said = {a: claimed(audit_event(ROW | {"action": a}, BASE)) for a in ACTIONS}
    assert {a: p for a, p in said.items() if p} == {
        "read": ["PatientRead"], "vread": ["PatientRead"],
        "disclose": ["PrivacyDisclosure.Source"], "fetch": ["PrivacyDisclosure.Source"],
    }  # fmt: skip


def test_a_search_has_the_shape_of_patient_query() -> None:
    event = audit_event(ROW | {"action": "search"}, BASE)
    assert (event["subtype"][0]["code"], event["action"]) == ("search", "E")
    assert agents(event, "110153")[0]["who"]["identifier"]["value"] == "999000000101"
    assert agents(event, "110152")[0]["who"] == event["source"]["observer"]


@pytest.mark.parametrize(("action", "code"), [("update", "U"), ("consent", "C")])
def test_a_write_has_the_shape_of_patient_update_or_create(action: str, code: str) -> None:
    event = audit_event(ROW | {"action": action}, BASE)
    assert (event["type"]["code"], event["action"]) == ("rest", code)
    assert agents(event, "110153")[0]["who"]["identifier"]["value"] == "999000000101"


def test_a_delivery_has_the_shape_of_a_privacy_disclosure_at_the_source() -> None:
    event = audit_event(ROW | {"action": "disclose", "actor": "hub"}, BASE)
    assert event["type"] == names.coding(DCM, "110106", "Export")
    assert (event["subtype"][0]["code"], event["action"]) == ("disclose", "R")
    (source,) = agents(event, "110153")
    assert source["who"] == event["source"]["observer"]
    assert agents(event, "110152")[0]["who"]["display"] == "Psykiatrisk Center"
    assert agents(event, "IRCP")[0]["requestor"] is False


def test_a_decision_not_to_send_has_the_shape_of_an_authorization_by_consent() -> None:
    row = ROW | {"action": "route", "actor": "hub", "outcome": "denied", "reason": "No consent"}
    event = audit_event(row, BASE)
    assert event["type"]["code"] == "110113"
    assert event["subtype"][0]["code"] == "AuthZ-Consent"
    assert (event["action"], event["outcome"], event["outcomeDesc"]) == ("E", "4", "No consent")


def test_several_are_a_collection() -> None:
    assert errors_in(bundle([audit_event(ROW | {"id": n}, BASE) for n in (1, 2)])) == []
    assert errors_in(bundle([])) == []


def test_the_citizen_reads_who_saw_it_and_who_tried() -> None:
    rows = [
        ROW | {"id": 1},
        ROW | {"id": 2, "action": "disclose", "actor": "hub", "party": "citizen", "unit": None,
               "unit_name": None, "role": "hub", "basis": ""},
        ROW | {"id": 3, "action": "read", "outcome": "denied",
               "reason": "There is nothing here by that id"},
        ROW | {"id": 4, "action": "route", "outcome": "denied", "reason": "No consent"},
        ROW | {"id": 5, "action": "update"},
    ]  # fmt: skip
    assert [kind_of(r) for r in rows] == ["seen", "seen", "denied", "other", "changed"]
    danish = lines(rows, "da")
    assert [(x.organisation, x.what, x.why, x.permitted) for x in danish] == [
        ("Psykiatrisk Center", "Læste i planen", "Borgerens samtykke", "Ja"),
        ("Borgeren selv", "Fik en kopi sendt", "Ingen oplyst", "Ja"),
        ("Psykiatrisk Center", "Læste i planen", "Der er intet her med det id", "Nej, afvist"),
    ]
    assert lines(rows, "en")[0].what == "Read in the plan"
    assert len(lines(rows, "da", everything=True)) == 5


@pytest.mark.parametrize("action", sorted(SEEN))
def test_everything_seen_has_words(action: str) -> None:
    assert word("action", action, "da") != action
    assert word("action", action, "en") != action

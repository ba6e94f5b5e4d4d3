"""A protected citizen cannot be found by what leaves; relatives only where the citizen agreed.

Sources: MedCom's guide on protected addresses, CPR-loven's protection of name and address, ki-plan
section 6.6 and scenario 23.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.contract import Identifier, Party, Resource
from hub.fhir import names
from hub.model.plan import identifiers
from hub.model.protection import is_hidden, reveals, without_relatives, without_whereabouts

HOME = Party("bo", "Botilbuddet Lærkely", "residential", "Havneby Kommune",
             (Identifier(names.SOR, "999000000777"),))  # fmt: skip
LABEL = {"system": names.CONFIDENTIALITY, "code": "R"}
SECRETS = (
    "Strandvej 7",
    "12345678",
    "Lærkely",
    "Søsters Allé",
    "87654321",
    "Værelse 4",
    "Kælderen",
)


def resources() -> dict[str, Resource]:
    place = {"reference": "Organization/home", "display": "Botilbuddet Lærkely"}
    meeting = {
        "url": names.NEXT_MEETING,
        "extension": [
            {"url": "time", "valueString": "i maj"},
            {"url": "place", "valueString": "Kælderen"},
        ],
    }
    found: list[Resource] = [
        {"resourceType": "CarePlan", "id": "p", "subject": {"reference": "Patient/x"},
         "extension": [meeting],
         "activity": [{"detail": {"status": "scheduled", "location": {"display": "Værelse 4"},
                                  "performer": [place]}}]},
        {"resourceType": "Patient", "id": "x", "meta": {"security": [LABEL]},
         "name": [{"text": "Bo Testmann"}],
         "address": [{"text": "Strandvej 7"}],
         "telecom": [{"system": "phone", "value": "12345678"}]},
        {"resourceType": "RelatedPerson", "id": "s", "patient": {"reference": "Patient/x"},
         "name": [{"text": "Anna Prøve"}], "relationship": [{"text": "søster"}],
         "address": [{"text": "Søsters Allé"}],
         "telecom": [{"system": "phone", "value": "87654321"}]},
        {"resourceType": "Organization", "id": "home", "name": "Botilbuddet Lærkely",
         "identifier": [{"system": names.SOR, "value": "999000000777"}],
         "address": [{"text": "Strandvej 7"}]},
        {"resourceType": "Organization", "id": "centre", "name": "Rusmiddelcentret"},
        {"resourceType": "PractitionerRole", "id": "r", "organization": place,
         "practitioner": {"display": "Kim Prøve"},
         "telecom": [{"system": "phone", "value": "12345678"}]},
        {"resourceType": "CareTeam", "id": "t", "participant": [
            {"role": [names.concept(names.ROLE, "relative")],
             "member": {"reference": "RelatedPerson/s", "display": "Anna Prøve"}},
            {"role": [names.concept(names.ROLE, "relative")], "member": {"display": "Far Prøve"}},
            {"role": [names.concept(names.ROLE, "professional")],
             "member": {"display": "Kim Prøve"}}]},
    ]  # fmt: skip
    return {f"{r['resourceType']}/{r['id']}": r for r in found}


def housing(unit: Resource) -> bool:
    known = HOME if Identifier(names.SOR, "999000000777") in identifiers(unit) else None
    return reveals(unit, known)


def test_nothing_tells_where_a_protected_citizen_is() -> None:
    before = resources()
    assert is_hidden(before.values())
    shown, hidden = without_whereabouts(before, housing)
    told = json.dumps(shown, ensure_ascii=False)
    assert [s for s in SECRETS if s in told] == []
    assert "999000000777" not in told
    assert {"Patient/x/address", "Patient/x/telecom", "PractitionerRole/r/telecom"} <= hidden
    assert shown["Organization/centre"] == before["Organization/centre"]
    assert all(s in json.dumps(before, ensure_ascii=False) for s in SECRETS)


def test_what_one_wrote_oneself_stays() -> None:
    shown, _ = without_whereabouts(resources(), housing, own=frozenset({"Patient/x"}))
    assert shown["Patient/x"] == resources()["Patient/x"]
    assert "Lærkely" not in json.dumps(shown, ensure_ascii=False)


def test_that_there_is_a_plan_for_a_stay_tells_of_the_stay() -> None:
    stay = {"resourceType": "CarePlan", "id": "o",
            "category": [names.concept(names.SECTOR_KIND, "opholdsplan")]}  # fmt: skip
    shown, hidden = without_whereabouts(resources() | {"CarePlan/o": stay}, housing)
    assert "CarePlan/o" not in shown
    assert "CarePlan/o" in hidden


@pytest.mark.parametrize(
    ("name", "party", "wanted"),
    [
        ("Herberget Havnen", None, True),
        ("Havneby Krisecenter", None, True),
        ("Enhed 7", HOME, True),
        ("Rusmiddelcentret", None, False),
        ("Bostedet", Party("x", "x", "psychiatry", "x"), False),
    ],
)
def test_a_unit_reveals_by_what_it_is(name: str, party: Party | None, wanted: bool) -> None:
    assert reveals({"resourceType": "Organization", "id": "x", "name": name}, party) == wanted


def test_relatives_are_told_by_their_relation_alone() -> None:
    shown, hidden = without_relatives(resources())
    told: Any = json.dumps(shown, ensure_ascii=False)
    assert "Anna Prøve" not in told
    assert "Far Prøve" not in told
    assert "87654321" not in told
    assert "søster" in told
    assert "Kim Prøve" in told
    assert shown["CareTeam/t"]["participant"][1]["member"] == {"display": "Pårørende"}
    assert {"RelatedPerson/s/name", "RelatedPerson/s/telecom"} <= hidden

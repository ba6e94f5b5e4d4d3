"""What is not marked as a KI-plan is never taken for one: minutes of a meeting, say."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from hub.fhir import names
from tests.api.world import PLAN_1, RUS, World, send
from tests.views import ROOT

Json = dict[str, Any]
TEMPLATE = (ROOT / "mappings" / "ki-plan-xml" / "samples" / "typical.xml").read_bytes()
MINUTES = {"system": "http://loinc.org", "code": "34133-9", "display": "Referat af netværksmøde"}


def without_category(bundle: Json) -> None:
    del bundle["entry"][0]["resource"]["category"]


def with_another(bundle: Json) -> None:
    bundle["entry"][0]["resource"]["category"] = [{"coding": [MINUTES]}]


def in_words_only(bundle: Json) -> None:
    bundle["entry"][0]["resource"]["category"] = [{"text": "Koordinerende indsatsplan"}]
    bundle["entry"][0]["resource"]["title"] = "KI-plan"


def of_another_system(bundle: Json) -> None:
    coding = {"system": "http://example.org/kinds", "code": "ki-plan"}
    bundle["entry"][0]["resource"]["category"] = [{"coding": [coding]}]


def by_its_profile_only(bundle: Json) -> None:
    plan = bundle["entry"][0]["resource"]
    plan["meta"] = {"profile": [names.KI_PLAN]}
    plan["category"] = [{"coding": [MINUTES]}]


def minutes_of_a_meeting(bundle: Json) -> None:
    people = [e for e in bundle["entry"] if e["resource"]["resourceType"] != "CarePlan"]
    paper = {
        "resourceType": "DocumentReference",
        "status": "current",
        "type": {"coding": [MINUTES]},
        "content": [{"attachment": {"contentType": "text/plain", "data": "UmVmZXJhdA=="}}],
    }
    url = "urn:uuid:0f7d6f52-0000-4000-8000-000000000042"
    bundle["entry"] = [{"fullUrl": url, "resource": paper}, *people]


@pytest.mark.parametrize(
    "change",
    [without_category, with_another, in_words_only, of_another_system, by_its_profile_only,
     minutes_of_a_meeting],
)  # fmt: skip
def test_fhir_without_the_mark_makes_no_plan(world: World, change: Callable[[Json], None]) -> None:
    world.consent()
    bundle = json.loads(PLAN_1)
    change(bundle)
    answer = send(world, "fhir", json.dumps(bundle).encode())
    assert answer.status_code in {400, 422}
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert world.get("/fhir/CarePlan", RUS).json()["total"] == 0
    world.work()
    assert world.deliveries() == []


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"/xml/ki-plan/", b"/xml/referat/"), (b"CoordinatedActionPlan", b"Minutes")],
)
def test_another_papers_xml_makes_no_plan(world: World, old: bytes, new: bytes) -> None:
    world.consent()
    assert old in TEMPLATE
    changed = TEMPLATE.replace(old, new)
    head = {"Content-Type": "application/xml"}
    answer = world.request("POST", "/documents/ki-plan-xml", RUS, content=changed, headers=head)
    assert answer.status_code in {400, 422}
    assert world.get("/fhir/CarePlan", RUS).json()["total"] == 0

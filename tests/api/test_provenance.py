"""Who made each version, from which document: for who may read that version."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from hub.fhir import names
from tests.api.fhir.client import publish
from tests.api.world import GP, KOORD_OWN, OPERATOR, PLAN_1, PSYK, RUS, SOCIAL, TREATMENT, World
from tests.views import errors_in

NOBODYS = "00000000-0000-4000-8000-000000000000"


def told(world: World, plan: str, who: str) -> list[dict[str, Any]]:
    answer = world.get(f"/plans/{plan}/provenance", who)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/fhir+json"
    assert errors_in(answer.json()) == []
    return [e["resource"] for e in answer.json()["entry"]]


def author(one: dict[str, Any]) -> str:
    value: str = one["agent"][0]["who"]["display"]
    return value


def document(one: dict[str, Any]) -> str:
    value: str = one["entity"][0]["what"]["identifier"]["value"]
    return value


def test_each_version_has_one_with_the_document_s_hash(planned: World, plan: str) -> None:
    publish(planned, RUS, description="Endnu en beskrivelse af planen.")
    found = told(planned, plan, RUS)
    numbers = [p["target"][0]["reference"] for p in found]
    assert numbers[0] == f"CarePlan/{plan}/_history/{len(found)}"
    assert numbers == sorted(numbers, reverse=True)
    assert {names.profile("KiProvenance")} == {p["meta"]["profile"][0] for p in found}
    assert {author(p) for p in found} >= {"Havneby Rusmiddelcenter"}
    first = found[-1]
    assert document(first) == f"urn:hash::sha256:{sha256(PLAN_1).hexdigest()}"
    assert first["activity"]["coding"][0]["code"] == "CREATE"
    assert found[0]["activity"]["coding"][0]["code"] == "UPDATE"
    assert all(p["id"] != q["id"] for p in found for q in found if p is not q)


def test_a_sector_plan_s_document_is_its_owner_s(planned: World, plan: str) -> None:
    planned.clock.advance(minutes=1)
    before = told(planned, plan, PSYK)
    answer = planned.post("/documents/behandlingsplan", PSYK, changed_treatment())
    assert answer.status_code == 200, answer.text
    newest, *others = told(planned, plan, PSYK)
    assert len(others) == len(before)
    assert author(newest) == "Psykiatrisk Center Nordstrand"
    references = [t["reference"] for t in newest["target"]]
    assert references[0].startswith(f"CarePlan/{plan}/_history/")
    assert all("/_history/" in r for r in references)


def changed_treatment() -> bytes:
    return TREATMENT.replace(b"<EffortText>", b"<EffortText>Nu: ")


@pytest.mark.parametrize("who", [PSYK, SOCIAL, KOORD_OWN])
def test_a_reader_is_told_only_of_what_it_can_read(planned: World, plan: str, who: str) -> None:
    publish(planned, RUS, description="Endnu en beskrivelse af planen.")
    for one in told(planned, plan, who):
        for target in one["target"]:
            assert planned.get(f"/fhir/{target['reference']}", who).status_code == 200


def test_it_is_audited_and_is_nobody_else_s(planned: World, plan: str) -> None:
    told(planned, plan, SOCIAL)
    with planned.hub.store.reading() as work:
        rows = [r for r in work.journal.audit_of("") if r["actor"] == SOCIAL]
    assert rows[-1]["action"] == "history"
    assert planned.get(f"/plans/{plan}/provenance", GP).status_code == 404
    assert planned.get(f"/plans/{NOBODYS}/provenance", RUS).status_code == 404
    assert planned.get(f"/plans/{plan}/provenance", OPERATOR).status_code == 401

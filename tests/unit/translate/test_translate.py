"""The pure service, on the one format that is always installed."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.fhir import ADAPTER
from hub.contract import Party, SourceDocument
from hub.errors import CannotRender, InputRefused, Unsupported
from hub.fhir import names
from hub.services.translate import Translation, party_finder, translate
from tests.views import EXAMPLES, check, parties

NOW = datetime(2026, 9, 20, 8, 0, tzinfo=UTC)
PLAN = (EXAMPLES / "plan-1.json").read_bytes()
LEAD, OTHER = parties()["rus-havneby"], parties()["psyk-nordstrand"]


def run(body: bytes, sender: Party, receiver: Party, own: Any = None) -> Translation:
    return translate(
        body, ADAPTER, ADAPTER, sender=sender, receiver=receiver, now=NOW, printer=None, own=own,
        check=check,
    )  # fmt: skip


def types(made: Translation) -> list[str]:
    return [e["resource"]["resourceType"] for e in json.loads(made.body)["entry"]]


def sector_plan(*, marked: bool) -> bytes:
    bundle = json.loads(PLAN)
    kept = {"CarePlan", "Patient", "Organization", "Goal"}
    bundle["entry"] = [e for e in bundle["entry"] if e["resource"]["resourceType"] in kept]
    plan = bundle["entry"][0]["resource"]
    organization = next(
        e for e in bundle["entry"] if e["resource"]["resourceType"] == "Organization"
    )
    for name in ("careTeam", "addresses", "supportingInfo", "extension"):
        del plan[name]
    del plan["meta"]
    plan["category"] = [names.concept(names.SECTOR_KIND, "misbrugsbehandlingsplan")]
    plan["author"] = {"reference": organization["fullUrl"]}
    for activity in plan["activity"]:
        activity["detail"].pop("performer", None)
    mark = {"url": names.COORDINATION, "valueBoolean": marked}
    plan["activity"][0]["extension"].append(mark)
    return json.dumps(bundle).encode()


def test_own_document_is_enclosed_for_its_owner() -> None:
    made = run(PLAN, LEAD, LEAD)
    document = next(
        e["resource"]
        for e in json.loads(made.body)["entry"]
        if e["resource"]["resourceType"] == "DocumentReference"
    )
    assert base64.b64decode(document["content"][0]["attachment"]["data"]) == PLAN
    assert made.losses == ()
    assert made == run(PLAN, LEAD, LEAD)


def test_another_receiver_does_not_get_the_document() -> None:
    assert "DocumentReference" not in types(run(PLAN, LEAD, OTHER))


def test_result_comes_in_again() -> None:
    again = run(run(PLAN, LEAD, OTHER).body, LEAD, OTHER)
    assert types(again) == types(run(PLAN, LEAD, OTHER))
    first, second = (json.loads(x.body)["entry"] for x in (run(PLAN, LEAD, OTHER), again))
    assert [e["resource"] for e in first] == [e["resource"] for e in second]


def test_only_coordinated_items_reach_another_party() -> None:
    body = sector_plan(marked=True)
    mine = json.loads(run(body, LEAD, LEAD).body)["entry"][0]["resource"]
    theirs = run(body, LEAD, OTHER)
    plan = json.loads(theirs.body)["entry"][0]["resource"]
    assert len(mine["activity"]) == 3
    assert len(plan["activity"]) == 1
    assert "goal" not in plan
    assert sum("#activity." in x.path for x in theirs.losses) == 2
    assert sum(x.path.startswith("Goal/") for x in theirs.losses) == 3


def test_a_sector_plan_without_coordination_does_not_leave_at_all() -> None:
    with pytest.raises(CannotRender):
        run(sector_plan(marked=False), LEAD, OTHER)


def test_losses_of_both_directions_are_in_order() -> None:
    bundle = json.loads(PLAN)
    div = "<div xmlns='http://www.w3.org/1999/xhtml'>x</div>"
    bundle["entry"][1]["resource"]["text"] = {"status": "generated", "div": div}
    made = run(json.dumps(bundle).encode(), LEAD, OTHER)
    assert [x.path for x in made.losses] == ["Bundle.entry[1].resource.text"]


def test_given_own_document_is_used() -> None:
    made = run(PLAN, LEAD, OTHER, SourceDocument("fhir", b"{}", "application/fhir+json"))
    assert "DocumentReference" in types(made)


@pytest.mark.parametrize("name", ["consent-1", "approval-1"])
def test_decisions_are_no_plans(name: str) -> None:
    with pytest.raises(Unsupported):
        run((EXAMPLES / f"{name}.json").read_bytes(), LEAD, LEAD)


def test_bad_input_is_the_senders_move() -> None:
    with pytest.raises(InputRefused):
        run(b"{", LEAD, LEAD)


def test_units_are_found_by_unit_identifiers_only() -> None:
    find = party_finder(parties().values())
    gln = next(i for i in OTHER.identifiers if i.system == names.GLN)
    assert find((gln,)) == OTHER
    assert find((type(gln)(names.GLN_ALIASES[1], gln.value),)) == OTHER
    cvr = next(i for i in OTHER.identifiers if i.system == names.CVR)
    assert find((cvr,)) is None

"""The canonical Bundle on its way out, and in again."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from adapters.fhir import ADAPTER
from hub.contract import Notice, PlanView, Receipt, SourceDocument
from hub.errors import CannotRender, Issue
from hub.fhir import names
from tests.unit.fhir.documents import (
    BASE,
    PLAN_ID,
    context,
    entry_of,
    parse,
    plan_views,
    raw,
    strings,
    with_base,
)
from tests.views import PLAN_1, PLAN_2, errors_in, parties, view_of

RECEIVER = parties()["rus-havneby"]


def rendered(content: PlanView | Notice | Receipt) -> dict[str, Any]:
    made = ADAPTER.render(content, RECEIVER, context())
    assert made.media_type == "application/fhir+json"
    assert made == ADAPTER.render(content, RECEIVER, context())
    bundle: dict[str, Any] = json.loads(made.body)
    assert errors_in(bundle) == []
    return bundle


@settings(max_examples=40, deadline=None)
@given(plan_views())
def test_what_goes_out_comes_in_unchanged(view: PlanView) -> None:
    made = ADAPTER.render(view, RECEIVER, context())
    update = parse(made.body)
    assert {f"{r['resourceType']}/{r['id']}": r for r in update.resources} == view.resources
    assert (update.plan_id, update.base_version) == (view.plan_id, view.version)
    assert (update.part, update.losses, made.losses) == ("shared", (), ())


@pytest.mark.parametrize("path", [PLAN_1, PLAN_2])
def test_examples_go_round(path: str) -> None:
    view = view_of(path, version=4)
    bundle = rendered(view)
    update = parse(json.dumps(bundle).encode())
    assert {f"{r['resourceType']}/{r['id']}": r for r in update.resources} == view.resources
    assert update.base_version == 4


@pytest.mark.parametrize("approved", [True, False])
def test_what_is_not_approved_says_so_and_that_does_not_come_back(approved: bool) -> None:
    view = replace(view_of(PLAN_1), approved=approved)
    bundle = rendered(view)
    tags = bundle["entry"][0]["resource"]["meta"].get("tag", [])
    assert [t["display"] for t in tags] == ([] if approved else ["Ikke godkendt endnu"])
    (plan,) = [r for r in parse(json.dumps(bundle).encode()).resources if r["id"] == view.plan_id]
    assert "tag" not in plan.get("meta", {})


def test_form() -> None:
    view = view_of(PLAN_1, version=3)
    bundle = rendered(view)
    plan = bundle["entry"][0]["resource"]
    assert plan["resourceType"] == "CarePlan"
    assert plan["meta"]["versionId"] == "3"
    assert {"system": PLAN_ID, "value": view.plan_id} in plan["identifier"]
    assert all(
        e["fullUrl"] == f"{BASE}/{e['resource']['resourceType']}/{e['resource']['id']}"
        for e in bundle["entry"]
    )
    assert "versionId" not in view.resources[f"CarePlan/{plan['id']}"]["meta"]


def test_own_document_is_enclosed_and_not_read_back() -> None:
    body = b"<Behandlingsplan/>"
    view = view_of(PLAN_1, own=SourceDocument("behandlingsplan", body, "application/xml"))
    bundle = rendered(view)
    attachment = entry_of(bundle, "DocumentReference")["content"][0]["attachment"]
    assert base64.b64decode(attachment["data"]) == body
    update = parse(json.dumps(bundle).encode())
    assert "DocumentReference" not in {r["resourceType"] for r in update.resources}
    assert len(update.losses) == 1


def _with_sector_document(own_part: str | None) -> PlanView:
    view = view_of(PLAN_1)
    data = base64.b64encode(b"the owner's own words").decode()
    document = {
        "resourceType": "DocumentReference",
        "id": "d",
        "status": "current",
        "content": [{"attachment": {"contentType": "application/xml", "data": data}}],
    }
    plan = next(iter(view.resources.values()))
    sector = {
        "resourceType": "CarePlan",
        "id": "s",
        "status": "active",
        "intent": "plan",
        "category": [names.concept(names.SECTOR_KIND, "vum")],
        "subject": plan["subject"],
        "author": plan["author"],
        "partOf": [{"reference": f"CarePlan/{plan['id']}"}],
        "supportingInfo": [{"reference": "DocumentReference/d"}],
    }
    more = {"CarePlan/s": sector, "DocumentReference/d": document}
    return with_base(view, resources={**view.resources, **more}, own_part=own_part)


def test_the_documents_of_others_stay() -> None:
    view = _with_sector_document(None)
    bundle = rendered(view)
    assert "DocumentReference" not in {e["resource"]["resourceType"] for e in bundle["entry"]}
    assert "supportingInfo" not in entry_of(bundle, "CarePlan", 1)
    losses = ADAPTER.render(view, RECEIVER, context()).losses
    assert [x.path for x in losses] == ["DocumentReference/d"]
    own = rendered(_with_sector_document("CarePlan/s"))
    assert entry_of(own, "DocumentReference")["id"] == "d"


def test_sector_plans_of_a_view_are_not_taken_for_the_senders() -> None:
    update = parse(json.dumps(rendered(_with_sector_document(None))).encode())
    assert [r["id"] for r in update.resources if r["resourceType"] == "CarePlan"] == [
        view_of(PLAN_1).plan_id
    ]
    assert any("changed only by its owner" in x.reason for x in update.losses)


def test_a_view_without_a_plan() -> None:
    view = with_base(view_of(PLAN_1), resources={})
    with pytest.raises(CannotRender):
        ADAPTER.render(view, RECEIVER, context())


def test_notice_holds_no_content() -> None:
    bundle = rendered(Notice("plan-1", "consent-withdrawn", "Samtykket er trukket tilbage"))
    assert [e["resource"]["resourceType"] for e in bundle["entry"]] == ["Communication"]
    communication = bundle["entry"][0]["resource"]
    assert communication["about"][0]["identifier"]["value"] == "plan-1"
    assert communication["payload"] == [{"contentString": "Samtykket er trukket tilbage"}]
    assert "0201609996" not in set(strings(bundle))


@pytest.mark.parametrize("outcome", ["ok", "transient", "permanent"])
def test_receipt_goes_round(outcome: Any) -> None:
    issues = () if outcome == "ok" else (Issue("error", "conflict", "Stale", "CarePlan.goal"),)
    bundle = rendered(Receipt("delivery-1", outcome, issues=issues))
    found = ADAPTER.parse(raw(bundle), context())
    assert isinstance(found, Receipt)
    assert (found.of, found.outcome) == ("delivery-1", outcome)
    assert [(i.code, i.expression) for i in found.issues] == [
        (i.code, i.expression) for i in issues
    ]
    assert [i.value for i in found.claimed_sender] == [RECEIVER.identifier(names.SOR)]

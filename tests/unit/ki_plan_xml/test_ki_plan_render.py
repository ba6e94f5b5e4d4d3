"""Out: the plan as the receiver may see it; round trip, losses, nothing invented."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from ki_plan_documents import (
    LEAD,
    NOW,
    OTHER,
    by_key,
    changed_view,
    context,
    documents,
    element,
    parse,
    render,
    sample,
    view_from,
)
from lxml import etree

from adapters.ki_plan_xml import ADAPTER
from adapters.ki_plan_xml.document import FORMAT
from hub.contract import Notice, PlanView, Receipt
from hub.errors import CannotRender
from hub.fhir import names
from hub.mapping import CodeTable, mappings_folder
from hub.model.plan import digest_of
from tests.full_views import answer, with_sector_plan
from tests.views import PLAN_1, PLAN_2, view_of

YARDSTICK = pytest.mark.parametrize("plan", [PLAN_1, PLAN_2], ids=["plan-1", "plan-2"])
DAMPED = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def texts(body: bytes, name: str) -> list[str]:
    return [
        e.text or "" for e in etree.fromstring(body).iter(f"{{{FORMAT.schema.namespace}}}{name}")
    ]


@YARDSTICK
def test_a_filled_form_goes_out_and_comes_back_the_same(plan: Any) -> None:
    view = view_of(plan)
    made = render(view)
    assert made.losses == ()
    back = by_key(parse(made.body).resources)
    assert back == dict(view.resources)
    # So the citizen's approval stands when the lead sends an unchanged plan back.
    assert digest_of(back.values()) == digest_of(view.resources.values())


@YARDSTICK
def test_the_document_passes_its_schema_and_is_the_same_each_time(plan: Any) -> None:
    view = with_sector_plan(view_of(plan, approval=answer()))
    made = render(view, OTHER)
    assert FORMAT.schema.issues_of(etree.fromstring(made.body)) == ()
    assert render(view, OTHER) == made
    update = parse(made.body)
    assert (update.plan_id, update.base_version) == (view.plan_id, view.version)


@DAMPED
@given(body=documents())
def test_what_came_in_goes_out_and_comes_back(body: bytes) -> None:
    update = parse(body)
    made = render(view_from(update))
    assert made.losses == ()
    assert FORMAT.schema.issues_of(etree.fromstring(made.body)) == ()
    again = parse(made.body)
    assert again.resources == update.resources
    assert render(view_from(again)).body == made.body


@DAMPED
@given(body=documents())
def test_nothing_is_invented(body: bytes) -> None:
    """Every text is in the source, a code of a table, the hub's own word, or a number in order."""
    update = parse(body)
    made = render(view_from(update))
    given_texts = {e.text for e in etree.fromstring(body).iter() if not len(e)}
    own = {
        "koordinerende-indsatsplan",
        "true",
        "false",
        NOW.isoformat(timespec="seconds"),
        context().id_for("message"),
        str(update.resources[0]["id"]),
        *(i.value for i in LEAD.identifiers),
    }
    ids = {f"urn:uuid:{r['id']}" for r in update.resources}
    ids |= {f"urn:uuid:{a['id']}" for a in update.resources[0].get("activity", ())}
    for found in etree.fromstring(made.body).iter():
        if len(found) or found.text is None:
            continue
        told = found.text in given_texts or " ".join(found.text.split()) in {
            " ".join((t or "").split()) for t in given_texts
        }
        assert told or found.text in own | ids or re.fullmatch(r"[1-9]", found.text), found.text


def test_codes_come_from_the_tables() -> None:
    tables = [*mappings_folder("ki-plan-xml").glob("codes/*.csv")]
    tables += mappings_folder("xml-plan").glob("codes/*.csv")
    known = {p.source_code for t in tables for p in CodeTable.load(t).pairs}
    body = render(with_sector_plan(view_of(PLAN_1, approval=answer()))).body
    for found in etree.fromstring(body).iter():
        name = etree.QName(found).localname
        if name.endswith("Code") and name not in {"DocumentKindCode", "PlanKindCode", "LevelCode"}:
            assert found.text in known, name


def test_annex_j_shows_what_the_sector_marked_and_never_a_koordinationsplan() -> None:
    view = with_sector_plan(view_of(PLAN_1))
    made = render(view, OTHER)
    root = etree.fromstring(made.body)
    assert element(root, "SectorPlans/SectorPlan/OwnerName").text == "Psykiatrisk Center Nordstrand"
    assert "Samtale hver anden torsdag" in made.body.decode()
    assert "Medicinen gennemgås" not in made.body.decode()

    def secret(plan: dict[str, Any]) -> None:
        plan["category"][0]["coding"][0]["code"] = "koordinationsplan"

    sector = next(
        k for k, r in view.resources.items() if k.startswith("CarePlan/") and "careTeam" not in r
    )
    first = {sector: view.resources[sector]} | dict(view.resources)
    hidden, key = changed_view("CarePlan", secret, replace(view, resources=first))
    assert key == sector
    made = render(hidden, OTHER)
    assert b"SectorPlan" not in made.body
    assert key in {x.path for x in made.losses}


def test_the_citizens_answer_is_shown_as_it_is_registered() -> None:
    view = view_of(PLAN_2, approval=answer(), approved=False)
    root = etree.fromstring(render(view).body)
    assert element(root, "Approval/ApprovedIndicator").text == "false"
    assert element(root, "Approval/DecisionCode").text == "ja"
    assert element(root, "Approval/ModeCode").text == "mundtligt"
    assert element(root, "Approval/Condition/ConditionText").text
    update = parse(etree.tostring(root))
    assert {x.kind for x in update.losses if "/Approval/" in x.path} == {"dropped"}


def test_a_protected_address_goes_to_the_leads_unit_alone() -> None:
    def protect(patient: dict[str, Any]) -> None:
        patient["meta"]["security"] = [{"system": names.CONFIDENTIALITY, "code": "R"}]

    view, key = changed_view("Patient", protect)
    mine, others = render(view, LEAD), render(view, OTHER)
    assert "Prøvevej" in mine.body.decode()
    assert mine.losses == ()
    for value in ("Prøvevej", ">0999<", "+4500000911"):
        assert value not in others.body.decode()
    assert "Havneby" not in texts(others.body, "DistrictName")
    reasons = {x.path: x.reason for x in others.losses}
    assert reasons[f"{key}/address[0]/line[0]"] == "the citizen's address is protected"
    assert f"{key}/telecom[0]/value" in reasons
    assert texts(others.body, "AddressProtectionIndicator") == ["true"]


UNCARRIED: list[tuple[str, Any, str, str]] = [
    ("Patient", lambda r: r.update(birthDate="1960-01-02"), "birthDate", "dropped"),
    ("Patient", lambda r: r["name"][0].update(use="official"), "name[0]/use", "dropped"),
    ("Patient", lambda r: r["telecom"][0].update(use="home"), "telecom[0]/use", "dropped"),
    ("Goal", lambda r: r.update(startDate="2026-09-15"), "startDate", "dropped"),
    ("Condition", lambda r: r["note"].append({"text": "Mere"}), "note[0]/text", "coarsened"),
    ("Observation", lambda r: r.update(status="amended"), "status", "coarsened"),
    ("CarePlan", lambda r: r.update(description="Andet"), "description", "dropped"),
    (
        "CarePlan",
        lambda r: r["identifier"].append({"value": "X-2"}),
        "identifier[1]/value",
        "coarsened",
    ),
    (
        "CarePlan",
        lambda r: r["activity"][0]["detail"].update(location={"display": "Stuen"}),
        "activity[0]/detail/location/display",
        "dropped",
    ),
    ("Organization", lambda r: r.update(alias=["RC"]), "alias[0]", "dropped"),
    (
        "PractitionerRole",
        lambda r: r["code"][0].update(coding=[{"system": "urn:x", "code": "9"}]),
        "code[0]/coding[0]/code",
        "dropped",
    ),
    ("RelatedPerson", lambda r: r.update(gender="female"), "gender", "dropped"),
    ("Appointment", lambda r: r.update(description="Ugemøde"), "description", "dropped"),
]


@pytest.mark.parametrize(
    ("kind", "change", "path", "loss"), UNCARRIED, ids=lambda v: v if isinstance(v, str) else ""
)
def test_what_has_no_place_is_a_loss_by_its_path(
    kind: str, change: Any, path: str, loss: str
) -> None:
    view, key = changed_view(kind, change)
    found = {x.path: x.kind for x in render(view).losses}
    assert found[f"{key}/{path}"] == loss
    assert all(p.startswith(f"{key}/") for p in found)


def test_a_resource_without_a_place_is_one_loss() -> None:
    view = view_of(PLAN_1)
    letter = {"resourceType": "DocumentReference", "id": "d-1", "status": "current"}
    view = replace(view, resources=dict(view.resources) | {"DocumentReference/d-1": letter})
    assert [(x.path, x.kind) for x in render(view).losses] == [("DocumentReference/d-1", "dropped")]


def test_characters_that_xml_has_no_place_for_are_a_loss() -> None:
    view, key = changed_view("Goal", lambda r: r["description"].update(text="Godt\x02 klaret"))
    made = render(view)
    assert "Godt klaret" in texts(made.body, "GoalText")
    assert [(x.path, x.kind) for x in made.losses] == [(f"{key}/description/text", "coarsened")]


def test_a_code_without_a_word_is_refused() -> None:
    def unknown(goal: dict[str, Any]) -> None:
        goal["extension"] = [{"url": names.SECTION, "valueCode": "astrology"}]

    view, _ = changed_view("Goal", unknown)
    with pytest.raises(CannotRender) as caught:
        render(view)
    assert "astrology" not in repr((caught.value.issues, str(caught.value)))


def test_what_this_format_does_not_carry() -> None:
    for content in (Notice("p", "plan-ended", ""), Receipt("d", "ok")):
        with pytest.raises(CannotRender):
            ADAPTER.render(content, OTHER, context())
    view = with_sector_plan(view_of(PLAN_1))
    only = {k: r for k, r in view.resources.items() if "careTeam" not in r}
    with pytest.raises(CannotRender, match="no shared plan"):
        render(replace(view, resources=only))


def test_a_reduced_copy_names_only_what_it_holds() -> None:
    """Goals that the receiver may not see are gone; what served them stands without them."""
    view = view_of(PLAN_1)
    goal = next(k for k in view.resources if k.startswith("Goal/"))
    plan = json.loads(json.dumps(next(iter(view.resources.values()))))
    plan["goal"] = [g for g in plan["goal"] if g["reference"] != goal]
    for activity in plan["activity"]:
        activity["detail"]["goal"] = [
            g for g in activity["detail"]["goal"] if g["reference"] != goal
        ]
    kept = {k: r for k, r in view.resources.items() if k != goal} | {f"CarePlan/{plan['id']}": plan}
    made = render(replace(view, resources=kept), OTHER)
    assert goal.partition("/")[2] not in made.body.decode()
    assert texts(made.body, "RankNumber")[3:5] == ["2", "3"]


def test_a_person_with_two_memberships_is_one_contact() -> None:
    def later(team: dict[str, Any]) -> None:
        lead = next(p for p in team["participant"] if p["role"][0]["coding"][0]["code"] == "lead")
        role = {"coding": [{"system": names.ROLE, "code": "professional"}]}
        team["participant"].append(
            {"role": [role], "member": dict(lead["member"]), "period": {"start": "2027-01-01"}}
        )

    view, key = changed_view("CareTeam", later)
    made = render(view)
    back = by_key(parse(made.body).resources)
    # Every membership is kept; the second now stands beside the first.
    order = [p["member"] for p in back[key]["participant"]]
    assert len(order) == len(view.resources[key]["participant"])
    assert order[1] == order[2]
    assert made.losses == ()


def test_the_samples_go_out_as_they_came_in() -> None:
    for name in ("minimal", "typical"):
        update = parse(sample(name))
        assert parse(render(view_from(update)).body).resources == update.resources


def test_the_view_is_left_as_it_was() -> None:
    view = with_sector_plan(view_of(PLAN_1))
    before = json.dumps(dict(view.resources), sort_keys=True)
    assert isinstance(view, PlanView)
    render(view, OTHER)
    assert json.dumps(dict(view.resources), sort_keys=True) == before

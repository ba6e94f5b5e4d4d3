"""Out: the owner's own document, re-issued with others' content for information."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

import pytest
from behandlingsplan_documents import OWNER, changed, context, documents, element, parse, sample
from hypothesis import given, settings
from lxml import etree

from adapters.behandlingsplan import ADAPTER
from adapters.behandlingsplan.parse import FORMAT
from adapters.xml_plan.other_plans import NOTICE
from hub.contract import Notice, PlanView, Receipt, Rendered, Resource, SourceDocument
from hub.errors import CannotRender
from hub.fhir import names
from hub.mapping.paths import leaves
from tests.views import PLAN_1, PLAN_2, parties, view_of

HEADER = {"MessageIdentifier", "SentDateTime", "SharedPlanIdentifier", "BaseVersion"}


class PdfPrinter:
    def plan(self, view: PlanView, *, now: datetime) -> bytes:
        return b"%PDF-1.7 " + str(view.version).encode() + now.isoformat().encode()


@lru_cache(maxsize=1)
def shared_view() -> PlanView:
    return view_of(PLAN_1)


def view_with(body: bytes, **kw: object) -> PlanView:
    return replace(
        shared_view(), own=SourceDocument("behandlingsplan", body, "application/xml"), **kw
    )


def render(view: PlanView, printer: PdfPrinter | None = None) -> Rendered:
    return ADAPTER.render(view, OWNER, context("delivery", printer))


def with_sector_plans(body: bytes) -> PlanView:
    """The shared plan, the owner's own sector plan, and another sector's plan."""
    own = parse(body).resources
    resources = dict(shared_view().resources)
    resources |= {f"{r['resourceType']}/{r['id']}": r for r in own}
    theirs = json.loads(
        json.dumps(parse(sample("typical-2")).resources)
        .replace('"behandlingsplan"', '"handleplan-141"')
        .replace("Psykiatrisk Center Nordstrand", "Havneby Kommune, Socialafdelingen")
        .replace("999000000101", "999000000202")
    )
    resources |= {f"{r['resourceType']}/{r['id']}": r for r in theirs}
    return view_with(body, resources=resources, own_part=f"CarePlan/{own[0]['id']}")


def own_content(root: etree._Element) -> list[tuple[str, dict, str | None]]:
    """The owner's leaves in order, exactly as written, without what the hub writes."""
    for name in HEADER:
        for found in root.findall(f"{{*}}MessageHeader/{{*}}{name}"):
            found.getparent().remove(found)
    for found in root.findall("{*}OtherPlans"):
        root.remove(found)
    return [(e.tag, dict(e.attrib), e.text) for e in root.iter() if len(e) == 0]


def test_without_an_own_document_nothing_is_made() -> None:
    with pytest.raises(CannotRender):
        render(shared_view())
    with pytest.raises(CannotRender):
        render(replace(shared_view(), own=SourceDocument("vum", b"{}", "application/json")))


@pytest.mark.parametrize("content", [Notice("p", "withdrawn", "t"), Receipt("m", "ok")])
def test_only_a_plan_is_rendered(content: Notice | Receipt) -> None:
    with pytest.raises(CannotRender):
        ADAPTER.render(content, OWNER, context())


def test_an_unreadable_own_document_is_the_operators() -> None:
    with pytest.raises(CannotRender) as caught:
        render(view_with(changed(sample("typical"), "PlanVersion/PlanStatusCode", "hemmelig")))
    assert "hemmelig" not in str(caught.value)


def test_two_citizens_are_never_mixed() -> None:
    with pytest.raises(CannotRender) as caught:
        render(view_with(sample("typical-2")))
    assert "1507729995" not in str(caught.value)
    own = SourceDocument("behandlingsplan", sample("typical-2"), "application/xml")
    assert ADAPTER.render(view_of(PLAN_2, own=own), OWNER, context()).body


def test_the_owners_document_goes_to_no_other_unit() -> None:
    with pytest.raises(CannotRender):
        ADAPTER.render(view_with(sample("typical")), parties()["rus-havneby"], context())


def test_header_is_readdressed_and_the_rest_is_the_owners() -> None:
    view = view_with(sample("typical"), version=7)
    rendered = render(view)
    header = FORMAT.record(etree.fromstring(rendered.body))["MessageHeader"]
    assert header == {
        "MessageIdentifier": rendered.message_id,
        "SentDateTime": "2026-09-20T08:00:00+00:00",
        "SenderSORIdentifier": "999000000101",
        "CaseIdentifier": "PSYK-2026-000117",
        "SharedPlanIdentifier": view.plan_id,
        "BaseVersion": "7",
    }
    assert own_content(etree.fromstring(rendered.body)) == own_content(
        etree.fromstring(sample("typical"))
    )
    assert rendered.media_type == ADAPTER.media_types[0]


def test_an_earlier_header_and_other_plans_are_replaced() -> None:
    rendered = render(view_with(sample("everything")))
    root = etree.fromstring(rendered.body)
    assert len(root.findall("{*}OtherPlans")) == 1
    header = FORMAT.record(root)["MessageHeader"]
    assert header["BaseVersion"] == "1"
    assert "Ugentlig samtale om brug af hash." not in rendered.body.decode()
    assert render(view_with(rendered.body)).body == rendered.body, "a re-issue is stable"


def test_rendering_is_repeatable() -> None:
    view = with_sector_plans(sample("typical"))
    assert render(view, PdfPrinter()) == render(view, PdfPrinter())


def test_shared_plan_and_others_are_told_and_the_owners_plan_is_not_repeated() -> None:
    rendered = render(with_sector_plans(sample("typical")))
    others = FORMAT.record(etree.fromstring(rendered.body))["OtherPlans"]
    assert others["NoticeText"].startswith("Til orientering")
    shared = others["SharedPlan"]
    assert shared["ApprovedIndicator"] == "true"
    assert [g["PositionNumber"] for g in shared["Goal"]] == ["1", "2", "3"]
    assert shared["Intervention"][2]["GoalPositionNumber"] == ["3", "2"]
    assert shared["NextMeeting"]["LatestDate"] == "2026-12-07"
    assert shared["Meeting"]["DeclinedParticipant"][0]["ReasonText"] == "sygdom"
    assert isinstance(others["OtherPlan"], dict), "one other plan, the own one left out"
    assert others["OtherPlan"]["PlanKindCode"] == "handleplan-141"
    assert others["OtherPlan"]["OwnerName"] == "Havneby Kommune, Socialafdelingen"
    assert len(others["OtherPlan"]["Effort"]) == 4


def test_the_citizens_contact_data_is_not_repeated() -> None:
    rendered = render(view_with(sample("typical")))
    assert "+4500000911" not in rendered.body.decode()
    patient = next(k for k in shared_view().resources if k.startswith("Patient/"))
    assert f"{patient}.telecom.value" in {loss.path for loss in rendered.losses}


def test_the_pdf_is_attached() -> None:
    view = view_with(sample("typical"), version=3)
    body = render(view, PdfPrinter()).body
    attached = element(etree.fromstring(body), "OtherPlans/AttachedDocument/ContentBinary")
    assert base64.b64decode(attached.text or "").startswith(b"%PDF-1.7 3")
    assert b"AttachedDocument" not in render(view).body


def test_what_has_no_place_is_a_loss_by_fhir_path() -> None:
    rendered = render(view_with(sample("typical")))
    plan = next(iter(shared_view().resources))
    paths = {loss.path for loss in rendered.losses}
    assert f"{plan}.extension[1].valueInteger" in paths, "the level"
    assert any(p.startswith("Appointment/") and p.endswith("participant.type") for p in paths)
    assert not any("description" in p for p in paths)


def test_content_of_an_unforeseen_kind_is_a_loss() -> None:
    resources = dict(shared_view().resources)
    key = next(k for k in resources if k.startswith("Goal/"))
    resources[key] = resources[key] | {
        "lifecycleStatus": "cancelled",
        "note": [{"text": "Ny note"}],
    }
    resources["DocumentReference/d1"] = {
        "resourceType": "DocumentReference",
        "id": "d1",
        "description": "Et bilag",
    }
    paths = {x.path for x in render(view_with(sample("typical"), resources=resources)).losses}
    assert {
        f"{key}.lifecycleStatus",
        f"{key}.note.text",
        "DocumentReference/d1.description",
    } <= paths


def test_a_shortened_value_is_a_loss() -> None:
    resources = dict(shared_view().resources)
    key = next(k for k in resources if k.startswith("Appointment/"))
    hour = {k: v for k, v in resources[key].items() if k not in {"extension", "_start"}}
    resources[key] = hour | {"start": "2026-09-08T10:00:00+02:00"}
    rendered = render(view_with(sample("typical"), resources=resources))
    assert f"{key}.start" in {loss.path for loss in rendered.losses}
    assert b"<MeetingDate>2026-09-08</MeetingDate>" in rendered.body


def test_codes_this_format_does_not_have_are_losses_and_the_item_stays() -> None:
    resources = dict(shared_view().resources)
    key = next(iter(resources))
    plan: Resource = json.loads(json.dumps(resources[key]))
    plan["activity"][0]["detail"]["status"] = "ny-status"
    plan["activity"][0]["extension"].append({"url": names.SECTION, "valueCode": "ny"})
    resources[key] = plan
    rendered = render(view_with(sample("typical"), resources=resources))
    reasons = [x.reason for x in rendered.losses if "#activity." in x.path]
    assert reasons == [
        "EffortStatusCode has no such code",
        "SectionCode has no such code",
    ]
    assert len(
        FORMAT.record(etree.fromstring(rendered.body))["OtherPlans"]["SharedPlan"]["Intervention"]
    )


def test_characters_that_xml_has_no_place_for_do_not_stop_a_delivery() -> None:
    resources = dict(shared_view().resources)
    key = next(k for k in resources if k.startswith("Goal/"))
    goal = resources[key] | {"description": {"text": "før\x00\ud800efter\ufffe"}}
    rendered = render(view_with(sample("typical"), resources=resources | {key: goal}))
    assert "føreefter" not in rendered.body.decode()
    assert "førefter" in rendered.body.decode()
    assert f"{key}.description.text" in {loss.path for loss in rendered.losses}


@settings(max_examples=40, deadline=None)
@given(documents())
def test_a_reissue_is_valid_and_parses_to_the_same_own_content(body: bytes) -> None:
    number = shared_view_for(body)
    rendered = render(view_with(body, resources=number))
    root = etree.fromstring(rendered.body)
    assert FORMAT.schema.issues_of(root) == ()
    again, before = parse(rendered.body), parse(body)
    assert again.resources == before.resources
    assert (again.losses, again.case, again.issues) == (before.losses, before.case, before.issues)
    assert (again.plan_id, again.base_version) == (shared_view().plan_id, 1)
    assert own_content(root) == own_content(etree.fromstring(body))


def shared_view_for(body: bytes) -> dict[str, Resource]:
    """The shared view's resources with the patient numbered as in the document."""
    identifiers = parse(body).citizen.identifiers
    resources = dict(shared_view().resources)
    key = next(k for k in resources if k.startswith("Patient/"))
    found = [{"system": i.system, "value": i.value} for i in identifiers]
    return resources | {key: resources[key] | {"identifier": found}}


@pytest.mark.parametrize("plan", [PLAN_1, PLAN_2])
def test_nothing_in_the_output_was_in_neither_input(plan: str) -> None:
    name = "typical" if plan == PLAN_1 else "typical-2"
    view = with_sector_plans(sample(name)) if plan == PLAN_1 else view_of(plan)
    view = replace(view, own=SourceDocument("behandlingsplan", sample(name), "application/xml"))
    known = {str(value) for _, value in leaves(list(view.resources.values()))}
    root = etree.fromstring(render(view).body)
    made = {NOTICE, "true", "false"}
    for leaf in element(root, "OtherPlans").iter():
        local = etree.QName(leaf).localname
        if len(leaf) or local in {"SectionCode", "RoleCode", "EffortStatusCode"}:
            continue
        assert leaf.text in made or leaf.text in known, local

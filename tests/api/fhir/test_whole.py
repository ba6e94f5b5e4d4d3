"""$everything and $document."""

from __future__ import annotations

import json

import pytest
from lxml import etree

from hub.fhir.bundles import Index, entries
from hub.fhir.codec import dump_json
from hub.fhir.narrative import narrative_problem
from hub.fhir.validation.validator import EmbeddedValidator
from hub.fhir.xml import to_xml
from tests.api.fhir.client import audited, bundle, found, get, keys, link, pages, publish
from tests.api.world import CPR_1, GP, PLAN_1, PSYK, RUS, SOCIAL, World, problem


def patient_of(world: World, plan: str) -> str:
    subject = found(get(world, f"CarePlan/{plan}", RUS))["subject"]["reference"]
    assert isinstance(subject, str)
    return subject


def test_everything_of_a_plan_is_its_view(full: World, plan: str) -> None:
    whole = bundle(get(full, f"CarePlan/{plan}/$everything", RUS), "searchset")
    assert keys(whole)[0] == f"CarePlan/{plan}"
    assert keys(whole, "match") == [f"CarePlan/{plan}"]
    assert whole["total"] == len(set(keys(whole))) == len(keys(whole))
    assert Index(entries(whole)).dangling() == []
    assert audited(full, "everything") == [(RUS, f"CarePlan/{plan}/_history/3")]


def test_everything_of_a_citizen_is_of_that_citizen_alone(full: World, plan: str) -> None:
    patient = patient_of(full, plan)
    whole = bundle(get(full, f"{patient}/$everything", PSYK), "searchset")
    assert keys(whole)[0] == patient
    plans = bundle(get(full, "CarePlan?category=ki-plan", PSYK), "searchset")
    (other,) = {k for k in keys(plans) if k != f"CarePlan/{plan}"}
    assert f"CarePlan/{plan}" in keys(whole)
    assert other not in keys(whole)
    text = json.dumps(whole)
    assert other.split("/")[1] not in text
    consents = bundle(get(full, f"Consent?patient={patient}", RUS), "searchset")
    of_lead = bundle(get(full, f"{patient}/$everything", RUS), "searchset")
    assert set(keys(consents)) <= set(keys(of_lead))


def test_everything_can_be_narrowed_and_paged(full: World, plan: str) -> None:
    url = f"CarePlan/{plan}/$everything"
    whole = keys(bundle(get(full, url, RUS), "searchset"))
    goals = keys(bundle(get(full, f"{url}?_type=Goal,Condition", RUS), "searchset"))
    assert goals == [k for k in whole if k.split("/")[0] in {"Goal", "Condition"}]
    late = bundle(get(full, f"{url}?_since=2026-09-20T10:03:00Z", RUS), "searchset")
    assert keys(late) == [f"CarePlan/{plan}"]
    paged = [k for p in pages(full, f"{url}?_count=7", RUS) for k in keys(p)]
    assert paged == whole
    for wrong in ("_type=Robot", "_since=x", "_count=0"):
        problem(get(full, f"{url}?{wrong}", RUS), 400)
    problem(get(full, f"{url}?x=1", RUS, Prefer="handling=strict"), 400)


def test_an_operation_can_be_asked_by_post(full: World, plan: str) -> None:
    url = f"/fhir/CarePlan/{plan}/$everything"
    goals = keys(
        bundle(get(full, f"CarePlan/{plan}/$everything?_type=Goal,Condition", RUS), "searchset")
    )
    asked = {
        "resourceType": "Parameters",
        "parameter": [{"name": "_type", "valueString": "Goal"},
                      {"name": "_type", "valueString": "Condition"},
                      {"name": "_count", "valueInteger": 2}],
    }  # fmt: skip
    for body, media_type in ((dump_json(asked), "application/fhir+json"),
                             (to_xml(asked), "application/fhir+xml")):  # fmt: skip
        headers = {"Content-Type": media_type}
        answer = full.request("POST", url, RUS, content=body, headers=headers)
        first = bundle(answer, "searchset")
        following = link(first, "next")
        assert following is not None
        rest = [k for p in pages(full, following, RUS) for k in keys(p)]
        assert keys(first) + rest == goals
    whole = bundle(get(full, f"CarePlan/{plan}/$everything", RUS), "searchset")
    assert keys(bundle(full.request("POST", url, RUS), "searchset")) == keys(whole)
    document = full.request("POST", f"/fhir/CarePlan/{plan}/$document", RUS)
    assert document.content == get(full, f"CarePlan/{plan}/$document", RUS).content


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"resourceType": "Goal"}', 400),
        (b'{"resourceType": "Parameters", "parameter": [{"name": "_type"}]}', 400),
        (b'{"resourceType": "Parameters", "parameter": [1]}', 400),
        (b'{"resourceType": "Parameters", "parameter": {}}', 400),
        (b'{"resourceType": "Parameters", "parameter": [{"name": "x", "valueCoding": {}}]}', 400),
        (b'{"resourceType": "Parameters", "parameter": [{"name": "x", "valueString": "%s"}]}'
         % CPR_1.encode(), 422),
        (b"x", 400),
    ],
)  # fmt: skip
def test_what_no_operation_is_asked(full: World, plan: str, body: bytes, status: int) -> None:
    for operation in ("$everything", "$document"):
        answer = full.request("POST", f"/fhir/CarePlan/{plan}/{operation}", RUS, content=body)
        problem(answer, status)
        assert CPR_1 not in answer.text


def test_a_document_is_legal_and_so_is_everything(full: World, plan: str) -> None:
    validator = EmbeddedValidator()
    for url in (f"CarePlan/{plan}/$document", f"CarePlan/{plan}/$everything",
                f"{patient_of(full, plan)}/$everything"):  # fmt: skip
        for who in (RUS, PSYK, GP):
            whole = found(get(full, url, who))
            issues = validator.check_bundle(whole)
            assert [i for i in issues if i.severity in {"error", "fatal"}] == [], url


def test_everything_of_a_sector_plan_is_what_it_leads_to(full: World, plan: str) -> None:
    parts = keys(bundle(get(full, f"CarePlan?part-of={plan}", PSYK), "searchset"))
    for part in parts:
        whole = keys(bundle(get(full, f"{part}/$everything", PSYK), "searchset"))
        assert whole[0] == part
        assert f"CarePlan/{plan}" not in whole
        assert 1 < len(whole) < 40


def test_a_document_is_the_template_in_order_with_everything_inside(full: World, plan: str) -> None:
    answer = get(full, f"CarePlan/{plan}/$document", RUS)
    document = bundle(answer, "document")
    assert answer.headers["ETag"] == 'W/"3"'
    composition = document["entry"][0]["resource"]
    assert composition["resourceType"] == "Composition"
    assert [s["title"][:2] for s in composition["section"]] == [f"{c}." for c in "ABCDEFGHIJ"]
    assert Index(entries(document)).dangling() == []
    for section in composition["section"]:
        assert section["text"]["status"] == "generated"
        assert narrative_problem(section["text"]["div"]) is None
    assert keys(document)[1] == f"CarePlan/{plan}"
    assert document["timestamp"] == composition["date"] == "2026-09-20T10:03:00+00:00"
    assert audited(full, "document") == [(RUS, f"CarePlan/{plan}/_history/3")]


def test_a_document_tells_what_the_plan_says(full: World, plan: str) -> None:
    """Every text of the shared part, in the section that is its own."""
    document = found(get(full, f"CarePlan/{plan}/$document", RUS))
    told = {
        s["title"][0]: "".join(etree.fromstring(s["text"]["div"]).itertext())
        for s in document["entry"][0]["resource"]["section"]
    }
    source = [e["resource"] for e in json.loads(PLAN_1)["entry"]]
    goals = [r["description"]["text"] for r in source if r["resourceType"] == "Goal"]
    notes = [r["valueString"] for r in source if r["resourceType"] == "Observation"]
    efforts = [a["detail"]["description"] for a in source[0]["activity"]]
    assert all(g in told["F"] for g in goals)
    assert all(n in told["D"] for n in notes)
    assert all(e in told["G"] for e in efforts)
    assert "Karla Testine Nygaard" in told["A"]
    assert "slut november – start december" in told["H"]
    assert "telefon?" in told["B"]
    assert told["J"].strip()


def test_a_document_is_the_same_for_a_version_and_another_for_a_reader(
    full: World, plan: str
) -> None:
    url = f"CarePlan/{plan}/$document"
    first = get(full, url, RUS)
    full.clock.advance(days=1)
    assert get(full, url, RUS).content == first.content
    assert get(full, url, SOCIAL).json()["id"] != first.json()["id"]
    publish(full, RUS, title="Helt ny")
    newer = get(full, url, RUS).json()
    assert newer["id"] != first.json()["id"]
    assert newer["entry"][0]["resource"]["title"] == "Helt ny"


def test_what_a_plan_says_is_text_and_never_markup(planned: World, plan: str) -> None:
    wild = "<script>alert(1)</script> & </td>\u0007 \"'\nnæste linje"
    publish(planned, RUS, title=wild.replace("\u0007", "").replace("\n", " "))
    document = found(get(planned, f"CarePlan/{plan}/$document", RUS))
    assert document["entry"][0]["resource"]["title"].startswith("<script>")
    bundle_ = json.loads(PLAN_1)
    goal = next(e["resource"] for e in bundle_["entry"] if e["resource"]["resourceType"] == "Goal")
    goal["description"]["text"] = wild.replace("\u0007", "")
    planned.clock.advance(minutes=1)
    assert planned.post("/documents/fhir", RUS, json.dumps(bundle_).encode()).status_code == 200
    document = found(get(planned, f"CarePlan/{plan}/$document", RUS))
    section = document["entry"][0]["resource"]["section"][5]
    assert "<script>" not in section["text"]["div"]
    assert narrative_problem(section["text"]["div"]) is None
    text = "".join(etree.fromstring(section["text"]["div"]).itertext())
    assert "<script>alert(1)</script> & </td>" in text
    assert text.count("<script>") == text.count("næste linje") == 1
    assert "<br/>næste linje" in section["text"]["div"]


@pytest.mark.parametrize("operation", ["$everything", "$document"])
def test_a_gated_reader_gets_what_was_approved(full: World, plan: str, operation: str) -> None:
    whole = found(get(full, f"CarePlan/{plan}/{operation}", GP))
    (own,) = [e["resource"] for e in whole["entry"] if e["resource"].get("id") == plan]
    assert own["meta"]["versionId"] == "1"
    for other in ("none", "%00", "x" * 65):
        problem(get(full, f"CarePlan/{other}/{operation}", GP), 404)
    problem(get(full, f"Goal/{plan}/{operation}", GP), 404)

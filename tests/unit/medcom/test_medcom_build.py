"""A plan copy and a notice as MedCom messages: what they say, and what they must not."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from typing import Any

import pytest
import yaml
from fhir.resources.R4B.bundle import Bundle
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters.medcom import ADAPTER, urls
from adapters.medcom.codes import FORMAT
from adapters.medcom.message import Message, extension
from adapters.medcom.narrative import clean, shown_values
from adapters.medcom.rules import check
from adapters.pdf import PRINTER
from hub.contract import Notice, Party, PlanView, Receipt
from hub.errors import CannotRender, TooLargeToSend, Unsupported
from hub.fhir import names
from hub.fhir.reading import PlanReader
from hub.mapping import load_table, mappings_folder
from tests.unit.medcom.messages import (
    GP,
    NOW,
    SENDER,
    FixedPrinter,
    SmallPrinter,
    context,
    copy_bundle,
    first,
    rendered,
    small_pdf,
)
from tests.views import PLAN_1, PLAN_2, parties, view_of

LOCAL = parties()["koord-havneby"]


@pytest.mark.parametrize("plan", [PLAN_1, PLAN_2], ids=["plan-1", "plan-2"])
def test_the_copy_is_a_valid_message_with_the_printed_plan(plan: Any) -> None:
    view = view_of(plan)
    assert view.lead is not None
    made = ADAPTER.render(view, GP, context(sender=view.lead, printer=PRINTER))
    bundle = json.loads(made.body)
    assert check(Message(bundle)) == ()
    Bundle.model_validate(bundle)
    segment, attachment = first(bundle, "Communication")["payload"]
    pdf = base64.b64decode(attachment["contentAttachment"]["data"], validate=True)
    assert pdf == PRINTER.plan(view, now=NOW)
    assert attachment["contentAttachment"]["title"] == "Koordinerende indsatsplan"
    for goal in PlanReader(view.resources).goals():
        assert goal.text in segment["contentString"]


def test_the_header_names_both_units_and_is_what_the_receipt_will_name() -> None:
    made = rendered()
    header = json.loads(made.body)["entry"][0]["resource"]
    assert header["id"] == made.message_id
    assert header["source"]["endpoint"].endswith("#id=999000000203")
    assert header["destination"][0]["endpoint"].endswith("#id=999000000305")
    assert header["definition"] == urls.CC_DEFINITION


def test_the_thread_holds_what_later_messages_need() -> None:
    made = rendered()
    communication = first(json.loads(made.body), "Communication")
    assert made.thread is not None
    assert made.thread["communication"] == communication["identifier"][0]["value"]
    assert made.thread["message"] == made.message_id
    found = [
        extension(p, urls.IDENTIFIER)[0]["valueIdentifier"]["value"]
        for p in communication["payload"]
    ]
    assert made.thread_key == made.thread["communication"]
    assert found == [
        extension(p, urls.IDENTIFIER)[0]["valueIdentifier"]["value"]
        for p in made.thread["payloads"]
    ]
    assert "data" not in json.dumps(made.thread["payloads"])
    assert json.loads(json.dumps(made.thread)) == made.thread


def test_each_delivery_is_a_message_and_a_thread_of_its_own() -> None:
    one, two = rendered(scope="delivery-1"), rendered(scope="delivery-2")
    assert one.message_id != two.message_id
    assert one.thread is not None
    assert two.thread is not None
    assert one.thread["communication"] != two.thread["communication"]
    assert rendered(scope="delivery-1").body == one.body


def test_the_citizens_address_and_phone_are_in_no_resource() -> None:
    body = rendered().body.decode()
    for kept in ("Prøvevej", "+4500000911"):
        assert kept not in body
    assert "0201609996" in body


def test_a_protected_citizen_is_labelled_and_printed_without_address() -> None:
    view = view_of(PLAN_1)
    key = next(k for k in view.resources if k.startswith("Patient/"))
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
    hidden = view.resources[key] | {"meta": {"security": [label]}}
    printer = SmallPrinter([])
    bundle = copy_bundle(replace(view, resources={**view.resources, key: hidden}), printer=printer)
    patient = first(bundle, "Patient")
    assert patient["meta"]["security"] == [label]
    assert "Sikkerhedsmærke / Security label:</b> R" in patient["text"]["div"]
    assert not {"address", "telecom"} & set(printer.shown[0].resources[key])


def test_defaults_and_options_of_category_and_topic() -> None:
    communication = first(copy_bundle(), "Communication")
    assert communication["category"][0]["coding"][0]["code"] == "carecoordination"
    assert communication["topic"]["text"] == "Plan til orientering"
    options = {"category": "psychiatry-social-disability", "topic": "Til orientering"}
    communication = first(copy_bundle(options=options), "Communication")
    assert communication["category"][0]["coding"][0]["code"] == "psychiatry-social-disability"
    assert communication["topic"]["text"] == "Til orientering"


@pytest.mark.parametrize("category", ["alcohol-and-drug-treatment", "assessment", "nonsense"])
def test_a_category_that_discloses_or_is_unknown_is_refused(category: str) -> None:
    with pytest.raises(CannotRender) as e:
        rendered(options={"category": category})
    assert e.value.issues[0].expression == "options.category"


def _without(party: Party, system: str) -> Party:
    return replace(party, identifiers=tuple(i for i in party.identifiers if i.system != system))


@pytest.mark.parametrize("who", ["sender", "receiver"])
@pytest.mark.parametrize(("system", "name"), [(names.SOR, "SOR"), (names.GLN, "GLN")])
def test_a_missing_number_of_a_unit_is_named(who: str, system: str, name: str) -> None:
    sender = _without(SENDER, system) if who == "sender" else SENDER
    gp = _without(GP, system) if who == "receiver" else GP
    with pytest.raises(CannotRender, match=f"{who} has no valid {name}"):
        rendered(gp=gp, sender=sender)


def _changed(view: PlanView, kind: str, change: Any) -> PlanView:
    return replace(
        view,
        resources={
            k: r | change(r) if k.startswith(kind + "/") else r for k, r in view.resources.items()
        },
    )


def test_a_citizen_without_a_number_cannot_be_written_about() -> None:
    view = _changed(view_of(PLAN_1), "Patient", lambda _: {"identifier": []})
    with pytest.raises(CannotRender, match="replacement number"):
        rendered(view)


def test_a_replacement_number_is_sent_as_temporary() -> None:
    number = {"system": names.D_ECPR[5], "value": "1206550VK9"}
    view = _changed(view_of(PLAN_1), "Patient", lambda _: {"identifier": [number]})
    assert first(copy_bundle(view), "Patient")["identifier"] == [{"use": "temp", **number}]


@pytest.mark.parametrize("display", ["Mette", "", "  "])
def test_a_lead_without_a_whole_name_cannot_sign(display: str) -> None:
    def change(_: Any) -> dict[str, Any]:
        return {"practitioner": {"display": display}}

    with pytest.raises(CannotRender, match="given and family name"):
        rendered(_changed(view_of(PLAN_1), "PractitionerRole", change))


def test_a_structured_name_is_sent_as_it_is() -> None:
    view = view_of(PLAN_1)
    person = {"resourceType": "Practitioner", "id": "p1", "name": [
        {"family": "von Prøve Holm", "given": ["Mette"]}
    ]}  # fmt: skip
    view = _changed(
        view, "PractitionerRole", lambda _: {"practitioner": {"reference": "Practitioner/p1"}}
    )
    view = replace(view, resources={**view.resources, "Practitioner/p1": person})
    (name,) = first(copy_bundle(view), "Practitioner")["name"]
    assert name == {"family": "von Prøve Holm", "given": ["Mette"]}


def test_a_lead_without_a_title_signs_as_the_function_and_it_is_a_loss() -> None:
    made = rendered(_changed(view_of(PLAN_1), "PractitionerRole", lambda _: {"code": []}))
    role = first(json.loads(made.body), "PractitionerRole")
    assert role["code"] == [{"text": "Tovholder"}]
    lead = PlanReader(view_of(PLAN_1).resources).plan["author"]["reference"]
    assert [x.path for x in made.losses if x.kind == "defaulted"] == [f"{lead}.code"]


def test_a_new_version_in_the_same_delivery_is_another_message() -> None:
    view = view_of(PLAN_1)
    assert rendered(view).message_id != rendered(replace(view, version=2)).message_id


def test_a_unit_without_a_number_is_signed_with_the_leads() -> None:
    bundle = copy_bundle(view_of(PLAN_1, lead=None), sender=replace(SENDER, phone=None))
    contact = extension(first(bundle, "Communication")["payload"][0], urls.CONTACT)[0]
    assert contact["valueContactPoint"]["value"] == "+4500000921"
    unknown = _changed(
        view_of(PLAN_1, lead=None),
        "PractitionerRole",
        lambda _: {"telecom": [{"system": "phone", "value": "telefon?"}]},
    )
    with pytest.raises(CannotRender, match="telephone"):
        rendered(unknown, sender=replace(SENDER, phone=None))


def test_a_pdf_too_large_or_none_at_all_is_refused() -> None:
    large = FixedPrinter(small_pdf().ljust(20_000_001, b"\n"))
    with pytest.raises(TooLargeToSend, match="20 MB"):
        rendered(printer=large)
    assert rendered(printer=large, options={"attachment-megabytes": "21"}).body
    with pytest.raises(TooLargeToSend, match="2 MB"):
        rendered(printer=FixedPrinter(small_pdf().ljust(2_000_001, b"\n")),
                 options={"attachment-megabytes": "2"})  # fmt: skip
    with pytest.raises(CannotRender, match="did not make a PDF"):
        rendered(printer=FixedPrinter(b"<html>"))
    with pytest.raises(CannotRender, match="printer"):
        rendered(printer=None)


def test_a_notice_is_text_about_the_citizen_of_the_last_copy() -> None:
    notice = Notice("p1", "consent-withdrawn", "Samtykket er trukket tilbage.")
    made = rendered(notice, scope="notice-1", thread=rendered().thread)
    bundle = json.loads(made.body)
    assert check(Message(bundle)) == ()
    Bundle.model_validate(bundle)
    (segment,) = first(bundle, "Communication")["payload"]
    assert "Samtykket er trukket tilbage." in segment["contentString"]
    assert first(bundle, "Patient")["identifier"][0]["value"] == "0201609996"
    assert "hash" not in made.body.decode()
    assert made.message_id != rendered().message_id


def test_a_notice_without_an_earlier_copy_or_text_cannot_be_written() -> None:
    with pytest.raises(CannotRender, match="no plan copy"):
        rendered(Notice("p1", "plan-ended", "Planen er afsluttet."))
    with pytest.raises(CannotRender, match="no text"):
        rendered(Notice("p1", "plan-ended", " "), thread=rendered().thread)


def test_a_receipt_does_not_hold_what_an_acknowledgement_repeats() -> None:
    with pytest.raises(Unsupported):
        ADAPTER.render(Receipt("m1", "ok"), GP, context())


def test_a_sender_without_national_numbers_is_an_operators_task() -> None:
    with pytest.raises(CannotRender) as e:
        rendered(sender=LOCAL)
    assert e.value.move == "operator"


def test_the_documented_lines_are_the_lines() -> None:
    table = load_table(mappings_folder(FORMAT) / "text.yaml")
    spoken = first(copy_bundle(), "Communication")["payload"][0]["contentString"]
    written = {m[0] for m in re.finditer(r"(?m)(?<=^)[A-ZÆØÅ][a-zæøå. ]+(?=:)", _flat(spoken))}
    assert {row.source for row in table.rows} <= written
    assert written - {row.source for row in table.rows} == {"Beskeden er ikke til akutte forhold"}
    assert yaml.safe_load((mappings_folder(FORMAT) / "text.yaml").read_text("utf-8"))


def _flat(spoken: str) -> str:
    return "\n".join(line.strip() for line in spoken.split("\n"))


# Plans of any content

texts = st.text(max_size=60) | st.sampled_from(
    [
        "</div><script>alert(1)</script>",
        "<b>fed</b> & 'citat' \"citat\"",
        "første linje\nTovholder:\n   Falsk Navn",
        "\r\nMål:\r\n1. falsk",
        "]]><!-- \x00\x0b\ud800 -->",
    ]
)
words = st.text(st.characters(exclude_categories=["Z", "C"]), min_size=1, max_size=12).filter(
    lambda w: w.split() == [w] and "," not in w
)


@st.composite
def plans(draw: st.DrawFn) -> PlanView:
    """Plan 1 with other goals, interventions, next meeting, lead and citizen."""
    view = view_of(PLAN_1)
    resources = {k: r for k, r in view.resources.items() if not k.startswith("Goal/")}
    goals = [f"Goal/g{i}" for i in range(draw(st.integers(0, 3)))]
    for key in goals:
        resources[key] = {
            "resourceType": "Goal", "id": key[5:], "description": {"text": draw(texts)},
        }  # fmt: skip
    key = f"CarePlan/{view.plan_id}"
    served = st.lists(st.sampled_from(goals), unique=True) if goals else st.just([])
    activities = [
        {
            "id": f"a{i}",
            "detail": {
                "description": draw(texts),
                "goal": [{"reference": g} for g in draw(served)],
                "performer": [{"display": d} for d in draw(st.lists(texts, max_size=2))],
                "scheduledString": draw(texts),
            },
        }
        for i in range(draw(st.integers(0, 3)))
    ]
    meeting = {"url": names.NEXT_MEETING, "extension": [
        {"url": "time", "valueString": draw(texts)}, {"url": "place", "valueString": draw(texts)},
        {"url": "convener", "extension": [{"url": "who", "valueString": draw(texts)}]},
    ]}  # fmt: skip
    resources[key] = resources[key] | {
        "goal": [{"reference": g} for g in goals], "activity": activities, "extension": [meeting],
    }  # fmt: skip
    lead = resources[key]["author"]["reference"]
    name = " ".join(draw(st.lists(words, min_size=2, max_size=4)))
    resources[lead] = resources[lead] | {
        "practitioner": {"display": name}, "code": [{"text": draw(texts)}],
        "telecom": [{"system": "phone", "value": draw(texts)}],
    }  # fmt: skip
    citizen = resources[key]["subject"]["reference"]
    resources[citizen] = resources[citizen] | {"name": draw(st.sampled_from([[], [{}]])) or [
        {"text": draw(texts)}
    ]}  # fmt: skip
    return replace(view, resources=resources, approved=draw(st.booleans()))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plans())
def test_any_plan_becomes_a_message_that_keeps_every_rule(view: PlanView) -> None:
    made = rendered(view)
    bundle = json.loads(made.body)
    assert check(Message(bundle)) == ()
    for entry in bundle["entry"]:
        resource = entry["resource"]
        div = etree.fromstring(resource["text"]["div"])
        spoken = _plain("".join(div.itertext()))
        for value in shown_values(resource):
            assert _plain(clean(value)) in spoken
        assert {etree.QName(e).localname for e in div.iter()} <= {"div", "p", "b", "br"}
        for payload in resource.get("payload", ()):
            data = payload.get("contentAttachment", {}).get("data")
            assert data is None or data[:40] not in resource["text"]["div"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plans())
def test_no_text_of_a_plan_passes_for_a_line_of_the_message(view: PlanView) -> None:
    spoken = first(copy_bundle(view), "Communication")["payload"][0]["contentString"]
    plain = {line for line in spoken.split("\n") if line and not line.startswith("   ")}
    headings = {"Tovholder:", "Mål:", "Aftalte indsatser:", "Næste møde:"}
    assert len(plain - headings) == 4
    assert [spoken.split("\n").count(h) for h in sorted(headings)] == [1] * 4
    for goal in PlanReader(view.resources).goals():
        for line in clean(goal.text).strip().split("\n"):
            assert line.strip() in spoken


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plans())
def test_every_part_of_a_plan_is_in_the_message_or_is_a_loss(view: PlanView) -> None:
    losses = rendered(view).losses
    assert {loss.path.split(".")[0] for loss in losses} == set(view.resources)
    plan = view.resources[f"CarePlan/{view.plan_id}"]
    paths = {loss.path for loss in losses}
    for i, _ in enumerate(plan["activity"]):
        assert f"CarePlan/{view.plan_id}.activity[{i}]" in paths
    assert not any("0201609996" in loss.path + loss.reason for loss in losses)


def _plain(spoken: str) -> str:
    return "".join(spoken.split())

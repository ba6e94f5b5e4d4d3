"""Every rule, broken once, is caught under its published id; a whole message breaks none."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from adapters.medcom import ack_rules, acknowledge, rules, urls
from adapters.medcom.message import Message, extension
from hub.fhir import names
from tests.unit.medcom.messages import (
    LATER,
    add,
    copy_bundle,
    first,
    forwarded,
    ids,
    reply_to,
)
from tests.views import VALIDATOR, errors_in

Bundle = dict[str, Any]
Break = Callable[[Bundle], object]


def header(b: Bundle) -> Bundle:
    return b["entry"][0]["resource"]


def content(b: Bundle) -> Bundle:
    return first(b, "Communication")


def payload(b: Bundle, i: int = 0) -> Bundle:
    return content(b)["payload"][i]


def without(b: Bundle, kind: str) -> None:
    b["entry"] = [e for e in b["entry"] if e["resource"]["resourceType"] != kind]


def encounter(b: Bundle, **kw: Any) -> None:
    add(b, {"resourceType": "Encounter", "id": "e1"} | kw)


def episode(system: str, value: str) -> list[Bundle]:
    return [{"identifier": {"system": system, "value": value}}]


def number(b: Bundle, kind: str, system: str, value: str) -> None:
    for identifier in first(b, kind)["identifier"]:
        if identifier["system"] in {system, names.CPR}:
            identifier |= {"system": system, "value": value}


def without_extension(b: Bundle, url: str, i: int = 0) -> None:
    payload(b, i)["extension"] = [e for e in payload(b, i)["extension"] if e["url"] != url]


def someone_else(b: Bundle) -> Bundle:
    add(b, {"resourceType": "CareTeam", "id": "t1", "managingOrganization": {"reference": "x/y"}})
    return {"reference": "CareTeam/t1"}


def lpr3(b: Bundle) -> None:
    encounter(b, episodeOfCare=episode(urls.LPR3, f"urn:uuid:{'0' * 8}-0000-4000-8000-{'0' * 12}"))
    content(b)["encounter"] = {"reference": "Encounter/e1"}


def empty_encounter(b: Bundle) -> None:
    encounter(b)
    content(b)["encounter"] = {"reference": "Encounter/e1"}


def revision(b: Bundle) -> None:
    first(b, "Provenance")["entity"].append({"role": "revision", "what": {"display": "før"}})


def category(b: Bundle) -> Bundle:
    return content(b)["category"][0]["coding"][0]


def other_without_topic(b: Bundle) -> None:
    category(b)["code"] = "other"
    content(b).pop("topic")


def segment_number(b: Bundle) -> Bundle:
    return extension(payload(b), urls.IDENTIFIER)[0]["valueIdentifier"]


def contact(b: Bundle) -> Bundle:
    return extension(payload(b), urls.CONTACT)[0]["valueContactPoint"]


def attached(b: Bundle) -> Bundle:
    return payload(b, 1)["contentAttachment"]


def unit_numbers(b: Bundle) -> list[Bundle]:
    return first(b, "Organization")["identifier"]


def provenance(b: Bundle) -> Bundle:
    return first(b, "Provenance")


def specific_sender(b: Bundle) -> None:
    content(b)["extension"] = [{"url": urls.SENDER, "valueReference": someone_else(b)}]


OLD_DEFINITION = urls.CC_DEFINITION.replace("5.0", "4.0")
CC = "medcom-careCommunication"
DEFECTS: list[tuple[str, Break]] = [
    ("medcom-messaging-message", lambda b: b.pop("id")),
    ("medcom-messaging-message", lambda b: b.update(type="collection")),
    ("medcom-messaging-message", lambda b: b.update(timestamp="2026-09-16T08:00:00")),
    ("medcom-messaging-message", lambda b: b["entry"][3].pop("fullUrl")),
    ("medcom-messaging-message", lambda b: b["entry"].append({"fullUrl": "https://x.example/y"})),
    ("medcom-messaging-message", lambda b: header(b).update(author={"reference": "A/1"})),
    ("medcom-messaging-1", lambda b: b["entry"].reverse()),
    ("medcom-messaging-1", lambda b: header(b)["destination"][0].pop("extension")),
    ("medcom-messaging-1", lambda b: header(b)["destination"][0].pop("endpoint")),
    ("medcom-messaging-1", lambda b: header(b)["destination"][0].pop("receiver")),
    ("medcom-messaging-1", lambda b: header(b).pop("sender")),
    ("medcom-messaging-1", lambda b: header(b)["source"].pop("endpoint")),
    ("medcom-messaging-2", lambda b: without(b, "Provenance")),
    ("medcom-messaging-3", lambda b: provenance(b).update(recorded="2026-09-16")),
    ("medcom-messaging-3", lambda b: provenance(b).pop("occurredDateTime")),
    ("medcom-messaging-3", lambda b: provenance(b).pop("agent")),
    ("medcom-messaging-3", lambda b: provenance(b).pop("target")),
    ("medcom-messaging-organization", lambda b: unit_numbers(b).pop(0)),
    ("medcom-messaging-organization", lambda b: unit_numbers(b).pop(1)),
    ("dk-core-organization-mandatory-identifier", lambda b: unit_numbers(b).pop(1)),
    ("min-digits-sor", lambda b: number(b, "Organization", names.SOR, "1234567890")),
    ("gln-length", lambda b: number(b, "Organization", names.GLN, "579000990003")),
    ("gln-modulus-10", lambda b: number(b, "Organization", names.GLN, "5790009900031")),
    ("cpr", lambda b: number(b, "Patient", names.CPR, "3102609996")),
    ("x-ecpr", lambda b: number(b, "Patient", names.X_ECPR, "0703920VJ5")),
    ("d-ecpr", lambda b: number(b, "Patient", names.D_ECPR[0], "1206551VK9")),
    ("medcom-core-patient", lambda b: first(b, "Patient").pop("identifier")),
    ("medcom-core-patient", lambda b: first(b, "Patient")["name"][0].pop("use")),
    ("medcom-core-patient", lambda b: first(b, "Patient")["name"][0].pop("family")),
    (f"{CC}-messageHeader", lambda b: header(b)["eventCoding"].update(code="empty-message")),
    (f"{CC}-messageHeader", lambda b: header(b).pop("focus")),
    (f"{CC}-messageHeader", lambda b: header(b)["destination"].append({"endpoint": "urn:x"})),
    (f"{CC}-1", lambda b: header(b)["meta"].update(profile=[urls.ACK_HEADER])),
    (f"{CC}-2", lambda b: add(b, copy.deepcopy(first(b, "Patient")) | {"id": "p2"})),
    (f"{CC}-2", lambda b: without(b, "Patient")),
    (f"{CC}-3", lambda b: provenance(b).pop("meta")),
    (f"{CC}-4", lambda b: first(b, "Practitioner")["name"][0].pop("given")),
    (f"{CC}-5", lambda b: content(b).update(priority="asap")),
    (f"{CC}-6", other_without_topic),
    (f"{CC}-7", lambda b: first(b, "PractitionerRole").pop("code")),
    (f"{CC}-7", lambda b: first(b, "PractitionerRole")["code"].append({"coding": [{"code": "x"}]})),
    (f"{CC}-8", lambda b: first(b, "Practitioner").pop("name")),
    (f"{CC}-9", empty_encounter),
    (f"{CC}-11", specific_sender),
    (f"{CC}-12", lambda b: content(b).update(recipient=[someone_else(b)])),
    (f"{CC}-13", lambda b: first(b, "PractitionerRole").pop("practitioner")),
    (f"{CC}-14", revision),
    (f"{CC}-15", lambda b: encounter(b, episodeOfCare=episode("urn:x", "y"))),
    (f"{CC}-15", lambda b: content(b).update(encounter={"reference": "Encounter/none"})),
    (
        "medcom-carecommunication-definition-url",
        lambda b: header(b).update(definition=OLD_DEFINITION),
    ),
    ("medcom-uuidv4", lambda b: content(b)["identifier"][0].update(value="urn:uuid:ABC")),
    ("medcom-uuidv4", lambda b: segment_number(b).update(value="1")),
    ("medcom-uuidv4", lambda b: without_extension(b, urls.IDENTIFIER)),
    ("uuidv5", lpr3),
    ("medcom-core-contact", lambda b: contact(b).update(value="telefon?")),
    (f"{CC}-communication", lambda b: content(b).update(status="completed")),
    (f"{CC}-communication", lambda b: category(b).update(code="assessment")),
    (f"{CC}-communication", lambda b: content(b)["category"].append(content(b)["category"][0])),
    (f"{CC}-communication", lambda b: content(b).pop("subject")),
    (f"{CC}-communication", lambda b: content(b).update(topic={})),
    (f"{CC}-communication", lambda b: content(b).update(recipient=[someone_else(b)] * 2)),
    (f"{CC}-communication", lambda b: payload(b).update(contentString="  ")),
    (f"{CC}-communication", lambda b: without_extension(b, urls.DATE)),
    (f"{CC}-communication", lambda b: without_extension(b, urls.AUTHOR)),
    (f"{CC}-communication", lambda b: without_extension(b, urls.CONTACT)),
    (f"{CC}-communication", lambda b: segment_number(b).pop("assigner")),
    (f"{CC}-communication", lambda b: attached(b).pop("title")),
    (f"{CC}-communication", lambda b: attached(b).pop("data")),
    (f"{CC}-communication", lambda b: attached(b).update(contentType="text/xml")),
    (f"{CC}-provenance", lambda b: provenance(b)["target"][0].update(reference="MessageHeader/x")),
    (
        f"{CC}-provenance",
        lambda b: provenance(b)["activity"]["coding"][0].update(code="retract-message"),
    ),
    (f"{CC}-provenance", lambda b: provenance(b).pop("entity")),
    (f"{CC}-provenance", lambda b: provenance(b)["entity"].pop()),
    (f"{CC}-provenance", lambda b: content(b)["payload"].pop()),
]

PUBLISHED = {
    *(f"{CC}-{n}" for n in (*range(1, 10), *range(11, 16))),
    "medcom-carecommunication-definition-url",
    *("medcom-uuidv4", "uuidv5", "medcom-core-contact"),
    *("medcom-messaging-1", "medcom-messaging-2", "medcom-messaging-3"),
    *("cpr", "x-ecpr", "d-ecpr", "min-digits-sor", "gln-length", "gln-modulus-10"),
    "dk-core-organization-mandatory-identifier",
    *("medcom-acknowledgement-1", "medcom-acknowledgement-2"),
}
"""Every id of docs/formats.md: each has a defect that the validator must catch under it."""


def broken(bundle: Bundle) -> set[str]:
    """The rules that the hub's validator says are broken, by the profile the bundle declares."""
    own = {i.text for i in (*rules.check(Message(bundle)), *ack_rules.check(Message(bundle)))}
    found = [i for i in VALIDATOR.check([bundle]) if i.text in own]
    assert all(str(i.expression).startswith("Bundle") and i.text_da for i in found)
    return {i.text.split(":")[0] for i in found}


def test_a_whole_message_breaks_no_rule() -> None:
    assert broken(copy_bundle()) == set()
    assert broken(reply_to(copy_bundle())) == set()
    assert broken(forwarded(copy_bundle())) == set()


@pytest.mark.parametrize(
    ("rule", "defect"), DEFECTS, ids=[f"{i}-{rule}" for i, (rule, _) in enumerate(DEFECTS)]
)
def test_one_defect_is_caught_by_its_rule(rule: str, defect: Break) -> None:
    bundle = copy_bundle()
    defect(bundle)
    assert rule in broken(bundle)


def test_every_published_rule_has_a_defect() -> None:
    assert PUBLISHED - {rule for rule, _ in (*DEFECTS, *ACK_DEFECTS)} == set()


REPLY_DEFECTS: list[tuple[str, Break]] = [
    (f"{CC}-communication", lambda b: attached(b).update(data="AAAA")),
    (f"{CC}-communication", lambda b: attached(b).update(url="https://x")),
    (f"{CC}-provenance", lambda b: Message(b).current_provenance()[0]["entity"].pop()),
    (f"{CC}-provenance", lambda b: b["entry"].remove(_earlier(b))),
]


def _earlier(b: Bundle) -> Bundle:
    current = Message(b).current_provenance()
    return next(
        e
        for e in b["entry"]
        if e["resource"]["resourceType"] == "Provenance" and e["resource"] not in current
    )


@pytest.mark.parametrize(("rule", "defect"), REPLY_DEFECTS, ids=range(len(REPLY_DEFECTS)))
def test_a_defect_in_a_reply_is_caught(rule: str, defect: Break) -> None:
    bundle = reply_to(copy_bundle())
    defect(bundle)
    assert rule in broken(bundle)


def test_a_reply_in_a_thread_begun_in_an_older_standard_keeps_the_rules() -> None:
    bundle = reply_to(copy_bundle())
    bundle["entry"].remove(_earlier(bundle))
    revised = Message(bundle).current_provenance()[0]["entity"][1]
    revised["what"] = {"identifier": {"value": "5790009900030#BREV1"}}
    assert broken(bundle) == set()


ACK = "medcom-acknowledgement"
ACK_DEFECTS: list[tuple[str, Break]] = [
    (f"{ACK}-1", lambda b: without(b, "OperationOutcome")),
    (f"{ACK}-1", lambda b: header(b)["response"].pop("details")),
    (f"{ACK}-1", lambda b: first(b, "OperationOutcome").pop("issue")),
    (f"{ACK}-2", lambda b: header(b)["meta"].update(profile=[urls.CC_HEADER])),
    (f"{ACK}-2", lambda b: header(b)["eventCoding"].update(code=urls.CC_EVENT)),
    (f"{ACK}-2", lambda b: header(b)["response"].update(code="AE")),
    (f"{ACK}-2", lambda b: header(b)["response"].pop("identifier")),
    (f"{ACK}-2", lambda b: header(b)["destination"].append({})),
    ("medcom-messaging-acknowledgement", lambda b: b["entry"].pop(1)),
    ("medcom-messaging-acknowledgement", lambda b: b["entry"].append(copy.deepcopy(b["entry"][1]))),
    ("medcom-messaging-acknowledgement", lambda b: b["entry"][2]["resource"]["entity"].pop()),
    (
        "medcom-messaging-acknowledgement",
        lambda b: b["entry"][2]["resource"]["activity"]["coding"][0].update(code="new-message"),
    ),
    ("medcom-messaging-1", lambda b: header(b).pop("sender")),
    ("medcom-messaging-organization", lambda b: unit_numbers(b).pop()),
]


@pytest.mark.parametrize(("rule", "defect"), ACK_DEFECTS, ids=range(len(ACK_DEFECTS)))
def test_one_defect_in_an_acknowledgement_is_caught(rule: str, defect: Break) -> None:
    bundle = acknowledge(copy_bundle(), code="fatal-error", now=LATER, id_for=ids("gp"))
    assert errors_in(bundle) == []
    defect(bundle)
    assert rule in broken(bundle)


def test_a_rule_is_told_at_its_place_in_danish_too() -> None:
    bundle = copy_bundle()
    number(bundle, "Patient", names.CPR, "3102609996")
    at = [e["resource"]["resourceType"] for e in bundle["entry"]].index("Patient")
    (found,) = [i for i in errors_in(bundle) if i.text.startswith("cpr:")]
    assert found.expression == f"Bundle.entry[{at}].resource.identifier[0].value"
    assert found.text_da is not None
    assert found.text_da.startswith("cpr: nummeret")


@pytest.mark.parametrize("kind", ["Patient", "Organization"])
def test_a_part_with_rules_of_its_own_may_stand_alone(kind: str) -> None:
    part = first(copy_bundle(), kind)
    assert errors_in(part) == []
    found = errors_in(part | {"identifier": []})
    assert {str(i.expression).split(".")[0] for i in found} == {kind}
    assert any("medcom-" in i.text for i in found)


def test_what_declares_nothing_is_held_to_none_of_it() -> None:
    bundle = copy_bundle()
    del bundle["meta"]
    content(bundle)["status"] = "completed"
    assert errors_in(bundle) == []
    asked = errors_in(bundle, profile=urls.CC_MESSAGE)
    assert f"{CC}-communication: status must be unknown" in {i.text for i in asked}
    assert errors_in(bundle, profile=f"{urls.CC_MESSAGE}|5.0.4") == asked

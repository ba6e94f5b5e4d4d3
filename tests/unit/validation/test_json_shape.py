"""The JSON form itself (R4 "JSON Representation"): nulls, arrays, empties, names, ids."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from hub.fhir.codec import parse_json
from hub.fhir.validation import EmbeddedValidator, Profiles
from tests.unit.validation.instances import minimal

ABSENT = {
    "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
    "valueCode": "unknown",
}
DIV = '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'
EXTENDED = {"extension": [ABSENT]}


@cache
def validator() -> EmbeddedValidator:
    return EmbeddedValidator(Profiles())


def found(kind: str, **patch: Any) -> list[tuple[str, str, str | None]]:
    made = minimal(kind) | patch
    return [(i.severity, i.code, i.expression) for i in validator().check([made])]


def named(*parts: Any) -> Any:
    """A Patient with these given names, and what stands beside them."""
    given, beside = parts
    name = {}
    if given is not None:
        name["given"] = given
    if beside is not None:
        name["_given"] = beside
    return found("Patient", name=[name])


@pytest.mark.parametrize(
    ("given", "beside"),
    [
        (["A", "B"], None),
        (["A", None], [None, EXTENDED]),
        (["A", "B"], [{"id": "x"}, None]),
        (None, [EXTENDED]),
        ([None, "B"], [EXTENDED, None]),
    ],
)
def test_values_and_their_extensions_in_step(given: Any, beside: Any) -> None:
    assert named(given, beside) == []


@pytest.mark.parametrize(
    ("given", "beside", "at"),
    [
        (["A", None], None, "Patient.name[0].given[1]"),
        (["A", None], [EXTENDED, None], "Patient.name[0].given[1]"),
        (None, [None], "Patient.name[0].given[0]"),
        (None, None, "Patient.name[0]"),
        ([], None, "Patient.name[0].given"),
        (["A"], [], "Patient.name[0].given"),
        ("A", None, "Patient.name[0].given"),
        (["A"], EXTENDED, "Patient.name[0].given"),
        ([""], None, "Patient.name[0].given[0]"),
        (["A"], [{}], "Patient.name[0].given[0]"),
        (None, [{"id": "x"}], "Patient.name[0].given[0]"),
        ([["A"]], None, "Patient.name[0].given[0]"),
        ([{"value": "A"}], None, "Patient.name[0].given[0]"),
    ],
)
def test_values_and_their_extensions_out_of_step(given: Any, beside: Any, at: str) -> None:
    assert ("error", "structure", at) in named(given, beside)


def test_arrays_of_different_length_are_legal_but_said() -> None:
    assert named(["A", "B"], [EXTENDED]) == [("warning", "structure", "Patient.name[0].given")]


@pytest.mark.parametrize(
    ("patch", "code", "at"),
    [
        ({"active": None}, "structure", "Patient.active"),
        ({"active": [True]}, "structure", "Patient.active"),
        ({"active": {}}, "structure", "Patient.active"),
        ({"gender": ""}, "structure", "Patient.gender"),
        ({"name": {"text": "-"}}, "structure", "Patient.name"),
        ({"name": []}, "structure", "Patient.name"),
        ({"name": [{}]}, "structure", "Patient.name[0]"),
        ({"name": [None]}, "structure", "Patient.name[0]"),
        ({"name": ["-"]}, "structure", "Patient.name[0]"),
        ({"_name": [EXTENDED]}, "structure", "Patient.name"),
        ({"name": [{"text": "-"}], "_name": [EXTENDED]}, "structure", "Patient.name"),
        ({"_gender": {}}, "structure", "Patient.gender"),
        ({"_gender": "x"}, "structure", "Patient.gender"),
        ({"_gender": {"value": "x"}}, "structure", "Patient.gender.value"),
        ({"_gender": None, "gender": "other"}, "structure", "Patient.gender"),
        (
            {"text": {"status": "empty", "div": DIV, "_div": EXTENDED}},
            "structure",
            "Patient.text.div.extension",
        ),
        ({"pet": "cat"}, "structure", "Patient.pet"),
        ({"_pet": {"id": "a"}}, "structure", "Patient._pet"),
        ({"fhir_comments": ["x"]}, "structure", "Patient.element"),
        ({"contact": [{"resourceType": "Patient", "name": {"text": "-"}}]}, "structure", None),
        ({"deceasedBoolean": False, "deceasedDateTime": "2026"}, "structure", "Patient.deceased"),
        ({"deceased": True}, "structure", "Patient.deceased"),
        ({"deceasedString": "ja"}, "structure", "Patient.deceasedString"),
        ({"id": "a b"}, "value", "Patient.id"),
        ({"id": 1}, "structure", "Patient.id"),
        ({"name": [{"id": "a b", "text": "-"}]}, "value", "Patient.name[0].id"),
        (
            {"name": [{"id": "a", "text": "-"}, {"id": "a", "text": "-"}]},
            "duplicate",
            "Patient.name[1].id",
        ),
        ({"contained": [{"id": "a"}]}, "required", "Patient.contained[0]"),
        ({"contained": ["a"]}, "structure", "Patient.contained[0]"),
        ({"contained": [{"resourceType": "Cat"}]}, "not-supported", "Patient.contained[0]"),
        ({"contained": [{"resourceType": "Resource"}]}, "not-supported", "Patient.contained[0]"),
        ({"extension": [{"valueString": "x"}]}, "required", "Patient.extension[0].url"),
        (
            {"extension": [{"url": "e", "valueString": "x"}]},
            "extension",
            "Patient.extension[0].url",
        ),
        (
            {"modifierExtension": [{"url": "urn:x:e", "valueBoolean": True}]},
            "extension",
            "Patient.modifierExtension[0]",
        ),
    ],
)
def test_what_is_no_legal_json_of_a_resource(
    patch: dict[str, Any], code: str, at: str | None
) -> None:
    issues = found("Patient", **patch)
    assert [i for i in issues if i[:2] == ("error", code) and at in {i[2], None}], issues


def test_an_extension_may_take_a_values_place_but_for_what_must_have_one() -> None:
    assert found("Patient", _gender=EXTENDED) == []
    made = {k: v for k, v in minimal("CarePlan").items() if k != "status"}
    assert validator().check([made | {"_status": EXTENDED}]) == []
    assert [i.expression for i in validator().check([made])] == ["CarePlan.status"]


@pytest.mark.parametrize("wrong", [False, 1, "x", [], None])
def test_rules_are_not_asked_of_what_is_no_value_of_the_type(wrong: Any) -> None:
    for kind, name in (("Bundle", "entry"), ("CarePlan", "activity"), ("Organization", "telecom")):
        issues = found(kind, **{name: [wrong]})
        assert {i[1] for i in issues} == {"structure"}, issues


def test_a_choice_given_twice_is_told_as_such() -> None:
    issues = validator().check([minimal("Patient", deceasedBoolean=False, deceasedDateTime="2026")])
    assert any("more than one type" in i.text for i in issues)


def test_rules_on_values_that_have_extensions() -> None:
    """The FHIRPath engine takes a value and its extension for two things."""
    repeat = {"duration": 2, "_duration": EXTENDED, "durationUnit": "h", "_durationUnit": EXTENDED}
    timing = {"url": "urn:x:e", "valueTiming": {"repeat": repeat}}
    assert found("Patient", extension=[timing]) == []
    repeat["duration"] = -2
    assert [i[1] for i in found("Patient", extension=[timing])] == ["invariant"]


def test_a_value_with_an_extension_is_still_compared() -> None:
    phone = {"system": "phone", "value": "11", "use": "home", "_use": EXTENDED}
    assert [i[1:] for i in found("Organization", telecom=[phone])] == [
        ("invariant", "Organization.telecom[0]")
    ]


@pytest.mark.parametrize(
    ("inner", "rule"),
    [
        ('<p class="a" style="color:red" title="b" xml:lang="da">x</p>', None),
        ('<a href="#b" name="c">x</a><img src="#d" alt="e"/>', None),
        ('<table border="1"><tr><td colspan="2">x</td></tr></table>', None),
        ('<img src="#d" alt="e"/>', None),
        ('<p data-x="1">x</p>', "txt-1"),
        ('<p onclick="a()">x</p>', "txt-1"),
        ('<p contenteditable="true">x</p>', "txt-1"),
        ("<form>x</form>", "txt-1"),
        ("<iframe/>x", "txt-1"),
        ('<a href="javascript:a()">x</a>', "txt-1"),
        ("<p>", "txt-1"),
        ("<p> </p>", "txt-2"),
        ("", "txt-2"),
    ],
)
def test_what_a_narrative_may_hold(inner: str, rule: str | None) -> None:
    div = DIV.replace(">x<", f">{inner}<")
    issues = validator().check([minimal("Patient", text={"status": "additional", "div": div})])
    assert [i.text.rpartition("(")[2] for i in issues] == ([f"{rule})"] if rule else [])


def test_space_is_what_xml_schema_calls_space() -> None:
    assert found("CarePlan", title="a\u00a0b", instantiatesUri=["urn:x:a\u00a0b"]) == []
    assert [i[1] for i in found("CarePlan", instantiatesUri=["urn:x:a b"])] == ["value"]


def test_rules_of_what_an_element_repeats_hold_for_it_too() -> None:
    inner = {"linkId": "2", "type": "display", "required": True}
    items = [{"linkId": "1", "type": "group", "item": [inner]}]
    form = {"resourceType": "Questionnaire", "status": "draft", "item": items}
    issues = validator().check([form])
    assert [(i.code, i.expression) for i in issues] == [
        ("invariant", "Questionnaire.item[0].item[0]")
    ]
    inner["type"] = "string"
    assert validator().check([form]) == []


def test_several_resources_are_numbered_and_known_to_each_other() -> None:
    goal = minimal("Goal", id="1", subject={"reference": "Patient/1"})
    wrong = goal | {"id": "2", "subject": {"reference": "Patient/1", "type": "Group"}}
    issues = validator().check([goal, minimal("Patient", id="1"), wrong])
    assert [i.expression for i in issues] == ["Goal[1].subject.type"]


@pytest.mark.parametrize(
    "given", [{}, {"resourceType": None}, {"resourceType": "Cat"}, {"resourceType": 1}]
)
def test_what_is_no_resource(given: dict[str, Any]) -> None:
    issues = validator().check([given])
    assert [i.expression for i in issues] == ["Resource"]


def test_numbers_keep_to_their_type_whatever_parsed_them() -> None:
    body = b'{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueInteger":1.0}'
    assert [i.code for i in validator().check([parse_json(body)])] == ["structure"]
    exact = body.replace(b"valueInteger", b"valueQuantity").replace(b":1.0}", b':{"value":1.50}}')
    assert validator().check([parse_json(exact)]) == []
    endless = minimal("Observation", valueQuantity={"value": float("nan")})
    assert [i.code for i in validator().check([endless])] == ["value"]


def test_very_long_values_take_no_time_and_too_long_ones_are_refused() -> None:
    content = [{"attachment": {"contentType": "text/plain", "data": "QUJD" * 300_000}}]
    assert found("DocumentReference", content=content) == []
    content[0]["attachment"]["data"] += "QUJ"
    assert [i[1] for i in found("DocumentReference", content=content)] == ["value"]
    assert [i[1] for i in found("CarePlan", description="a" * (1024 * 1024 + 1))] == ["value"]


def test_nesting_without_end_is_an_issue_and_no_crash() -> None:
    inner: dict[str, Any] = {"url": "urn:x:e", "valueString": "x"}
    for _ in range(2000):
        inner = {"url": "urn:x:e", "extension": [inner]}
    assert found("Patient", extension=[inner]) == [("error", "too-costly", "Patient")]

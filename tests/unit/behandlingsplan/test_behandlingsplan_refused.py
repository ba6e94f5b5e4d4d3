"""In: what is refused, with the place and never the value."""

from __future__ import annotations

import pytest
from behandlingsplan_documents import changed, element, parse, sample
from lxml import etree

from hub.errors import InputRefused, Invalid, Malformed, TooLarge, UnknownCode, Unsupported

SECRET = "Hemmelig 0201609996"


def refusal(body: bytes) -> InputRefused:
    with pytest.raises(InputRefused) as caught:
        parse(body)
    return caught.value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<TreatmentPlan>",
        sample("typical").decode().encode("latin-1"),
        b'<!DOCTYPE a [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;">]>' + sample("minimal")[38:],
        b'<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]><a>&a;</a>',
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><a/>',
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a [<!ENTITY a "x">]><a>&a;</a>'.encode(
            "utf-16"
        ),
        b"<TreatmentPlan/>",
        sample("minimal").replace(b"/xml/behandlingsplan/1.0", b"/xml/andet/1.0"),
        b'<Plan xmlns="https://ki-hub.example/xml/behandlingsplan/1.0"/>',
    ],
    ids=[
        "empty",
        "json",
        "unclosed",
        "wrong-encoding",
        "entity-bomb",
        "external-entity",
        "external-dtd",
        "utf-16-doctype",
        "no-namespace",
        "other-namespace",
        "other-root",
    ],
)
def test_not_this_format(body: bytes) -> None:
    assert isinstance(refusal(body), Malformed)


def test_declared_encodings_are_read() -> None:
    text = sample("typical").decode()
    latin = text.replace('encoding="UTF-8"', 'encoding="ISO-8859-1"').encode("latin-1")
    assert parse(latin).resources == parse(sample("typical")).resources


def test_another_version_is_unsupported() -> None:
    body = sample("minimal").replace(b"/behandlingsplan/1.0", b"/behandlingsplan/2.0")
    assert isinstance(refusal(body), Unsupported)


def test_deep_nesting() -> None:
    deep = b"<a>" * 5000 + b"</a>" * 5000
    assert isinstance(refusal(deep), TooLarge)


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("PlanVersion/PlanStatusCode", "/TreatmentPlan/PlanVersion/PlanStatusCode"),
        (
            "TreatmentEfforts/TreatmentEffort[2]/EffortTypeCode",
            "/TreatmentPlan/TreatmentEfforts/TreatmentEffort[2]/EffortTypeCode",
        ),
        ("Goals/Goal[1]/SectionCode", "/TreatmentPlan/Goals/Goal[1]/SectionCode[1]"),
    ],
)
def test_unknown_code_is_named_by_place(path: str, place: str) -> None:
    error = refusal(changed(sample("typical"), path, "hemmelig-kode"))
    assert isinstance(error, UnknownCode)
    (issue,) = error.issues
    assert issue.code == "code-invalid"
    assert str(issue.expression).endswith(f": {place}")
    assert str(issue.expression).startswith("line ")
    assert "hemmelig" not in str(error) + issue.text + str(issue.expression)


@pytest.mark.parametrize(
    "number", ["020160-9996", "3102609996", "0013609996", "020160999", "02016099961", "ABCDEFGHIJ"]
)
def test_bad_cpr(number: str) -> None:
    path = "Citizen/PersonCivilRegistrationIdentifier"
    error = refusal(changed(sample("typical"), path, number))
    assert isinstance(error, Invalid)
    assert "CPR" in error.issues[0].text
    assert number not in str(error) + repr(error.issues)


def test_a_leap_day_and_a_failed_check_digit_are_accepted() -> None:
    path = "Citizen/PersonCivilRegistrationIdentifier"
    assert parse(changed(sample("typical"), path, "2902019999"))


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("NationalReplacementIdentifier", "0201602AB9"),
        ("NationalReplacementIdentifier", "0201601ab9"),
        ("RegionalReplacementIdentifier", "0201601AB9"),
    ],
)
def test_bad_replacement_number(name: str, number: str) -> None:
    body = sample("typical").replace(b"PersonCivilRegistrationIdentifier", name.encode())
    error = refusal(changed(body, f"Citizen/{name}", number))
    assert isinstance(error, Invalid)
    assert "eCPR" in error.issues[0].text


def test_all_findings_at_once_in_document_order() -> None:
    body = changed(sample("typical"), "MessageHeader/SentDateTime", "i går")
    body = changed(body, "PlanVersion/PlanStatusCode", "ukendt")
    body = changed(body, "Goals/Goal[2]/GoalText", "")
    error = refusal(body)
    assert isinstance(error, Invalid), "not only codes are wrong"
    places = [str(i.expression).partition(": ")[2] for i in error.issues]
    assert places == [
        "/TreatmentPlan/MessageHeader/SentDateTime",
        "/TreatmentPlan/PlanVersion/PlanStatusCode",
        "/TreatmentPlan/Goals/Goal[2]/GoalText",
    ]


def test_a_missing_element_is_told_with_what_is_expected() -> None:
    root = etree.fromstring(sample("typical"))
    purpose = element(root, "Purpose")
    purpose.remove(purpose[0])
    error = refusal(etree.tostring(root))
    assert "PurposeText" in error.issues[0].text


def test_the_line_is_the_elements_own() -> None:
    body = sample("typical").replace(b">endelig<", b">maaske<")
    line = body[: body.index(b">maaske<")].count(b"\n") + 1
    assert str(refusal(body).issues[0].expression).startswith(f"line {line}: ")


@pytest.mark.parametrize("value", ["2026-02-30", "2026-09-02Z", "02-09-2026", "2026-09"])
def test_bad_dates(value: str) -> None:
    path = "TreatmentEfforts/TreatmentEffort[1]/PeriodStartDate"
    assert isinstance(refusal(changed(sample("typical"), path, value)), Invalid)


@pytest.mark.parametrize(
    "value", ["2026-09-02T10:00:00", "2026-09-02T24:00:00+02:00", "2026-09-02", "2026-09-02T10:00Z"]
)
def test_bad_times(value: str) -> None:
    path = "PlanVersion/VersionDateTime"
    assert isinstance(refusal(changed(sample("typical"), path, value)), Invalid)


def test_a_period_that_ends_first_and_another_owner_are_told_together() -> None:
    body = changed(
        sample("typical"), "TreatmentEfforts/TreatmentEffort[1]/PeriodEndDate", "2026-09-02"
    )
    body = changed(body, "ResponsibleUnit/UnitSORIdentifier", "999000000202")
    error = refusal(body)
    assert isinstance(error, Invalid)
    assert {i.code for i in error.issues} == {"invariant", "business-rule"}


def test_two_items_with_the_same_identifier() -> None:
    body = changed(sample("typical"), "Goals/Goal[2]/GoalIdentifier", "M1")
    error = refusal(body)
    assert "same identifier" in error.issues[0].text


def test_a_blank_required_text() -> None:
    error = refusal(changed(sample("typical"), "Purpose/PurposeText", " \n "))
    assert isinstance(error, Invalid)
    assert error.issues[0].expression == "/TreatmentPlan/Purpose/PurposeText"


def test_a_long_text_is_quick_and_too_long_a_text_is_refused() -> None:
    long = "ord " * 24_000
    assert parse(changed(sample("typical"), "Purpose/PurposeText", long))
    error = refusal(changed(sample("typical"), "Purpose/PurposeText", long + long))
    assert isinstance(error, Invalid)


def test_no_value_is_ever_told() -> None:
    root = etree.fromstring(sample("everything"))
    errors = []
    for leaf in [e for e in root.iter() if len(e) == 0]:
        kept, leaf.text = leaf.text, SECRET
        try:
            parse(etree.tostring(root))
        except InputRefused as e:
            errors.append(e)
        leaf.text = kept
    assert len(errors) > 30
    told = [f"{e!s} {e.args} {e.issues} {e.__cause__}" for e in errors]
    assert not [t for t in told if "0201609996" in t or "Hemmelig" in t]


def test_an_unknown_elements_name_is_not_told() -> None:
    root = etree.fromstring(sample("typical"))
    etree.SubElement(element(root, "Citizen"), "Karla0201609996").text = "x"
    element(root, "Purpose").set("Karla0201609996", "x")
    error = refusal(etree.tostring(root))
    assert len(error.issues) == 2
    assert "Karla" not in f"{error!s} {error.issues}"
    assert "/TreatmentPlan/Citizen/*" in str(error.issues[0].expression)


def test_prefixed_documents_are_read_and_placed() -> None:
    text = sample("typical").decode().replace("xmlns=", "xmlns:b=")
    for sign in ("</", "<"):
        text = text.replace(sign, f"{sign}b:")
    text = text.replace("<b:?xml", "<?xml").replace("<b:/b:", "</b:").replace("<b:/", "</")
    body = text.encode()
    assert parse(body).resources == parse(sample("typical")).resources
    wrong = changed(body, "TreatmentEfforts/TreatmentEffort[3]/EffortStatusCode", "x")
    place = str(refusal(wrong).issues[0].expression)
    assert place.endswith("/TreatmentPlan/TreatmentEfforts/TreatmentEffort[3]/EffortStatusCode")

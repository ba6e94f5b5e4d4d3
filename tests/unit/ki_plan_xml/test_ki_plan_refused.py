"""In: what is refused, with the place and never the value."""

from __future__ import annotations

import pytest
from ki_plan_documents import changed, element, parse, sample, without
from lxml import etree

from hub.errors import (
    InputRefused,
    Invalid,
    Malformed,
    TooLarge,
    UnknownCode,
    Unsupported,
)

SECRET = "Hemmelig 0201609996"


def refusal(body: bytes) -> InputRefused:
    with pytest.raises(InputRefused) as caught:
        parse(body)
    return caught.value


def refused(body: bytes) -> InputRefused | None:
    try:
        parse(body)
    except InputRefused as error:
        return error
    return None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<CoordinatedActionPlan>",
        sample("typical").decode().encode("latin-1"),
        b'<!DOCTYPE a [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;">]>' + sample("minimal")[38:],
        b'<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]><a>&a;</a>',
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a [<!ENTITY a "x">]><a>&a;</a>'.encode(
            "utf-16"
        ),
        b"<CoordinatedActionPlan/>",
        sample("minimal").replace(b"/xml/ki-plan/1.0", b"/xml/andet/1.0"),
        b'<Plan xmlns="https://ki-hub.example/xml/ki-plan/1.0"/>',
    ],
    ids=[
        "empty",
        "json",
        "unclosed",
        "wrong-encoding",
        "entity-bomb",
        "external-entity",
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
    body = sample("minimal").replace(b"/ki-plan/1.0", b"/ki-plan/2.0")
    assert isinstance(refusal(body), Unsupported)


@pytest.mark.parametrize("kind", ["netvaerksmoede", "koordinationsplan", "", "KI-plan", None])
def test_a_document_not_marked_as_a_ki_plan_is_never_one(kind: str | None) -> None:
    place = "MessageHeader/DocumentKindCode"
    body = sample("typical")
    error = refusal(without(body, place) if kind is None else changed(body, place, kind))
    assert isinstance(error, Unsupported)
    assert "not marked as a KI-plan" in error.text
    assert error.issues[0].expression == f"/CoordinatedActionPlan/{place}"


def test_deep_nesting_and_very_many_elements() -> None:
    assert isinstance(refusal(b"<a>" * 5000 + b"</a>" * 5000), TooLarge)
    assert isinstance(refusal(b"<a>" + b"<b/>" * 500_001 + b"</a>"), TooLarge)


def test_an_attribute_as_large_as_a_document_is_refused() -> None:
    body = sample("minimal").replace(b"<Citizen>", b'<Citizen a="' + b"x" * 9_000_000 + b'">')
    error = refusal(body)
    assert isinstance(error, Invalid | Malformed)
    assert len(repr(error.issues)) < 2000


@pytest.mark.parametrize("name", ["minimal", "typical", "everything"])
def test_a_truncated_document_is_malformed(name: str) -> None:
    body = sample(name).rstrip()
    for cut in range(1, len(body), max(1, len(body) // 80)):
        assert isinstance(refusal(body[:cut]), Malformed), cut


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("Contacts/ProfessionalContact[1]/Membership/RoleCode[1]", "RoleCode[1]"),
        ("Goals/Goal[1]/SectionCode", "Goal[1]/SectionCode[1]"),
        ("Interventions/Intervention[1]/InterventionStatusCode", "InterventionStatusCode"),
        ("Meetings/Meeting/Participant[4]/AttendanceCode", "AttendanceCode"),
        ("Registration/LevelCode", "Registration/LevelCode"),
        ("Registration/AnchoringCode", "Registration/AnchoringCode"),
    ],
)
def test_unknown_codes(path: str, place: str) -> None:
    error = refusal(changed(sample("typical"), path, "hemmelig"))
    assert isinstance(error, UnknownCode)
    assert (error.issues[0].expression or "").endswith(place)
    assert "hemmelig" not in repr(error.issues) + str(error)


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("Citizen/PersonCivilRegistrationIdentifier", "9999999999", "CPR"),
        ("Meetings/Meeting/MeetingDate", "6.10.2026", "type"),
        ("Interventions/Intervention[1]/GoalReferenceIdentifier", "m9", "No item"),
        ("StatusNotes/StatusNote[1]/ActorReferenceIdentifier", "k9", "No item"),
        ("Goals/Goal[2]/GoalIdentifier", "m1", "same identifier"),
        ("Contacts/ProfessionalContact[2]/ContactIdentifier", "k1", "same identifier"),
        ("Units/Unit[2]/UnitIdentifier", "k2", "same identifier"),
        ("Goals/Goal[1]/GoalIdentifier", f"urn:uuid:{SECRET}", "No item"),
        ("NextMeeting/Convener[1]/ActorReferenceIdentifier", "borger", "professional"),
        ("Meetings/Meeting/Participant[1]/ActorReferenceIdentifier", "rus", "does not attend"),
        ("StatusNotes/StatusNote[1]/NoteText", "  ", "missing or empty"),
    ],
)
def test_values_that_break_a_rule(path: str, text: str, said: str) -> None:
    error = refusal(changed(sample("typical"), path, text))
    assert isinstance(error, Invalid)
    assert said in repr(error.issues)
    assert SECRET not in repr(error.issues) + str(error)


def test_a_hub_id_that_is_none() -> None:
    root = etree.fromstring(sample("typical"))
    element(root, "Goals/Goal[1]/GoalIdentifier").text = f"urn:uuid:{SECRET}"
    element(root, "Interventions/Intervention/GoalReferenceIdentifier").text = f"urn:uuid:{SECRET}"
    error = refusal(etree.tostring(root))
    assert isinstance(error, Invalid)
    assert error.issues[0].expression == "/CoordinatedActionPlan/Goals/Goal[1]/GoalIdentifier"
    assert SECRET not in repr(error.issues)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("MessageHeader/CaseIdentifier", "case id"),
        ("Citizen/PersonCivilRegistrationIdentifier", "CPR"),
        ("Contacts/ProfessionalContact[1]/Membership/RoleCode[1]", "Exactly one contact"),
        ("Contacts/ProfessionalContact[1]/UnitReferenceIdentifier", "lead's unit"),
        ("Units/Unit[1]/SORIdentifier", "lead's unit"),
        ("Meetings/Meeting/MeetingDate", "meeting's date"),
        ("StatusNotes/StatusNote[2]/ActorName", "whose words"),
        ("Interventions/Intervention[2]/InterventionText", "what is done"),
        ("MessageHeader/Sender/SORIdentifier", "sending unit"),
    ],
)
def test_what_must_not_be_left_out(path: str, said: str) -> None:
    error = refusal(without(sample("typical"), path))
    assert isinstance(error, Invalid)
    assert said in repr(error.issues)


def test_every_broken_rule_is_told_at_once() -> None:
    body = without(sample("typical"), "MessageHeader/CaseIdentifier")
    body = without(body, "Meetings/Meeting/MeetingDate")
    body = changed(body, "Contacts/ProfessionalContact[2]/Membership/RoleCode", "tovholder")
    assert len(refusal(body).issues) == 3


def test_a_lead_is_one_function_in_one_unit() -> None:
    root = etree.fromstring(sample("typical"))
    element(root, "Contacts/ProfessionalContact[1]/Membership/RoleCode").text = "fagperson"
    element(root, "Contacts/RelativeContact/Membership/RoleCode").text = "tovholder"
    assert "ProfessionalContact" in repr(refusal(etree.tostring(root)).issues)


def test_two_items_of_one_rank_and_a_period_that_ends_first() -> None:
    error = refusal(changed(sample("everything"), "Goals/Goal[1]/RankNumber", "2"))
    assert error.issues[0].expression == "/CoordinatedActionPlan/Goals"
    place = "Interventions/Intervention[1]/PeriodEndDate"
    error = refusal(changed(sample("everything"), place, "2020-01-01"))
    assert error.issues[0].expression == f"/CoordinatedActionPlan/{place}"


def test_no_error_repeats_a_value() -> None:
    root = etree.fromstring(sample("typical"))
    for found in list(root.iter()):
        if len(found) or not (found.text or "").strip() or "DocumentKind" in str(found.tag):
            continue
        before, found.text = found.text, SECRET
        error = refused(etree.tostring(root))
        assert error is None or SECRET not in repr((str(error), error.issues))
        found.text = before

"""In: a shared plan; ids, defaults, losses, and what a printed form never does."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from ki_plan_documents import SAMPLES, by_key, changed, documents, element, parse, sample, without
from lxml import etree

from adapters.ki_plan_xml.document import FORMAT, q
from hub.contract import Identifier, PlanUpdate
from hub.fhir import names
from hub.fhir.extract import extension_value, extensions
from hub.fhir.reading import PlanReader
from hub.fhir.validation import EmbeddedValidator

FILES = sorted(SAMPLES.glob("*.xml"))


def reader(update: PlanUpdate) -> PlanReader:
    return PlanReader(by_key(update.resources))


def test_the_samples_use_every_element_and_code_of_the_schema() -> None:
    used, said = set(), set()
    for file in FILES:
        for found in etree.parse(file).iter():
            used.add(etree.QName(found).localname)
            said.add((found.text or "").strip())
    xs = "{http://www.w3.org/2001/XMLSchema}"
    known = {e.get("name") for e in etree.parse(FORMAT.schema.file).iter(f"{xs}element")}
    assert known - used == set()
    assert len(FILES) >= 3


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_a_sample_keeps_the_profiles(file) -> None:  # type: ignore[no-untyped-def]
    update = parse(file.read_bytes())
    issues = EmbeddedValidator().check(update.resources)
    assert [i for i in issues if i.severity in {"error", "fatal"}] == []
    assert update.part == "shared"


def test_the_oddities_of_a_filled_form_are_kept() -> None:
    update = parse(sample("typical"))
    found = reader(update)
    assert [c.rank for c in found.challenges()] == [1, 2]
    assert found.interventions()[1].goals == (2, 3)
    phones = [c.phone for c in found.contacts() if c.reference.startswith("PractitionerRole/")]
    assert phones == ["+4500000941", "+4500000942", "telefon?", ""]
    following = found.next_meeting()
    assert following is not None
    assert following.time == "når pladsen er fundet, eller senest ved udskrivelse"
    assert following.latest == "2027-03-31"
    assert [(c.since, c.until) for c in following.conveners] == [
        ("", "udskrivelse"),
        ("udskrivelse", ""),
    ]
    assert found.interventions()[0].time == "inden udskrivelsen"
    assert found.interventions()[0].end == "2026-10-20"
    assert [n.actor for n in found.status_notes()] == [
        "Borger",
        "Pårørende/Familien",
        "Botilbuddet",
    ]
    assert [p.author for p in found.postscripts()] == ["Referenten"]
    meeting = found.meeting()
    assert meeting is not None
    assert meeting.declined == (("Jobcenteret", "ferie"),)
    assert found.cpr == "1507729995"


def test_a_bare_yes_is_only_what_the_form_says() -> None:
    update = parse(sample("typical"))
    assert reader(update).consent_as_written == "Ja"
    assert not [r for r in update.resources if r["resourceType"] == "Consent"]


def test_a_printed_approval_is_a_named_loss_and_no_record() -> None:
    update = parse(sample("typical"))
    place = "/CoordinatedActionPlan/Approval/ApprovalText"
    assert [x.kind for x in update.losses if x.path == place] == ["dropped"]
    assert "læse planen" not in repr(update.resources)


def test_what_the_template_has_no_place_for_is_defaulted_by_name() -> None:
    losses = parse(sample("typical")).losses
    assert ("/CoordinatedActionPlan/Goals/Goal[1]/GoalStatusCode", "defaulted") in {
        (x.path, x.kind) for x in losses
    }
    minimal = parse(sample("minimal"))
    assert [x.path for x in minimal.losses] == [
        "/CoordinatedActionPlan/Registration/PlanStatusCode"
    ]


def test_an_item_is_known_by_its_identifier_else_by_its_text() -> None:
    first = parse(sample("typical"))
    moved = etree.fromstring(sample("typical"))
    goals, challenges = element(moved, "Goals"), element(moved, "Challenges")
    goals.insert(0, goals[2])
    challenges.insert(0, challenges[1])
    element(moved, "Challenges/Challenge[1]/ChallengeText").text = "Nye ord"
    again = parse(etree.tostring(moved))
    a, b = reader(first), reader(again)
    assert {g.text: g.reference for g in a.goals()} == {g.text: g.reference for g in b.goals()}
    kept = {c.text: c.path for c in a.challenges()}
    now = {c.text: c.path for c in b.challenges()}
    assert now["Der venter en sag i byretten"] == kept["Der venter en sag i byretten"]
    assert now["Nye ord"] not in kept.values()


def test_the_hubs_own_ids_come_back_as_they_are() -> None:
    update = parse(sample("everything"))
    written = set()
    for found in etree.fromstring(sample("everything")).iter():
        text = found.text or ""
        if text.startswith("urn:uuid:") and "SectorPlan" not in found.getroottree().getpath(found):
            written.add(text.removeprefix("urn:uuid:"))
    ids = {str(r["id"]) for r in update.resources}
    assert ids - {update.plan_id} <= written
    assert update.base_version == 3


def test_others_plans_are_not_read() -> None:
    body = changed(sample("everything"), "SectorPlans/SectorPlan[1]/PurposeText", "Andres ord")
    update = parse(body)
    assert "Andres ord" not in repr(update.resources)
    assert "/CoordinatedActionPlan/SectorPlans/SectorPlan[1]/PurposeText" in {
        x.path for x in update.not_shared
    }


def test_who_sent_it() -> None:
    sor = Identifier(names.SOR, "999000000203")
    assert parse(sample("minimal")).claimed_sender == (sor,)
    named = parse(sample("typical"))
    assert named.claimed_sender == (Identifier(names.SOR, "999000000101"),)
    silent = without(sample("everything"), "MessageHeader/Sender")
    assert parse(silent).claimed_sender == ()


def test_a_protected_address_is_marked() -> None:
    (patient,) = [
        r for r in parse(sample("everything")).resources if r["resourceType"] == "Patient"
    ]
    assert patient["meta"]["security"] == [{"system": names.CONFIDENTIALITY, "code": "R"}]
    systems = {i["system"] for i in patient["identifier"]}
    assert systems == {names.CPR, names.X_ECPR, "urn:oid:1.2.208.176.1.6.1.3.181"}


def test_ranks_are_the_authors_else_the_order() -> None:
    body = etree.fromstring(sample("everything"))
    for group in ("Challenges/Challenge", "Goals/Goal", "Interventions/Intervention"):
        for found in body.findall("/".join(q(s) for s in group.split("/"))):
            found.remove(element(found, "RankNumber"))
    unranked, ranked = parse(etree.tostring(body)), parse(sample("everything"))
    assert unranked.resources == ranked.resources
    other = changed(sample("everything"), "Goals/Goal[1]/RankNumber", "9")
    links = parse(other).resources[0]["goal"]
    assert [extension_value(link, names.RANK) for link in links] == [9, 2, 3]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=documents())
def test_every_valid_document_is_understood(body: bytes) -> None:
    update = parse(body)
    assert update == parse(body)
    issues = EmbeddedValidator(by_fhirpath=False).check(update.resources)
    assert [i for i in issues if i.severity in {"error", "fatal"}] == []
    assert extensions(update.resources[0], names.NEXT_MEETING) or b"<NextMeeting" not in body


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_a_team_member_is_told_by_its_membership_in_the_form(file) -> None:  # type: ignore[no-untyped-def]
    update = parse(file.read_bytes())
    (team,) = [r for r in update.resources if r["resourceType"] == "CareTeam"]
    members = range(len(team["participant"]))
    found = [update.places[f"CareTeam/{team['id']}#participant[{i}]"] for i in members]
    form, known = etree.parse(file), {"k": FORMAT.schema.namespace}
    there = [form.xpath(place.replace("/", "/k:"), namespaces=known) for place in found]
    assert [len(elements) for elements in there] == [1] * len(found)
    assert {etree.QName(e).localname for elements in there for e in elements} == {"Membership"}
    assert len(set(found)) == len(found)

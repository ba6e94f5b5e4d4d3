"""In: what a behandlingsplan becomes, what stays behind, and what is never shared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from behandlingsplan_documents import changed, documents, element, message, parse, sample
from hypothesis import given, settings
from lxml import etree

from adapters.behandlingsplan import ADAPTER
from adapters.behandlingsplan.parse import FORMAT
from adapters.xml_plan.reading import COMMON
from adapters.xml_plan.rules import members
from hub.contract import Identifier, PlanUpdate
from hub.fhir import names
from hub.fhir.extract import extension_value, references, sections
from hub.fhir.reading import PlanReader
from hub.mapping import Table, load_table, mappings_folder
from hub.mapping.paths import counted_from, find, leaves

ALL = ("minimal", "typical", "typical-update", "everything", "typical-2")
NEVER = ("Medicines", "ElectroconvulsiveTherapy", "SomaticFindings", "JournalNotes", "Consent")


def by_type(update: PlanUpdate, kind: str) -> list[dict]:
    return [r for r in update.resources if r["resourceType"] == kind]


def marks(update: PlanUpdate) -> list[bool]:
    plan = update.resources[0]
    return [extension_value(a, names.COORDINATION) for a in plan["activity"]]


@pytest.mark.parametrize("name", ALL)
def test_samples_are_read_and_every_reference_resolves(name: str) -> None:
    update = parse(sample(name))
    known = {f"{r['resourceType']}/{r['id']}" for r in update.resources}
    assert update.part == "behandlingsplan"
    assert update.resources[0]["resourceType"] == "CarePlan"
    assert set(references(list(update.resources))) <= known
    assert len(known) == len(update.resources)


def test_typical_says_what_the_document_says() -> None:
    update = parse(sample("typical"))
    plan, patient, unit, doctor = update.resources[:4]
    assert update.case == "PSYK-2026-000117"
    assert update.citizen.identifiers == (Identifier(names.CPR, "0201609996"),)
    assert update.claimed_sender == (Identifier(names.SOR, "999000000101"),)
    assert (update.plan_id, update.base_version, update.issues) == (None, None, ())
    assert plan["meta"]["profile"] == [names.KI_SECTOR_PLAN]
    assert plan["category"] == [names.concept(names.SECTOR_KIND, "behandlingsplan")]
    assert (plan["status"], plan["intent"]) == ("active", "plan")
    assert plan["created"] == "2026-09-02T10:00:00+02:00"
    assert plan["author"]["reference"] == f"Organization/{unit['id']}"
    assert plan["contributor"] == [{"reference": f"PractitionerRole/{doctor['id']}"}]
    assert patient["name"] == [
        {"use": "official", "given": ["Karla", "Testine"], "family": "Nygaard"}
    ]
    assert unit["identifier"][0]["system"] == names.SOR
    assert doctor["code"] == [{"text": "Overlæge"}]
    assert doctor["telecom"] == [{"system": "phone", "value": "+4500000101"}]
    first = plan["activity"][0]
    assert first["detail"]["status"] == "in-progress"
    assert first["detail"]["code"]["coding"][0]["code"] == "samtaleforloeb"
    assert first["detail"]["scheduledPeriod"] == {"start": "2026-09-03", "end": "2026-12-17"}
    assert first["progress"] == [{"text": "Gøres op ved behandlingskonferencen i uge 43."}]
    assert sections(plan["activity"][1]) == ("psychiatry", "substance-use")


def test_the_plan_reads_as_a_sector_plan() -> None:
    update = parse(sample("typical"))
    view = {f"{r['resourceType']}/{r['id']}": r for r in update.resources}
    (found,) = PlanReader(view).sector_plans()
    assert found.kind == "behandlingsplan"
    assert found.owner == "Psykiatrisk Center Nordstrand"
    assert [g.rank for g in found.goals] == [1, 2]
    assert [i.rank for i in found.interventions] == [1, 2, 3, 4]
    assert found.interventions[3].code_text == "Opfølgning på behandlingsplanen"
    assert [n.actor for n in found.notes] == ["Borgerens egne ønsker"]


def test_default_marks() -> None:
    update = parse(sample("typical"))
    # Two conversations and teaching are marked, medicine is not, the next follow-up is.
    assert marks(update) == [True, True, False, True]
    assert extension_value(update.resources[0], names.COORDINATION) is True
    goals = [extension_value(g, names.COORDINATION) for g in by_type(update, "Goal")]
    assert goals == [True, False], "the first is marked by its author, the second by default not"
    defaulted = [loss.path for loss in update.losses if loss.kind == "defaulted"]
    assert "/TreatmentPlan/Purpose/CoordinationIndicator" in defaulted
    assert "/TreatmentPlan/TreatmentEfforts/TreatmentEffort[3]/CoordinationIndicator" in defaulted
    assert "/TreatmentPlan/Goals/Goal[1]/CoordinationIndicator" not in defaulted


def test_an_authors_mark_is_kept_and_marked_medicine_is_warned_about() -> None:
    body = sample("typical").replace(
        b"<EffortStatusCode>i-gang</EffortStatusCode>\n      <SectionCode>psykiatri</SectionCode>"
        b"\n    </TreatmentEffort>\n  </TreatmentEfforts>",
        b"<EffortStatusCode>i-gang</EffortStatusCode>"
        b"<CoordinationIndicator>1</CoordinationIndicator></TreatmentEffort></TreatmentEfforts>",
    )
    update = parse(body)
    assert marks(update)[2] is True
    (issue,) = update.issues
    assert (issue.severity, issue.expression) == (
        "warning",
        "/TreatmentPlan/TreatmentEfforts/TreatmentEffort[3]/CoordinationIndicator",
    )


def test_what_is_never_shared_is_in_no_resource_and_is_named() -> None:
    body = sample("everything")
    update = parse(body)
    told = json.dumps(update.resources, ensure_ascii=False)
    root = etree.fromstring(body)
    for part in NEVER:
        for leaf in element(root, part).iter():
            if isinstance(leaf.tag, str) and len(leaf) == 0 and leaf.tag[-4:] in {"Text", "Name"}:
                assert str(leaf.text) not in told
    paths = [loss.path for loss in update.not_shared]
    assert "/TreatmentPlan/Medicines/Medicine[2]/DrugName" in paths
    assert all(any(p.startswith(f"/TreatmentPlan/{part}/") for p in paths) for part in NEVER)


def test_preliminary_is_told_as_coarsened() -> None:
    update = parse(sample("minimal"))
    assert update.resources[0]["status"] == "active"
    kinds = {(loss.path, loss.kind) for loss in update.losses}
    assert ("/TreatmentPlan/PlanVersion/PlanStatusCode", "coarsened") in kinds


def test_a_new_version_keeps_the_ids_and_changes_the_effort() -> None:
    before, after = parse(sample("typical")), parse(sample("typical-update"))
    assert [r["id"] for r in before.resources] == [r["id"] for r in after.resources]
    old, new = before.resources[0]["activity"], after.resources[0]["activity"]
    assert [a["id"] for a in old] == [a["id"] for a in new]
    assert old[0]["detail"] != new[0]["detail"]
    assert old[1:] == new[1:]


def test_an_identified_item_keeps_its_id_when_the_order_changes() -> None:
    root = etree.fromstring(sample("typical"))
    efforts = element(root, "TreatmentEfforts")
    efforts.append(efforts[0])
    before, after = parse(sample("typical")), parse(etree.tostring(root))
    ids = [a["id"] for a in before.resources[0]["activity"]]
    moved = [a["id"] for a in after.resources[0]["activity"]]
    assert moved == [ids[1], ids[2], ids[0], ids[3]]


def test_an_identifier_is_never_taken_for_a_place() -> None:
    body = sample("typical").replace(b"<GoalIdentifier>M1<", b"<GoalIdentifier>2<")
    root = etree.fromstring(body)
    goal = element(root, "Goals/Goal[2]")
    goal.remove(goal[0])
    ids = [g["id"] for g in by_type(parse(etree.tostring(root)), "Goal")]
    assert len(set(ids)) == 2


def test_another_case_has_other_ids() -> None:
    other = parse(changed(sample("typical"), "MessageHeader/CaseIdentifier", "SAG-9"))
    mine = {r["id"] for r in parse(sample("typical")).resources}
    assert not mine & {r["id"] for r in other.resources}


def test_envelope_fields() -> None:
    update = parse(sample("everything"))
    assert update.base_version == 4
    assert update.plan_id == "5b0f6a0e-8d0c-5c39-9a57-7f3f0f3f1c11"


@pytest.mark.parametrize(
    ("name", "value", "system"),
    [
        ("NationalReplacementIdentifier", "0201601AB9", names.X_ECPR),
        ("NationalReplacementIdentifier", "0201607AB9", names.X_ECPR),
        ("RegionalReplacementIdentifier", "0201605AB9", names.D_ECPR[0]),
    ],
)
def test_replacement_numbers(name: str, value: str, system: str) -> None:
    number = f"<{name}>{value}</{name}>".encode()
    body = sample("typical").replace(
        b"<PersonCivilRegistrationIdentifier>0201609996</PersonCivilRegistrationIdentifier>", number
    )
    update = parse(body)
    assert update.citizen.identifiers == (Identifier(system, value),)
    assert update.resources[1]["identifier"][0]["use"] == "temp"


def test_fingerprint_sees_content_and_not_the_envelope() -> None:
    body = sample("typical")
    again = changed(body, "MessageHeader/MessageIdentifier", "bp-2026-9")
    again = changed(again, "MessageHeader/SentDateTime", "2026-09-03T10:15:00+02:00")
    other = changed(body, "Goals/Goal[2]/GoalText", "Noget andet.")
    first, second, third = (ADAPTER.fingerprint(message(b)) for b in (body, again, other))
    assert first == second != third
    assert ADAPTER.fingerprint(message(b"not XML")) != ADAPTER.fingerprint(message(b"nor this"))


# Read by name elsewhere: they become ids, the envelope, or a code of another kind.
_KEYS = {"GoalIdentifier", "EffortIdentifier", "SharedPlanIdentifier", "BaseVersion"}


@settings(max_examples=60, deadline=None)
@given(documents())
def test_every_leaf_is_mapped_not_shared_or_a_loss(body: bytes) -> None:
    update = parse(body)
    told = {str(v) for _, v in leaves(list(update.resources))}
    told |= {"1", "0", "true", "false"}
    reported = {loss.path for loss in (*update.losses, *update.not_shared)}
    assert not [loss for loss in update.losses if loss.kind == "dropped"]
    for path, value in leaves(FORMAT.record(FORMAT.read(body))):
        place = f"/TreatmentPlan/{counted_from(path, 1)}"
        name = path.rpartition("/")[2].partition("[")[0]
        translated = name.endswith("Code") and not path.startswith(NEVER)
        if place in reported or translated or name in _KEYS:
            continue
        assert value in told, f"{place} is neither mapped nor reported"


def table_of(name: str) -> Table:
    """The format's own table, or the one it has in common with others."""
    file = mappings_folder("behandlingsplan") / f"{name}.yaml"
    return load_table(file if file.exists() else COMMON / f"{name}.yaml")


def pieces(content: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each table with a record it reads."""
    yield "plan", content
    yield "patient", content["Citizen"]
    yield "unit", content["ResponsibleUnit"]
    yield "person", content["ResponsibleUnit"]["ResponsibleDoctor"]
    for name, part in (("wishes", "CitizenWishes"), ("follow-up", "NextFollowUp")):
        if part in content:
            yield name, content[part]
    for goal in members(content, "Goals", "Goal"):
        yield "goal", goal
    for effort in members(content, "TreatmentEfforts", "TreatmentEffort"):
        yield "effort", effort


@settings(max_examples=60, deadline=None)
@given(documents())
def test_mapped_content_comes_back_through_the_tables(body: bytes) -> None:
    for name, item in pieces(FORMAT.record(FORMAT.read(body))):
        table = table_of(name)
        back, _ = table.backward(table.forward(item)[0])
        for row in table.rows:
            source = [value for _, value in find(item, row.source)]
            if row.type == "boolean":
                source = ["true" if value in {"true", "1"} else "false" for value in source]
            if row.source.endswith("PlanStatusCode"):
                source = ["endelig" if value == "foreloebig" else value for value in source]
            assert [value for _, value in find(back, row.source)] == source


@pytest.mark.parametrize("name", ALL)
def test_no_element_of_the_samples_is_without_a_declared_place(name: str) -> None:
    assert not [loss for loss in parse(sample(name)).losses if loss.kind == "dropped"]

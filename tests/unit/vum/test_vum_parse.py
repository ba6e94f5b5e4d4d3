"""Orders in: what becomes of every part."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vum_documents import (
    NAMES,
    changed,
    context,
    index_of,
    of,
    parsed,
    raw,
    resources_of_type,
    sample,
    strings,
    without_claim,
)

from adapters.vum import ADAPTER, activities, parts
from adapters.vum.codes import displays
from hub.contract import Identifier
from hub.errors import UnknownCode, Unsupported
from hub.fhir import names
from hub.fhir.extract import extension_value, references, sections
from hub.fhir.reading import PlanReader
from tests.views import errors_in


def _plan(document: dict[str, Any]) -> dict[str, Any]:
    return parsed(document).resources[0]


def _coordinated(element: dict[str, Any]) -> bool:
    return extension_value(element, names.COORDINATION) is True


@pytest.mark.parametrize("name", NAMES)
def test_samples_are_conformant_and_every_reference_resolves(name: str) -> None:
    update = parsed(sample(name))

    known = {f"{r['resourceType']}/{r['id']}" for r in update.resources}
    assert [i.code for i in update.issues] == ["not-found"]
    assert set(references(list(update.resources))) <= known
    assert len(known) == len(update.resources)


@pytest.mark.parametrize("name", NAMES)
def test_samples_and_what_becomes_of_them_are_legal_r4(name: str) -> None:
    assert errors_in(sample(name)) == []
    assert errors_in(*parsed(sample(name)).resources) == []


def test_the_order_becomes_the_municipalitys_sector_plan() -> None:
    bundle = sample()
    update = parsed(bundle)
    plan = update.resources[0]

    assert update.part == "vum"
    assert update.case == "SAG-2025-00417"
    assert update.citizen.identifiers == (Identifier(names.CPR, "0201609996"),)
    assert Identifier(names.SOR, "999000000202") in update.claimed_sender
    assert plan["category"] == [names.concept(names.SECTOR_KIND, "vum")]
    assert plan["description"] == of(bundle, "interventionPurpose")["description"]["text"]
    assert (plan["status"], plan["intent"]) == ("active", "plan")
    assert plan["period"] == {"start": "2025-04-01", "end": "2026-03-31"}
    assert plan["identifier"][0]["value"] == "SAG-2025-00417"
    assert [extension_value(a, names.RANK) for a in plan["addresses"]] == [1, 2, 2]
    assert len(plan["goal"]) == 5


def test_the_reader_finds_the_plan_in_the_municipalitys_own_words() -> None:
    update = parsed(sample())
    reader = PlanReader({f"{r['resourceType']}/{r['id']}": r for r in update.resources})

    (plan,) = reader.sector_plans()

    assert plan.kind == "vum"
    assert plan.owner == "Havneby Kommune, Socialafdelingen"
    assert plan.problems[0].text == "Stofmisbrug"
    assert plan.problems[0].sections == ("substance-use",)
    assert plan.interventions[0].code_text == "Støtte til behandling"
    assert plan.interventions[0].performers == ("Bostøtten Fyrtårnet",)
    assert plan.interventions[0].start == "2025-04-01"
    assert plan.interventions[0].goals == (2,)
    assert plan.interventions[4].text == "Kørsel til aktiviteter efter serviceloven § 105"


def test_what_is_marked_for_coordination_and_what_stays() -> None:
    update = parsed(sample())
    plan = update.resources[0]
    conditions = resources_of_type(update, "Condition")
    addressed = {link["reference"] for link in plan["addresses"]}

    assert _coordinated(plan)
    assert all(_coordinated(activity) for activity in plan["activity"])
    assert all(_coordinated(goal) for goal in resources_of_type(update, "Goal"))
    for condition in conditions:
        assert _coordinated(condition) is (f"Condition/{condition['id']}" in addressed)
    assert len(conditions) == 8
    assert not any(_coordinated(o) for o in resources_of_type(update, "Observation"))
    assert len(resources_of_type(update, "Observation")) == 4


def test_the_owners_own_mark_and_label_win_over_the_defaults() -> None:
    bundle = sample()
    of(bundle, "evaluation")["extension"] = [
        {"url": names.COORDINATION, "valueBoolean": True},
        {"url": names.SECTION, "valueCode": "social"},
    ]
    of(bundle, "intervention")["activity"][0]["extension"] = [
        {"url": names.COORDINATION, "valueBoolean": False}
    ]

    update = parsed(bundle)

    note = resources_of_type(update, "Observation")[0]
    assert _coordinated(note)
    assert sections(note) == ("social",)
    assert not _coordinated(update.resources[0]["activity"][0])


def test_sections_are_never_inferred() -> None:
    update = parsed(sample("order-2"))

    assert all(sections(r) == () for r in update.resources)
    assert all(sections(a) == () for a in update.resources[0]["activity"])


def test_both_url_generations_give_the_same_update() -> None:
    assert parsed(sample("order-0.1.0-urls")) == parsed(sample("order-minimal"))


def test_an_update_of_the_case_keeps_every_id() -> None:
    first, second = parsed(sample()), parsed(sample("order-full-update"))

    def ids(update: Any) -> list[str]:
        activities = update.resources[0]["activity"]
        return [r["id"] for r in update.resources] + [a["id"] for a in activities]

    assert ids(first) == ids(second)
    old, new = first.resources[0]["activity"][1], second.resources[0]["activity"][1]
    assert old["detail"]["scheduledPeriod"]["start"] == "2025-04-01"
    assert new["detail"]["scheduledPeriod"]["start"] == "2025-05-12"
    assert [a for a in first.resources[0]["activity"] if a != old] == [
        a for a in second.resources[0]["activity"] if a != new
    ]


def test_an_ffb_consent_never_becomes_a_consent() -> None:
    bundle = sample()
    update = parsed(bundle)

    assert resources_of_type(update, "Consent") == []
    place = f"Bundle.entry[{index_of(bundle, 'consent')}].resource"
    assert [n.path for n in update.not_shared].count(place) == 1


def test_an_ffb_consent_sent_by_itself_is_no_decision() -> None:
    with pytest.raises(Unsupported):
        parsed(of(sample(), "consent"))


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_is_accounted_for(name: str) -> None:
    bundle = sample(name)
    update = parsed(bundle)
    told = {loss.path for loss in (*update.losses, *update.not_shared)}

    for i, entry in enumerate(bundle["entry"]):
        at = f"Bundle.entry[{i}].resource"
        assert any(path == at or path.startswith(f"{at}.") for path in told), entry["resource"]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_invented(name: str) -> None:
    bundle = sample(name)
    update = parsed(bundle)
    known = set(strings(bundle)) | set(displays().values()) | {c for _, c in displays()}
    known |= {s for s, _ in displays()}
    sender = parts.owner(context().sender, "id")
    known |= set(strings(sender)) | {"CarePlan", "Patient", "Organization", "plan", "vum"}
    known |= {names.KI_SECTOR_PLAN, names.KI_GOAL, names.KI_PATIENT, names.KI_ORGANIZATION}
    known |= {names.COORDINATION, names.SECTION, names.RANK, names.SECTOR_KIND}
    issued = {r["id"] for r in update.resources}
    issued |= {a["id"] for a in update.resources[0]["activity"]}
    issued |= {f"{r['resourceType']}/{r['id']}" for r in update.resources}

    assert set(strings(list(update.resources))) <= known | issued


def test_confidentiality_follows_the_citizen() -> None:
    bundle = sample("order-minimal")
    label = {
        "system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
        "code": "R",
    }
    of(bundle, "citizen")["meta"]["security"] = [label]

    assert resources_of_type(parsed(bundle), "Patient")[0]["meta"]["security"] == [label]


def test_a_replacement_number_is_read_where_there_is_no_cpr() -> None:
    bundle = sample("order-minimal")
    of(bundle, "citizen")["identifier"] = [{"system": names.X_ECPR, "value": "0101801TS1"}]

    found = parsed(bundle).citizen.identifiers

    assert found == (Identifier(names.X_ECPR, "0101801TS1"),)


@pytest.mark.parametrize(
    ("plan", "own", "expected", "told"),
    [
        ("active", "not-started", "not-started", 0),
        ("active", None, "in-progress", 0),
        ("revoked", "in-progress", "cancelled", 2),
        ("revoked", "stopped", "stopped", 0),
        ("completed", "in-progress", "completed", 1),
        ("entered-in-error", None, "entered-in-error", 0),
    ],
)
def test_one_status_from_two(plan: str, own: str | None, expected: str, told: int) -> None:
    status, losses = activities.activity_status(plan, own, "x")

    assert status == expected
    assert len(losses) == told


def test_with_several_teams_nobody_is_named_as_performer() -> None:
    bundle = sample()
    order = of(bundle, "orderCarePlan")
    order["careTeam"].append(dict(order["careTeam"][0]))
    extra = changed(of(bundle, "servicePerformer"))
    extra["id"] = "team-2"
    bundle["entry"].append(
        {"fullUrl": "urn:uuid:5d0f9f5e-98a5-4c7e-8a0e-0d9f4b1a2c3d", "resource": extra}
    )
    order["careTeam"][1] = {"reference": bundle["entry"][-1]["fullUrl"]}

    activities = _plan(bundle)["activity"]

    assert "performer" in activities[0]["detail"]
    assert "performer" not in activities[2]["detail"]


def test_defects_in_circulation_are_read_with_warnings() -> None:
    bundle = sample("order-minimal")
    text = json.dumps(bundle)
    for entry in bundle["entry"]:
        kind, uuid = entry["resource"]["resourceType"], entry["fullUrl"].removeprefix("urn:uuid:")
        text = text.replace(f"urn:uuid:{uuid}", f"{kind}/{uuid}")
    relative = json.loads(text)
    of(relative, "orderCarePlan")["category"][0]["coding"][0]["code"] = (
        "4a297733-4d66-4726-a933-590d55cf91e0"
    )
    of(relative, "participatingOrganization").pop("identifier")

    update = parsed(relative)

    assert without_claim(update) == without_claim(parsed(bundle))
    assert update.claimed_sender == ()
    assert {"orderMessage.fullUrl", "orderCarePlan.category-code"} == {
        i.text.split("(")[-1].split(",")[0] for i in update.issues if i.code != "not-found"
    }


def _destined(identifier: list[dict[str, str]]) -> list[str | None]:
    """Places of warnings about the receiver that the header names."""
    bundle = sample()
    receiver = bundle["entry"][0]["resource"]["destination"][0]["receiver"]["reference"]
    (unit,) = [e["resource"] for e in bundle["entry"] if e["fullUrl"] == receiver]
    unit["identifier"] = identifier
    return [i.expression for i in parsed(bundle).issues if i.code == "not-found"]


def test_a_receiver_that_is_no_party_is_warned_about() -> None:
    place = ["Bundle.entry[0].resource.destination[0].receiver"]

    assert _destined([{"system": names.SOR, "value": "999000000404"}]) == place
    assert _destined([{"system": names.SOR, "value": "999000000101"}]) == []
    assert _destined([{"system": names.GLN_ALIASES[0], "value": "5790009900016"}]) == []
    assert _destined([]) == []


def test_a_missing_case_number_falls_back_on_the_orders_own_id() -> None:
    bundle = sample("order-minimal")
    of(bundle, "orderCarePlan").pop("extension")

    update = parsed(bundle)

    assert update.case is None
    assert update.resources[0]["id"] == parsed(bundle).resources[0]["id"]
    assert update.resources[0]["id"] != _plan(sample("order-minimal"))["id"]


def test_an_unknown_section_is_refused() -> None:
    bundle = sample("order-minimal")
    of(bundle, "targetGroup")["extension"] = [{"url": names.SECTION, "valueCode": "sport"}]

    with pytest.raises(UnknownCode) as refused:
        parsed(bundle)
    assert refused.value.issues[0].expression is not None
    assert "extension[0]" in refused.value.issues[0].expression


def _places(value: Any, at: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict):
        yield at, value
        for key, member in value.items():
            yield from _places(member, f"{at}.{key}")
    elif isinstance(value, list):
        for i, member in enumerate(value):
            yield from _places(member, f"{at}[{i}]")


@pytest.mark.parametrize("number", range(42))
def test_an_element_nobody_knows_is_reported(number: int) -> None:
    """Whatever is added anywhere is told of, itself or with what holds it."""
    clean = sample()
    at = f"Bundle.entry[{number}].resource"
    for place, _ in _places(clean["entry"][number]["resource"], at):
        bundle = sample()
        dict(_places(bundle["entry"][number]["resource"], at))[place]["surplus"] = "x"

        update = parsed(bundle)

        told = {loss.path for loss in (*update.losses, *update.not_shared)}
        assert any(_covers(path, f"{place}.surplus") for path in told), place
        assert "surplus" not in json.dumps(update.resources)


def _covers(path: str, place: str) -> bool:
    return place == path or place.startswith((f"{path}.", f"{path}["))


@given(text=st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=200))
def test_texts_are_carried_as_written(text: str) -> None:
    bundle = sample("order-minimal")
    of(bundle, "interventionPurpose")["description"]["text"] = text
    of(bundle, "intervention")["activity"][0]["detail"]["description"] = text

    plan = _plan(bundle)

    assert plan["description"] == text
    assert plan["activity"][0]["detail"]["description"] == text


def test_the_fingerprint_is_the_contents() -> None:
    first, again = sample(), sample()
    again["id"], again["timestamp"] = "other", "2026-01-01T00:00:00Z"
    again["meta"]["lastUpdated"] = "2026-01-01T00:00:00Z"
    again["entry"][0]["fullUrl"] = "urn:uuid:00000000-0000-4000-8000-000000000000"
    again["entry"][0]["resource"]["id"] = "other"
    again["entry"][1]["resource"]["meta"]["versionId"] = "7"
    other = sample("order-full-update")

    assert ADAPTER.fingerprint(raw(first)) == ADAPTER.fingerprint(raw(again))
    assert ADAPTER.fingerprint(raw(first)) != ADAPTER.fingerprint(raw(other))
    assert ADAPTER.fingerprint(raw(b"{")) != ADAPTER.fingerprint(raw(b"{{"))


def test_a_level_stays_with_its_owner_also_where_its_measure_is_left_out() -> None:
    bundle = sample()
    level = of(bundle, "interventionGoal")["target"][1]["detailCodeableConcept"]
    of(bundle, "citizenObjective")["target"] = [{"detailCodeableConcept": level}]

    update = parsed(bundle)
    place = f"Bundle.entry[{index_of(bundle, 'citizenObjective')}].resource.target[0]"
    assert [x.path for x in update.not_shared].count(place) == 1
    assert level["coding"][0]["code"] not in repr(resources_of_type(update, "Goal"))

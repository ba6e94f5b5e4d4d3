"""Every rule a profile adds says no to what breaks it, and agrees with what is accepted."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.dk_core import is_citizen_number
from hub.fhir import names
from hub.fhir.decided import pointing_at
from hub.runtime.profile_docs import constraints
from hub.runtime.published import FOLDER, published
from tests.unit.profiles.rules import broken

FOUND = published()
Spoil = Callable[[dict[str, Any]], object]


def profile(name: str) -> dict[str, Any]:
    return FOUND.structure(name)


def example(name: str) -> dict[str, Any]:
    read = json.loads((FOLDER / "examples" / f"{name}.json").read_text("utf-8"))
    found: dict[str, Any] = read["entry"][0]["resource"] if "entry" in read else read
    return copy.deepcopy(found)


def without(resource: dict[str, Any], name: str) -> None:
    """The resource without that extension."""
    url = names.extension(name)
    resource["extension"] = [e for e in resource["extension"] if e["url"] != url]


def extend(resource: dict[str, Any], name: str, code: str) -> None:
    resource["extension"] = [
        e | {"valueCode": code} if e["url"] == names.extension(name) else e
        for e in resource["extension"]
    ]


def rank(resource: dict[str, Any], number: int) -> None:
    resource["goal"][1]["extension"][0]["valuePositiveInt"] = number


def number(resource: dict[str, Any], system: str, value: str) -> None:
    resource["identifier"] = [{"system": system, "value": value}]


def koordinationsplan(resource: dict[str, Any]) -> None:
    resource["category"][0]["coding"][0]["code"] = "koordinationsplan"
    resource["partOf"] = [{"reference": "CarePlan/x"}]


def silent(resource: dict[str, Any]) -> None:
    del resource["activity"][0]["detail"]["description"]


def as_sector(resource: dict[str, Any]) -> None:
    resource["category"].append(names.concept(names.SECTOR_KIND, "vum"))


def as_consent(resource: dict[str, Any]) -> None:
    resource["category"].append(names.concept(names.CONSENT_PURPOSE, "exchange"))


def unit(resource: dict[str, Any], system: str) -> None:
    reference = resource["provision"]["provision"][0]["actor"][0]["reference"]
    reference["identifier"]["system"] = system


DEFECTS: list[tuple[str, str, str, Spoil]] = [
    ("ki-plan-1", "KiPlan", "plan-1", lambda r: rank(r, 1)),
    ("ki-plan-2", "KiPlan", "plan-1", lambda r: r["activity"][1].update(id="indsats-1")),
    ("ki-plan-3", "KiPlan", "plan-1", lambda r: r["goal"].pop()),
    ("ki-plan-4", "KiPlan", "plan-1", as_sector),
    ("ki-plan-5", "KiPlan", "plan-1", lambda r: r.pop("addresses")),
    ("ki-plan-6", "KiPlan", "plan-1", lambda r: r.pop("goal")),
    ("ki-plan-7", "KiPlan", "plan-1", lambda r: r.pop("activity")),
    ("ki-plan-8", "KiPlan", "plan-1", lambda r: without(r, "next-meeting")),
    ("ki-intervention-1", "KiPlan", "plan-1", silent),
    ("ki-sector-1", "KiSectorPlan", "sector-plan-1", koordinationsplan),
    (
        "ki-sector-2", "KiSectorPlan", "sector-plan-1",
        lambda r: r["activity"][1].update(id=r["activity"][0]["id"]),
    ),
    ("ki-patient-1", "KiPatient", "patient-1", lambda r: number(r, "urn:x", "1")),
    ("cpr", "KiPatient", "patient-1", lambda r: number(r, names.CPR, "0201609")),
    ("x-ecpr", "KiPatient", "patient-1", lambda r: number(r, names.X_ECPR, "0201602AB9")),
    ("d-ecpr", "KiPatient", "patient-1", lambda r: number(r, names.D_ECPR[3], "0201601AB9")),
    ("ki-organization-1", "KiOrganization", "organization-1", lambda r: number(r, names.CVR, "1")),
    (
        "dk-core-organization-mandatory-identifier", "KiOrganization", "organization-1",
        lambda r: number(r, names.LOCAL_UNIT, "x"),
    ),
    ("ki-care-team-1", "KiCareTeam", "care-team-1", lambda r: r["participant"].pop(1)),
    ("ki-care-team-2", "KiCareTeam", "care-team-1", lambda r: r["participant"][2].pop("role")),
    (
        "ki-meeting-1", "KiMeeting", "meeting-1",
        lambda r: r["participant"][0].update(status="needs-action"),
    ),
    ("ki-meeting-2", "KiMeeting", "meeting-1", lambda r: without(r, "meeting-date")),
    ("ki-consent-1", "KiConsent", "consent-2", lambda r: without(r, "mode-reason")),
    ("ki-consent-2", "KiConsent", "consent-1", lambda r: r["provision"].pop("provision")),
    ("ki-consent-3", "KiConsent", "consent-1", lambda r: r.update(status="proposed")),
    ("ki-consent-4", "KiConsent", "consent-1", lambda r: unit(r, names.CVR)),
    (
        "ki-approval-1", "KiApproval", "approval-1",
        lambda r: r.update(provision=pointing_at("CarePlan/PLAN")),
    ),
    ("ki-approval-2", "KiApproval", "approval-1", as_consent),
    ("ki-audit-1", "KiAuditEvent", "audit-event-1", lambda r: without(r, "legal-basis")),
]  # fmt: skip


@pytest.mark.parametrize(("key", "name", "file", "spoil"), DEFECTS, ids=[d[0] for d in DEFECTS])
def test_what_breaks_a_rule_is_told(key: str, name: str, file: str, spoil: Spoil) -> None:
    resource = example(file)
    assert key not in [c["key"] for c in broken(resource, profile(name))]
    spoil(resource)
    assert key in [c["key"] for c in broken(resource, profile(name))]


def test_every_rule_of_a_profile_has_its_defect() -> None:
    published_rules = {
        c["key"]
        for s in FOUND.of_type("StructureDefinition")
        if s["derivation"] == "constraint" and s["type"] != "Extension"
        for c in constraints(s)
    }
    assert published_rules == {key for key, *_ in DEFECTS}


def test_a_next_meeting_says_when() -> None:
    extension = next(e for e in example("plan-1")["extension"] if e["url"] == names.NEXT_MEETING)
    assert list(broken(extension, profile("ki-next-meeting"))) == []
    extension["extension"] = [e for e in extension["extension"] if e["url"] == "place"]
    told = [c["key"] for c in broken(extension, profile("ki-next-meeting"))]
    assert told == ["ki-next-meeting-1"]


@pytest.mark.parametrize("other", [{"value": "12"}, {"system": "urn:x", "value": "12"}])
def test_a_number_of_another_system_or_of_none_is_no_matter(other: dict[str, str]) -> None:
    patient = example("patient-1")
    patient["identifier"].append(other)
    assert list(broken(patient, profile("KiPatient"))) == []


def test_a_consent_without_a_mode_breaks_no_rule_on_oral_ones() -> None:
    consent = example("consent-1")
    without(consent, "mode")
    assert list(broken(consent, profile("KiConsent"))) == []


DIGITS = st.from_regex(r"[0-3][0-9][01][0-9]{3}[0-9]{4}", fullmatch=True)
LETTERS = st.from_regex(r"[0-3][0-9][01][0-9]{3}[0-9][A-Z]{2}[0-9]", fullmatch=True)
OTHER = st.text("0123456789ABCÆ-", max_size=12)


@given(
    system=st.sampled_from((names.CPR, names.X_ECPR, *names.D_ECPR)),
    value=st.one_of(DIGITS, LETTERS, OTHER.filter(bool)),
)
def test_the_rules_on_numbers_accept_what_the_hub_accepts(system: str, value: str) -> None:
    patient = example("patient-1")
    number(patient, system, value)
    told = list(broken(patient, profile("KiPatient")))
    assert (told == []) == is_citizen_number(system, value)


@given(order=st.permutations(range(3)), repeated=st.booleans())
def test_any_order_of_ranks_is_legal_and_no_rank_comes_twice(
    order: list[int], repeated: bool
) -> None:
    plan = example("plan-1")
    for goal, place in zip(plan["goal"], order, strict=True):
        goal["extension"][0]["valuePositiveInt"] = place + 1
    if repeated:
        plan["goal"][0]["extension"][0]["valuePositiveInt"] = order[1] + 1
    told = [c["key"] for c in broken(plan, profile("KiPlan"))]
    assert told == (["ki-plan-1"] if repeated else [])

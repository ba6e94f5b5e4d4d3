"""A KiConsent as the hub reads it: what is incomplete or not understood permits nothing."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from model_facts import GP, KOORD_OTHER, KOORD_OWN, PSYK, RUS, SOCIAL

from hub.errors import Invalid
from hub.fhir import names
from hub.model.consent import LONGEST, Consent, Rule, by_consent, read_consent
from hub.model.people import Givers
from tests.views import EXAMPLES, find_party

CPRS = ("0201609996", "1507729995")
GIVEN = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
SECURITY = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}


def form(**changes: Any) -> dict[str, Any]:
    """The published example with an id; a change to None leaves the element out."""
    resource = json.loads((EXAMPLES / "consent-1.json").read_text(encoding="utf-8"))
    made = resource | {"id": "c-1"} | changes
    return {k: v for k, v in made.items() if v is not None}


def first_rule(**changes: Any) -> dict[str, Any]:
    """The example with its first nested provision changed."""
    resource = copy.deepcopy(form())
    resource["provision"]["provision"][0] |= changes
    return resource


def read(resource: dict[str, Any]) -> Consent:
    return read_consent(resource, find_party)[0]


def refused(resource: dict[str, Any]) -> set[str | None]:
    """The places that are wrong; no text tells a value."""
    with pytest.raises(Invalid) as caught:
        read(resource)
    texts = " ".join(f"{i.text} {i.expression}" for i in caught.value.issues)
    assert not any(cpr in texts for cpr in CPRS)
    return {i.expression for i in caught.value.issues}


def test_the_example_permits_the_units_it_names() -> None:
    found = read(form())
    assert {r.unit for r in found.rules if r.permit} == {
        PSYK, SOCIAL, RUS, KOORD_OWN, KOORD_OTHER, GP,
    }  # fmt: skip
    assert found.purposes == {"make-plan", "exchange", "copy-to-gp"}
    assert found.since == datetime(2026, 8, 31, 22, tzinfo=UTC)
    assert found.until == datetime(2027, 8, 31, 22, tzinfo=UTC)


def test_a_bare_yes_permits_nothing() -> None:
    bare = form(performer=None, extension=None, provision=None)
    assert {"Consent.performer", "Consent.extension(mode)", "Consent.provision.provision"} <= (
        refused(bare)
    )


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"status": "draft"}, "Consent.status"),
        ({"dateTime": None}, "Consent.dateTime"),
        ({"dateTime": "2026-09"}, "Consent.dateTime"),
        ({"category": []}, "Consent.category"),
        ({"category": [names.concept(names.CONSENT_PURPOSE, "research")]}, "Consent.category"),
        ({"performer": []}, "Consent.performer"),
    ],
)
def test_what_is_missing_is_asked_for(change: dict[str, Any], place: str) -> None:
    assert place in refused(form(**change))


def test_an_oral_consent_needs_its_reason() -> None:
    mode = {"url": names.extension("mode"), "valueCode": "oral"}
    assert refused(form(extension=[mode])) == {"Consent.extension(mode-reason)"}
    reason = {"url": names.extension("mode-reason"), "valueString": "Kan ikke skrive i dag"}
    assert read(form(extension=[mode, reason])).active


def test_no_period_lasts_longer_than_a_year() -> None:
    endless = form()["provision"] | {"period": {"start": "2026-09-01", "end": "2099-01-01"}}
    assert read(form(provision=endless)).until == datetime(2027, 8, 31, 22, tzinfo=UTC)
    assert timedelta(days=365) == LONGEST
    open_end = {k: v for k, v in endless.items() if k != "period"}
    assert read(form(provision=open_end)).until == datetime(2027, 8, 31, 22, tzinfo=UTC)


def test_a_day_lasts_until_it_is_over() -> None:
    period = {"start": "2026-09-01", "end": "2026-09-30"}
    found = read(form(provision=form()["provision"] | {"period": period}))
    last = datetime(2026, 9, 30, 21, 59, tzinfo=UTC)
    assert [found.holds(last), found.holds(last + timedelta(minutes=1))] == [True, False]


@pytest.mark.parametrize("end", ["2026-10", "2026", "30.09.2026", ""])
def test_an_end_that_cannot_be_read_is_not_a_year(end: str) -> None:
    wrong = form(provision=form()["provision"] | {"period": {"end": end}})
    assert refused(wrong) == {"Consent.provision.period.end"}


def test_a_withdrawal_needs_no_units_and_holds_at_no_time() -> None:
    found = read(form(status="inactive", provision=None))
    assert not found.holds(GIVEN + timedelta(days=1))


def test_a_provision_says_permit_or_deny() -> None:
    resource = form()
    del resource["provision"]["provision"][0]["type"]
    assert refused(resource) == {"Consent.provision.provision[0].type"}


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"provision": [{"type": "deny"}]}, "provision"),
        ({"period": {"end": "2026-09-02"}}, "period"),
        ({"dataPeriod": {"start": "2026-01-01"}}, "dataPeriod"),
        ({"class": [{"system": "urn:x", "code": "CarePlan"}]}, "class"),
        ({"action": [{"text": "kun læse"}]}, "action"),
        ({"purpose": [{"system": "urn:x", "code": "TREAT"}]}, "purpose"),
    ],
)
def test_a_limit_that_is_not_understood_is_not_passed_over(
    change: dict[str, Any], place: str
) -> None:
    assert refused(first_rule(**change)) == {f"Consent.provision.provision[0].{place}"}


@pytest.mark.parametrize("label", [SECURITY, {"system": names.SECTION_CODE, "code": "sport"}, {}])
def test_a_label_that_is_no_section_does_not_mean_all_of_them(label: dict[str, str]) -> None:
    place = "Consent.provision.provision[0].securityLabel[0]"
    assert refused(first_rule(securityLabel=[label])) == {place}


@pytest.mark.parametrize("kind", ["permit", "deny"])
def test_a_rule_for_nobody_in_particular_is_refused(kind: str) -> None:
    assert refused(first_rule(type=kind, actor=[])) == {"Consent.provision.provision[0].actor"}
    by_reference = [{"reference": {"reference": "Organization/1"}}]
    assert refused(first_rule(type=kind, actor=by_reference)) == {
        "Consent.provision.provision[0].actor"
    }


def test_a_deny_of_a_section_reaches_the_decision() -> None:
    resource = form()
    actor = resource["provision"]["provision"][0]["actor"]
    label = {"system": names.SECTION_CODE, "code": "crime"}
    resource["provision"]["provision"].append(
        {"type": "deny", "actor": actor, "securityLabel": [label]}
    )
    found = read(resource)
    assert Rule(False, PSYK, "crime") in found.rules
    at = GIVEN + timedelta(days=1)
    assert by_consent((found,), PSYK, "exchange", at, ("psychiatry",)).permit
    assert not by_consent((found,), PSYK, "exchange", at, ("crime",)).permit


def test_a_unit_that_is_no_party_is_warned_about_and_gets_nothing() -> None:
    actor = [{"reference": {"identifier": {"system": names.SOR, "value": "999000009999"}}}]
    found, warnings = read_consent(first_rule(actor=actor), find_party)
    assert [i.expression for i in warnings] == ["Consent.provision.provision[0].actor[0]"]
    assert {r.unit for r in found.rules} == {SOCIAL, RUS, KOORD_OWN, KOORD_OTHER, GP}


def test_an_organisation_s_cvr_names_no_unit() -> None:
    actor = [{"reference": {"identifier": {"system": names.CVR, "value": "99990007"}}}]
    found, warnings = read_consent(first_rule(actor=actor), find_party)
    assert len(warnings) == 1
    assert PSYK not in {r.unit for r in found.rules}


# Who gave it


def given_by(*performers: dict[str, Any], ground: str | None = None) -> dict[str, Any]:
    resource = form()
    resource["performer"] = list(performers)
    if ground is not None:
        extension = {"url": names.GUARDIAN_GROUND, "valueCode": ground}
        resource["extension"] = [*resource["extension"], extension]
    return resource


CITIZEN = form()["performer"][0]
GUARDIAN = {"type": "RelatedPerson", "display": "Vera Værge"}


@pytest.mark.parametrize(
    ("resource", "wanted"),
    [
        (given_by(CITIZEN), Givers(True, False, None)),
        (given_by(GUARDIAN, ground="future-power"), Givers(False, True, "future-power")),
        (given_by(CITIZEN, GUARDIAN, ground="parental-custody"),
         Givers(True, True, "parental-custody")),
        (given_by({"display": "en ven"}), Givers(False, True, None)),
        (given_by(CITIZEN | {"type": "RelatedPerson"}), Givers(False, True, None)),
    ],
)  # fmt: skip
def test_who_gave_it_is_read(resource: dict[str, Any], wanted: Givers) -> None:
    assert read(resource).givers == wanted


# A refusal


def test_a_refusal_is_a_no_to_whom_it_names_until_it_is_taken_back() -> None:
    found = read(form(status="rejected"))
    assert {r.permit for r in found.rules} == {False}
    assert {r.unit for r in found.rules} == {PSYK, SOCIAL, RUS, KOORD_OWN, KOORD_OTHER, GP}
    assert found.holds(GIVEN + 9 * LONGEST)
    assert not read(form(status="inactive")).holds(GIVEN + timedelta(days=1))


def test_a_refusal_that_names_nobody_is_a_no_to_everyone() -> None:
    refusal = read(form(status="rejected", provision={"type": "deny"}))
    consent = read(form(id="c-2"))
    assert by_consent([consent], RUS, "exchange", GIVEN).permit
    assert not by_consent([consent, refusal], RUS, "exchange", GIVEN).permit

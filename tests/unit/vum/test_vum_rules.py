"""Every rule of the profiles: the samples keep it, and one change breaks it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from vum_documents import NAMES, of, sample

from adapters.vum.message import read_message
from adapters.vum.profiles import RULES
from adapters.vum.roles import with_roles
from adapters.vum.rules import findings
from adapters.vum.urls import PRE_RELEASE, profile
from tests.views import VALIDATOR, errors_in

Bundle = dict[str, Any]
Breaker = Callable[[Bundle], None]

OTHER_FFB = {
    "system": "urn:oid:1.2.208.176.2.22",
    "code": "d90f4da6-f87a-43b5-833f-646b4baf16d6",
}
"""Mobilt tilbud: an FFB code, but of an offer."""


def _holder(resource: Any, path: str) -> tuple[Any, Any]:
    *steps, last = [int(p) if p.isdigit() else p for p in path.split(".")]
    for step in steps:
        resource = resource[step]
    return resource, last


def without(name: str, path: str) -> Breaker:
    def change(bundle: Bundle) -> None:
        holder, last = _holder(of(bundle, name), path)
        del holder[last]

    return change


def having(name: str, path: str, value: Any) -> Breaker:
    def change(bundle: Bundle) -> None:
        holder, last = _holder(of(bundle, name), path)
        holder[last] = value

    return change


def more(name: str, path: str, value: Any) -> Breaker:
    def change(bundle: Bundle) -> None:
        holder, last = _holder(of(bundle, name), path)
        holder[last].append(value)

    return change


def _pointing(name: str, path: str, at: str) -> Breaker:
    """The reference at the path leads to another resource."""

    def change(bundle: Bundle) -> None:
        holder, last = _holder(of(bundle, name), path)
        target = of(bundle, at)
        holder[last] = {"reference": f"{target['resourceType']}/{target['id']}"}

    return change


def _no_timestamp(bundle: Bundle) -> None:
    del bundle["timestamp"]


def _relative(bundle: Bundle) -> None:
    bundle["entry"][-1]["fullUrl"] = "Consent/17"


def _more_focus(bundle: Bundle) -> None:
    focus = of(bundle, "orderMessageHeader")["focus"]
    focus.append({"reference": f"Patient/{of(bundle, 'citizen')['id']}"})


def _second_purpose(bundle: Bundle) -> None:
    of(bundle, "citizenObjective")["category"] = of(bundle, "interventionPurpose")["category"]


def _only_goals(bundle: Bundle) -> None:
    of(bundle, "interventionPurpose")["category"] = of(bundle, "citizenObjective")["category"]


HEADER, ORDER, UNIT = "orderMessageHeader", "orderCarePlan", "participatingOrganization"

BREAKERS: dict[str, Breaker] = {
    "orderMessage.timestamp": _no_timestamp,
    "orderMessage.fullUrl": _relative,
    "orderMessageHeader.source-endpoint": without(HEADER, "source.endpoint"),
    "orderMessageHeader.destination-endpoint": without(HEADER, "destination.0.endpoint"),
    "orderMessageHeader.destination-receiver": without(HEADER, "destination.0.receiver"),
    "orderMessageHeader.focus-type": _more_focus,
    "messagingOrganization.name": without(UNIT, "name"),
    "orderCarePlan.status": without(ORDER, "status"),
    "orderCarePlan.subject": without(ORDER, "subject"),
    "orderCarePlan.subject-citizen": _pointing(ORDER, "subject", UNIT),
    "orderCarePlan.intent": without(ORDER, "intent"),
    "orderCarePlan.category": without(ORDER, "category"),
    "orderCarePlan.created": without(ORDER, "created"),
    "orderCarePlan.author": without(ORDER, "author"),
    "orderCarePlan.addresses": without(ORDER, "addresses"),
    "orderCarePlan.goal": having(ORDER, "goal", []),
    "orderCarePlan.category-one": more(ORDER, "category", {"text": "x"}),
    "orderCarePlan.category-code": having(ORDER, "category", [{"text": "x"}]),
    "orderCarePlan.purpose": _only_goals,
    "orderCarePlan.one-purpose": _second_purpose,
    "orderCarePlan.municipality": having(ORDER, "extension.1.valueCoding.system", "urn:other"),
    "orderCarePlan.rank": having(ORDER, "addresses.0.extension.0.valuePositiveInt", 3),
    "intervention.one-activity": more("intervention", "activity", {"detail": {}}),
    "intervention.detail": having("intervention", "activity", [{}]),
    "intervention.status": without("intervention", "status"),
    "intervention.intent": without("intervention", "intent"),
    "intervention.created": without("intervention", "created"),
    "intervention.subject": without("intervention", "subject"),
    "intervention.activity-detail-code": without("intervention", "activity.0.detail.code"),
    "intervention.activity-detail-status": without("intervention", "activity.0.detail.status"),
    "intervention.one-ffb": more("intervention", "activity.0.detail.code.coding", OTHER_FFB),
    "intervention.ffb": having("intervention", "activity.0.detail.code.coding", [OTHER_FFB]),
    "servicePerformer.subject": without("servicePerformer", "subject"),
    "servicePerformer.participant": having("servicePerformer", "participant", []),
    "servicePerformer.category": having(
        "servicePerformer",
        "category.0.coding.0.code",
        "0e25a2ec-4f04-4d14-a5ad-a6519a7d1d5f",
    ),
    "servicePerformer.role": having(
        "servicePerformer", "participant.0.role.0.coding.0.system", "urn:other"
    ),
    "servicePerformer.member": _pointing("servicePerformer", "participant.2.member", "citizen"),
    "relatedCarePlan.status": without("relatedCarePlan", "status"),
    "relatedCarePlan.intent": without("relatedCarePlan", "intent"),
    "relatedCarePlan.subject": without("relatedCarePlan", "subject"),
    "relatedCarePlan.careTeam": without("relatedCarePlan", "careTeam"),
    **{
        f"{goal}.{rule}": without(goal, path)
        for goal in ("interventionPurpose", "interventionGoal", "citizenObjective")
        for rule, path in (
            ("lifecycleStatus", "lifecycleStatus"),
            ("description", "description"),
            ("subject", "subject"),
            ("description-text", "description.text"),
        )
    },
    "interventionGoal.rank": having(
        "interventionGoal", "addresses.0.extension.0.valuePositiveInt", 2
    ),
    "interventionGoal.gol-1": without("interventionGoal", "target.0.measure"),
    "interventionGoal.change": having(
        "interventionGoal", "target.0.detailCodeableConcept.coding", [OTHER_FFB]
    ),
    "interventionGoal.severity": having(
        "interventionGoal", "target.1.detailCodeableConcept.coding", [OTHER_FFB]
    ),
    "interventionGoal.change-coded": having(
        "interventionGoal", "target.0.detailCodeableConcept", {"text": "mere"}
    ),
    "interventionGoal.severity-coded": having(
        "interventionGoal", "target.1.detailCodeableConcept", {"text": "let"}
    ),
    "targetGroup.code": without("targetGroup", "code"),
    "targetGroup.code-coding": having("targetGroup", "code", {"text": "x"}),
    "targetGroup.subject": without("targetGroup", "subject"),
    "targetGroup.ffb": having("targetGroup", "code.coding", [OTHER_FFB]),
    "condition.clinicalStatus": without("condition", "clinicalStatus"),
    "condition.subject": without("condition", "subject"),
    "condition.one-code": more("condition", "code.coding", {"system": "urn:x", "code": "y"}),
    "condition.ffb": having("condition", "code.coding", [OTHER_FFB]),
    "condition.severity": having("condition", "severity", {"coding": [OTHER_FFB]}),
    "disgnosis.clinicalStatus": without("disgnosis", "clinicalStatus"),
    "disgnosis.code": without("disgnosis", "code"),
    "disgnosis.code-text": having("disgnosis", "code", {"coding": [{"code": "x"}]}),
    "disgnosis.subject": without("disgnosis", "subject"),
    "followUp.status": without("followUp", "status"),
    "followUp.class": without("followUp", "class"),
    "followUp.type": without("followUp", "type"),
    "followUp.period": without("followUp", "period"),
    "followUp.period-start": without("followUp", "period.start"),
    "followUp.type-code": having("followUp", "type", [{"text": "x"}]),
    "informationGathering.status": without("informationGathering", "status"),
    "informationGathering.subject": without("informationGathering", "subject"),
    "informationGathering.investigation-code": without(
        "informationGathering", "investigation.0.code"
    ),
    "informationGathering.finding": _pointing(
        "informationGathering", "finding.0.itemReference", "evaluation"
    ),
    "informationGathering.item": _pointing(
        "informationGathering", "investigation.0.item.0", "condition"
    ),
    "evaluation.status": without("evaluation", "status"),
    "evaluation.code": having(
        "evaluation", "code.coding.0.code", "9f03dfbb-7a97-45a5-94db-d4c3501714a9"
    ),
    "evaluation.effectiveDateTime": without("evaluation", "effectiveDateTime"),
    "evaluation.subject": without("evaluation", "subject"),
    "matterOfInterest.status": without("matterOfInterest", "status"),
    "matterOfInterest.effectiveDateTime": without("matterOfInterest", "effectiveDateTime"),
    "matterOfInterest.subject": without("matterOfInterest", "subject"),
    "matterOfInterest.code": having("matterOfInterest", "code", {"text": "x"}),
    "matterOfInterest.theme": having("matterOfInterest", "code.coding", [OTHER_FFB]),
    "citizen.identifier": without("citizen", "identifier"),
    "citizen.number": having("citizen", "identifier.0.value", "3102609996"),
    "citizen.phone": having("citizen", "telecom.0.system", "email"),
    "citizen.contact-phone": having("citizen", "contact.0.telecom", []),
    "citizen.address-line": without("citizen", "address.0.line"),
    "citizen.address-postalCode": without("citizen", "address.0.postalCode"),
    "citizen.address-city": without("citizen", "address.0.city"),
    "participatingOrganization.name": without(UNIT, "name"),
    "participatingOrganization.contact": without(UNIT, "contact"),
    "participatingOrganization.contact-name": without(UNIT, "contact.0.name"),
    "participatingOrganization.contact-name-prefix": without(UNIT, "contact.0.name.prefix"),
    "participatingOrganization.contact-name-family": without(UNIT, "contact.0.name.family"),
    "participatingOrganization.contact-name-given": without(UNIT, "contact.0.name.given"),
    "participatingOrganization.contact-phone": without(UNIT, "contact.0.telecom.0.value"),
    "relatedPerson.relationship": without("relatedPerson", "relationship"),
    "relatedPerson.patient": without("relatedPerson", "patient"),
    "relatedPerson.address-line": having(
        "relatedPerson", "address", [{"postalCode": "1", "city": "x"}]
    ),
    "relatedPerson.address-postalCode": having(
        "relatedPerson", "address", [{"line": ["x"], "city": "x"}]
    ),
    "relatedPerson.address-city": having(
        "relatedPerson", "address", [{"line": ["x"], "postalCode": "1"}]
    ),
    "guardian.form": without("guardian", "extension"),
    "guardian.form-code": having("guardian", "extension.0.valueCoding.system", "urn:other"),
    "consent.status": without("consent", "status"),
    "consent.scope": without("consent", "scope"),
    "consent.category": without("consent", "category"),
    "consent.patient": without("consent", "patient"),
    "consent.dateTime": without("consent", "dateTime"),
    "consent.performer": without("consent", "performer"),
    "consent.ppc-1": without("consent", "policyRule"),
    "consent.performer-person": _pointing("consent", "performer.0", "citizen"),
    "account.status": without("account", "status"),
    "account.active": having("account", "status", "inactive"),
    "account.number": having("account", "identifier.0.system", "urn:other"),
    "accountOwner.ean": without("accountOwner", "identifier"),
    "documentReference.status": without("documentReference", "status"),
    "documentReference.current": having("documentReference", "status", "superseded"),
}


def _broken(bundle: Bundle) -> set[str]:
    """The rules that the hub's validator says are broken, by the profile the order declares."""
    told = [i.text for i in VALIDATOR.check([bundle])]
    return {rule.id for rule in RULES if any(f"({rule.id}, {rule.profile})" in t for t in told)}


def test_every_rule_has_its_own_breaker_and_its_own_id() -> None:
    ids = [rule.id for rule in RULES]

    assert len(ids) == len(set(ids))
    assert set(ids) == set(BREAKERS)


@pytest.mark.parametrize("name", NAMES)
def test_the_samples_keep_every_rule(name: str) -> None:
    assert _broken(sample(name)) == set()


@pytest.mark.parametrize("rule", sorted(BREAKERS))
def test_one_change_breaks_the_rule(rule: str) -> None:
    bundle = sample("order-full")
    BREAKERS[rule](bundle)

    assert rule in _broken(bundle)


def test_a_finding_names_rule_profile_and_place() -> None:
    bundle = sample("order-full")
    without(UNIT, "contact.0.name.prefix")(bundle)
    message = with_roles(read_message(bundle))

    (finding,) = findings(message, RULES)

    assert finding.at == "Bundle.entry[3].resource.contact[0].name.prefix"
    assert profile("participatingOrganization") in finding.issue.text
    assert finding.issue.severity == "warning"


def test_a_data_absent_reason_stands_for_the_value() -> None:
    bundle = sample("order-full")
    name = of(bundle, UNIT)["contact"][0]["name"]
    url = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
    name["_family"] = {"extension": [{"url": url, "valueCode": "unknown"}]}
    del name["family"]

    assert _broken(bundle) == set()


def test_every_rule_has_a_text_in_danish() -> None:
    bundle = sample("order-full")
    for breaker in ("orderCarePlan.created", "citizen.phone", "intervention.one-ffb"):
        BREAKERS[breaker](bundle)
    told = [i for i in VALIDATOR.check([bundle]) if "kl-messaging-ffb" in i.text]
    assert len(told) >= 3
    assert all(i.text_da for i in told)


@pytest.mark.parametrize("old", [True, False])
def test_a_part_alone_is_held_to_what_needs_no_more_than_itself(old: bool) -> None:
    url = profile("evaluation")
    if old:
        url = url.replace(PRE_RELEASE[0][1], PRE_RELEASE[0][0])
    evaluation = of(sample("order-full"), "evaluation")
    evaluation["meta"] = {"profile": [url]}
    assert [i for i in VALIDATOR.check([evaluation]) if i.severity != "information"] == []
    del evaluation["effectiveDateTime"]
    (found,) = VALIDATOR.check([evaluation])
    assert "evaluation.effectiveDateTime" in found.text
    assert found.expression == "Observation.effectiveDateTime"


def test_what_is_no_order_at_all_is_told_and_not_raised() -> None:
    url = profile("orderMessage")
    for bundle in ({"type": "message"}, {"type": "collection"}, {"type": "message", "entry": [3]}):
        assert errors_in({"resourceType": "Bundle", **bundle}, profile=url) != []

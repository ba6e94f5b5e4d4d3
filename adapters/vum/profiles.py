"""The rules of KL FFB messaging 1.0.0, profile by profile.

Source: the profiles of ``http://fhir.kl.dk/ffbmessaging`` 1.0.0 with their parents in KL core 1.2.0
and dk-core, and FHIR R4 4.0.1 where it says more. ``value 1..`` counts as kept when a
data-absent-reason stands in the value's place. A binding is as strong as KL made it: an FFB code
outside of a value set that is bound as required refuses the message.
"""

from __future__ import annotations

from typing import Final

from adapters.vum import checks
from adapters.vum.rules import (
    Broken,
    Rule,
    at_most,
    fixed,
    from_ffb,
    leads_to,
    needs,
    of_system,
    slice_needed,
    with_care_social,
)
from adapters.vum.urls import PARTICIPANT_ROLE


def _needed(role: str, *paths: str) -> tuple[Rule, ...]:
    return tuple(
        Rule(f"{role}.{p.replace('.', '-')}", role, f"{p} is needed (1..)", needs(p)) for p in paths
    )


def _address(role: str) -> tuple[Rule, ...]:
    return _needed(role, "address.line", "address.postalCode", "address.city")


_CODE: Final = "code-invalid"


def _bound(id: str, text: str, broken: Broken) -> Rule:
    """A value set that KL bound as required; the rule's id begins with its role."""
    return Rule(id, id.partition(".")[0], text, broken, "error", code=_CODE)


_HEADER: Final = "orderMessageHeader"
_UNIT: Final = "participatingOrganization"
_GOALS: Final = ("interventionPurpose", "interventionGoal", "citizenObjective")

MESSAGE_RULES: Final = (
    Rule(
        "orderMessage.timestamp", _HEADER, "Bundle.timestamp is needed", checks.untimed, whole=True
    ),
    Rule(
        "orderMessage.fullUrl",
        _HEADER,
        "Every fullUrl must be absolute",
        checks.relative_url,
        whole=True,
    ),
    *_needed(_HEADER, "source.endpoint", "destination.endpoint", "destination.receiver"),
    Rule(
        f"{_HEADER}.focus-type",
        _HEADER,
        "focus names no other kinds of resources",
        checks.odd_focus,
        whole=True,
    ),
    *_needed("messagingOrganization", "name"),
)
"""1.2: Bundle and header."""

ORDER_RULES: Final = (
    Rule("orderCarePlan.status", "orderCarePlan", "status is needed", needs("status"), "error"),
    Rule("orderCarePlan.subject", "orderCarePlan", "subject is needed", needs("subject"), "error"),
    Rule(
        "orderCarePlan.subject-citizen",
        "orderCarePlan",
        "subject must be a Patient",
        leads_to("subject", "citizen"),
        "error",
        whole=True,
    ),
    *_needed("orderCarePlan", "intent", "category", "created", "author", "addresses", "goal"),
    Rule("orderCarePlan.category-one", "orderCarePlan", "One category", at_most("category", 1)),
    Rule(
        "orderCarePlan.category-code",
        "orderCarePlan",
        "The category is Social indsats",
        with_care_social("category", "KLCarePlanCategoryCodes"),
        code=_CODE,
    ),
    Rule(
        "orderCarePlan.purpose",
        "orderCarePlan",
        "One goal is the purpose",
        checks.no_purpose,
        whole=True,
    ),
    Rule(
        "orderCarePlan.one-purpose",
        "orderCarePlan",
        "Only one goal may be the purpose",
        checks.two_purposes,
        "error",
        whole=True,
    ),
    _bound(
        "orderCarePlan.municipality",
        "The acting municipality is a municipality code of dk-core",
        checks.odd_municipality,
    ),
    Rule("orderCarePlan.rank", "orderCarePlan", "ConditionRank is 1 or 2", checks.odd_rank),
    Rule(
        "intervention.one-activity",
        "intervention",
        "An intervention has exactly one activity",
        checks.activities,
        "error",
    ),
    Rule(
        "intervention.detail",
        "intervention",
        "activity.detail is needed",
        needs("activity.detail"),
        "error",
    ),
    *_needed("intervention", "status", "intent", "created", "subject"),
    *_needed("intervention", "activity.detail.code", "activity.detail.status"),
    Rule("intervention.one-ffb", "intervention", "At most one FFB code", checks.two_ffb_codes),
    _bound(
        "intervention.ffb",
        "The FFB code is one of KLInterventionsFFB",
        from_ffb("activity.detail.code", "KLInterventionsFFB"),
    ),
    *_needed("servicePerformer", "subject", "participant"),
    _bound(
        "servicePerformer.category",
        "The FFB category is one of KLServiceCodesFFB",
        from_ffb("category", "KLServiceCodesFFB"),
    ),
    _bound(
        "servicePerformer.role",
        "The role is one of participantRoleValues",
        of_system("participant.role", PARTICIPANT_ROLE),
    ),
    Rule(
        "servicePerformer.member",
        "servicePerformer",
        "Members are organisations or related persons",
        leads_to("participant.member", _UNIT, "relatedPerson", "guardian"),
        whole=True,
    ),
    *_needed("relatedCarePlan", "status", "intent", "subject", "careTeam"),
)
"""1.3: the order, its interventions, its team, and other authorities' plans."""

GOAL_RULES: Final = (
    *(
        Rule(f"{role}.{name}", role, f"{name} is needed", needs(name), "error")
        for role in _GOALS
        for name in ("lifecycleStatus", "description")
    ),
    *(rule for role in _GOALS for rule in _needed(role, "subject", "description.text")),
    Rule("interventionGoal.rank", "interventionGoal", "Exactly one rank 1", checks.not_one_primary),
    Rule(
        "interventionGoal.gol-1",
        "interventionGoal",
        "target.measure is needed",
        checks.no_measure,
        "error",
    ),
    _bound(
        "interventionGoal.change", "The change is one of KLChangeValueCodesFFB", checks.odd_change
    ),
    Rule(
        "interventionGoal.change-coded",
        "interventionGoal",
        "The change has one FFB code",
        checks.uncoded_change,
        code=_CODE,
    ),
    _bound("interventionGoal.severity", "The level is one of KLSeveritiesFFB", checks.odd_severity),
    Rule(
        "interventionGoal.severity-coded",
        "interventionGoal",
        "The level has one FFB code",
        checks.uncoded_severity,
        code=_CODE,
    ),
)
"""1.3: the three kinds of goals."""

ASSESSMENT_RULES: Final = (
    *_needed("targetGroup", "code", "code.coding", "subject"),
    _bound(
        "targetGroup.ffb",
        "The FFB code is one of KLConditionsAndTargetGroupsFFB",
        from_ffb("code", "KLConditionCodesFFB", "KLTargetGroupsFFB"),
    ),
    *_needed("condition", "clinicalStatus", "subject"),
    Rule("condition.one-code", "condition", "Exactly one coding", checks.codings),
    _bound(
        "condition.ffb",
        "The code is one of KLConditionCodesFFB",
        from_ffb("code", "KLConditionCodesFFB"),
    ),
    _bound(
        "condition.severity",
        "The severity is one of KLSeveritiesFFB",
        from_ffb("severity", "KLSeveritiesFFB"),
    ),
    *_needed("disgnosis", "clinicalStatus", "code", "code.text", "subject"),
    *_needed("followUp", "status", "class", "type", "period", "period.start"),
    Rule(
        "followUp.type-code",
        "followUp",
        "The type is one of KLEncounterTypes",
        with_care_social("type", "KLEncounterTypes"),
        code=_CODE,
    ),
    *_needed("informationGathering", "status", "subject", "investigation.code"),
    Rule(
        "informationGathering.finding",
        "informationGathering",
        "A finding is a condition or a diagnosis",
        leads_to("finding.itemReference", "condition", "disgnosis", "targetGroup"),
        whole=True,
    ),
    Rule(
        "informationGathering.item",
        "informationGathering",
        "An item is an evaluation or a matter of interest",
        leads_to("investigation.item", "evaluation", "matterOfInterest"),
        whole=True,
    ),
    Rule("evaluation.status", "evaluation", "status is needed", needs("status"), "error"),
    Rule(
        "evaluation.code",
        "evaluation",
        "The code is one of KLEvaluationTypeCodes",
        with_care_social("code", "KLEvaluationTypeCodes"),
        code=_CODE,
    ),
    *_needed("evaluation", "effectiveDateTime", "subject"),
    Rule(
        "matterOfInterest.status", "matterOfInterest", "status is needed", needs("status"), "error"
    ),
    *_needed("matterOfInterest", "effectiveDateTime", "subject"),
    Rule("matterOfInterest.code", "matterOfInterest", "A coding is needed", checks.no_theme),
    _bound(
        "matterOfInterest.theme",
        "The FFB code is one of KLThemesFFB",
        from_ffb("code", "KLThemesFFB"),
    ),
)
"""1.3: target groups and the assessment."""

PEOPLE_RULES: Final = (
    Rule("citizen.identifier", "citizen", "A CPR or replacement number", checks.nameless, "error"),
    Rule(
        "citizen.number",
        "citizen",
        "The number has not the form of its kind",
        checks.odd_number,
        "error",
    ),
    Rule(
        "citizen.phone",
        "citizen",
        "A phone is needed",
        slice_needed("telecom", "system", "phone", "value"),
    ),
    Rule(
        "citizen.contact-phone",
        "citizen",
        "Every contact needs a phone",
        slice_needed("contact.telecom", "system", "phone", "value"),
    ),
    *_address("citizen"),
    *_needed(_UNIT, "name", "contact", "contact.name"),
    *_needed(_UNIT, "contact.name.prefix", "contact.name.family", "contact.name.given"),
    Rule(
        f"{_UNIT}.contact-phone",
        _UNIT,
        "Every contact needs a phone",
        slice_needed("contact.telecom", "system", "phone", "value"),
    ),
    *_needed("relatedPerson", "relationship", "patient"),
    *_address("relatedPerson"),
    Rule("guardian.form", "guardian", "guardianshipForm is needed", checks.no_guardianship_form),
    _bound(
        "guardian.form-code",
        "The form is one of guardianshipFormValues",
        checks.odd_guardianship_form,
    ),
    *_needed("consent", "status", "scope", "category", "patient", "dateTime", "performer"),
    Rule("consent.ppc-1", "consent", "policy or policyRule is needed", checks.no_policy),
    Rule(
        "consent.performer-person",
        "consent",
        "The performer is a related person",
        leads_to("performer", "relatedPerson", "guardian"),
        whole=True,
    ),
    *_needed("account", "status"),
    Rule("account.active", "account", "status is active", fixed("status", "active")),
    Rule(
        "account.number",
        "account",
        "An account number is needed",
        slice_needed("identifier", "system", "urn:accountno", "value"),
    ),
    Rule(
        "accountOwner.ean",
        "accountOwner",
        "An EAN number is needed",
        slice_needed("identifier", "system", "urn:oid:1.3.88", "value"),
    ),
    *_needed("documentReference", "status"),
    Rule(
        "documentReference.current",
        "documentReference",
        "status is current",
        fixed("status", "current"),
    ),
)
"""1.3: the citizen, units, relatives, and what never leaves."""

RULES: Final = (*MESSAGE_RULES, *ORDER_RULES, *GOAL_RULES, *ASSESSMENT_RULES, *PEOPLE_RULES)

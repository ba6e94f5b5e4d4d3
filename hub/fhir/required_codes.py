"""Required bindings of R4 4.0.1 for the types a KI-plan is made of.

Key: the type an element stands in (``CarePlanActivityDetail`` is ``CarePlan.activity.detail``)
and the element's name. Source: the value sets of http://hl7.org/fhir/R4, each a required
binding. The metadata of fhir.resources is incomplete (a known defect), so it is not used.
"""

from __future__ import annotations

from typing import Final

_REQUEST = "draft active on-hold revoked completed entered-in-error unknown"
_EVENT = "preparation in-progress not-done on-hold stopped completed entered-in-error unknown"

_TABLE: Final = {
    "CarePlan.status": _REQUEST,
    "CarePlan.intent": "proposal plan order option",
    "CarePlanActivityDetail.status": (
        "not-started scheduled in-progress on-hold completed cancelled stopped unknown"
        " entered-in-error"
    ),
    "CarePlanActivityDetail.kind": (
        "Appointment CommunicationRequest DeviceRequest MedicationRequest NutritionOrder Task"
        " ServiceRequest VisionPrescription"
    ),
    "CareTeam.status": "proposed active suspended inactive entered-in-error",
    "Goal.lifecycleStatus": (
        "proposed planned accepted active on-hold completed cancelled entered-in-error rejected"
    ),
    "Observation.status": (
        "registered preliminary final amended corrected cancelled entered-in-error unknown"
    ),
    "Appointment.status": (
        "proposed pending booked arrived fulfilled cancelled noshow entered-in-error checked-in"
        " waitlist"
    ),
    "AppointmentParticipant.status": "accepted declined tentative needs-action",
    "AppointmentParticipant.required": "required optional information-only",
    "Consent.status": "draft proposed active rejected inactive entered-in-error",
    "ConsentProvision.type": "deny permit",
    "ConsentProvisionData.meaning": "instance related dependents authoredby",
    "Communication.status": _EVENT,
    "Communication.priority": "routine urgent asap stat",
    "DocumentReference.status": "current superseded entered-in-error",
    "DocumentReference.docStatus": "preliminary final amended entered-in-error",
    "Patient.gender": "male female other unknown",
    "RelatedPerson.gender": "male female other unknown",
    "Practitioner.gender": "male female other unknown",
    "PatientLink.type": "replaced-by replaces refer seealso",
    "MessageHeaderResponse.code": "ok transient-error fatal-error",
    "OperationOutcomeIssue.severity": "fatal error warning information",
    "Bundle.type": (
        "document message transaction transaction-response batch batch-response history"
        " searchset collection"
    ),
    "BundleEntryRequest.method": "GET HEAD POST PUT DELETE PATCH",
    "BundleEntrySearch.mode": "match include outcome",
    "ServiceRequest.status": _REQUEST,
    "ServiceRequest.intent": (
        "proposal plan directive order original-order reflex-order filler-order instance-order"
        " option"
    ),
    "Encounter.status": (
        "planned arrived triaged in-progress onleave finished cancelled entered-in-error unknown"
    ),
    "ContactPoint.system": "phone fax email pager url sms other",
    "ContactPoint.use": "home work temp old mobile",
    "Identifier.use": "usual official temp secondary old",
    "HumanName.use": "usual official temp nickname anonymous old maiden",
    "Address.use": "home work temp old billing",
    "Address.type": "postal physical both",
    "Narrative.status": "generated extensions additional empty",
    "Quantity.comparator": "< <= >= >",
}

REQUIRED: Final[dict[tuple[str, str], frozenset[str]]] = {
    (key.split(".")[0], key.split(".")[1]): frozenset(codes.split())
    for key, codes in _TABLE.items()
}
"""Allowed codes by (type, element)."""

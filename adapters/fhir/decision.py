"""A citizen's decision sent by itself: KiConsent or KiApproval (docs/canonical-model.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from adapters.dk_core import CITIZEN_SYSTEMS, is_citizen_number
from adapters.fhir.rules import has_error, refused
from adapters.fhir.terms import content_hash
from hub.contract import CitizenRef, Context, Decision, Identifier, Resource
from hub.errors import Invalid, Issue
from hub.fhir import names
from hub.fhir.decided import PATH, pointing_at, points_at
from hub.fhir.extract import codes

_VERSION = re.compile(r"CarePlan/[A-Za-z0-9\-.]{1,64}/_history/[0-9]{1,9}")


def read_decision(consent: Resource, context: Context, told: tuple[Issue, ...]) -> Decision:
    """A Consent, legal R4, with a hub id; ``told`` is what its validation said.

    Raises Invalid or UnknownCode with all issues.
    """
    approval = _is_approval(consent)
    made = {k: v for k, v in consent.items() if k != "text"}
    if approval:
        _relative_source(made, context.base_url)
    issues = (*told, *_problems(made, approval=approval))
    if has_error(issues):
        raise refused(Invalid, "The decision breaks a rule", issues)
    own = consent.get("id") or next(
        (i["value"] for i in consent.get("identifier", ()) if i.get("value")), None
    )
    # Without an id of the sender's, the content but its status is the id: a resend is the same
    # decision, and the same form sent as inactive takes it back.
    made["id"] = context.id_for(f"Consent/{own or _content(consent)}")
    made["meta"] = {
        k: v for k, v in made.get("meta", {}).items() if k not in {"versionId", "lastUpdated"}
    } or {"profile": [names.KI_APPROVAL if approval else names.KI_CONSENT]}
    return Decision(made, _citizen(made))


def _content(consent: Resource) -> str:
    return content_hash({k: v for k, v in consent.items() if k != "status"})


def _is_approval(consent: Resource) -> bool:
    profiles = set(consent.get("meta", {}).get("profile", ()))
    purposes = set(codes(consent.get("category", ()), names.CONSENT_PURPOSE))
    approval = names.KI_APPROVAL in profiles or "approval" in purposes
    if approval and (names.KI_CONSENT in profiles or purposes - {"approval"}):
        text = "One Consent is either a consent or an approval; send two"
        raise Invalid(text, at="Consent.category")
    return approval


def _problems(consent: Resource, *, approval: bool) -> Iterator[Issue]:
    """What the profiles KiConsent and KiApproval do not say."""
    identifier = consent.get("patient", {}).get("identifier", {})
    system = identifier.get("system")
    if system in CITIZEN_SYSTEMS and not is_citizen_number(system, identifier.get("value", "")):
        text = "Not the form of this number: ten characters that start with a date (dk-core)"
        yield Issue("error", "value", text, "Consent.patient.identifier.value")
    if approval and not _VERSION.fullmatch(points_at(consent)):
        text = "Point at the plan version decided on: CarePlan/<id>/_history/<version>"
        yield Issue("error", "required", text, PATH)


def _relative_source(consent: Resource, base: str) -> None:
    reference = points_at(consent)
    if reference.startswith(f"{base}/"):
        consent["provision"] |= pointing_at(reference.removeprefix(f"{base}/"))


def _citizen(consent: Resource) -> CitizenRef | None:
    identifier = consent.get("patient", {}).get("identifier", {})
    if identifier.get("system") not in CITIZEN_SYSTEMS or "value" not in identifier:
        return None
    return CitizenRef((Identifier(identifier["system"], identifier["value"]),))

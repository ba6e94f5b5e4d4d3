"""A citizen's decision sent by itself: KiConsent or KiApproval (docs/canonical-model.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from adapters.fhir.rules import is_national_id
from adapters.fhir.terms import NATIONAL_IDS, PURPOSES, content_hash
from hub.contract import CitizenRef, Context, Decision, Identifier, Resource
from hub.errors import Invalid, Issue, UnknownCode
from hub.fhir import names
from hub.fhir.decided import PATH, pointing_at, points_at
from hub.fhir.extract import codes, extension_value

_VERSION = re.compile(r"CarePlan/[A-Za-z0-9\-.]{1,64}/_history/[0-9]{1,9}")


def read_decision(consent: Resource, context: Context) -> Decision:
    """The Consent with a hub id; raises Invalid or UnknownCode with all issues."""
    approval = _is_approval(consent)
    made = {k: v for k, v in consent.items() if k != "text"}
    if approval:
        _relative_source(made, context.base_url)
    issues = [*_common(made), *(_approval(made) if approval else _consent(made))]
    errors = [i for i in issues if i.severity == "error"]
    if errors:
        refused = UnknownCode if all(i.code == "code-invalid" for i in errors) else Invalid
        raise refused("The decision breaks a rule", issues=tuple(issues))
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


def _common(consent: Resource) -> Iterator[Issue]:
    mode = extension_value(consent, names.extension("mode"))
    if mode is not None and mode not in ("written", "oral"):
        yield Issue("error", "code-invalid", "The mode is written or oral", "Consent.extension")
    patient = consent.get("patient", {})
    if not patient:
        yield Issue("error", "required", "State who the decision is about", "Consent.patient")
    identifier = patient.get("identifier", {})
    system = identifier.get("system")
    if system in NATIONAL_IDS and not is_national_id(system, str(identifier.get("value", ""))):
        text = "Not the form of this number: ten characters that start with a date (dk-core)"
        yield Issue("error", "value", text, "Consent.patient.identifier.value")


def _consent(consent: Resource) -> Iterator[Issue]:
    purposes = codes(consent.get("category", ()), names.CONSENT_PURPOSE)
    if not purposes or set(purposes) - PURPOSES:
        text = f"State what the consent is for: {', '.join(sorted(PURPOSES))}"
        yield Issue("error", "code-invalid", text, "Consent.category")
    yield from _scope(consent, "patient-privacy")
    if extension_value(consent, names.extension("mode")) == "oral" and not extension_value(
        consent, names.extension("mode-reason")
    ):
        text = "An oral consent needs the reason it is not written"
        yield Issue("error", "required", text, "Consent.extension")
    yield from _units(consent.get("provision", {}), "Consent.provision")


def _units(provision: Mapping[str, Any], path: str) -> Iterator[Issue]:
    """Every actor is a unit, every section label known; nested provisions too."""
    for i, actor in enumerate(provision.get("actor", ())):
        identifier = actor.get("reference", {}).get("identifier")
        if identifier is not None and identifier.get("system") not in names.UNIT_SYSTEMS:
            text = "Name the unit by SOR, GLN, ydernummer or unit id; CVR names no unit"
            place = f"{path}.actor[{i}].reference.identifier"
            yield Issue("error", "business-rule", text, place)
    for i, label in enumerate(provision.get("securityLabel", ())):
        if label.get("system") == names.SECTION_CODE and label.get("code") not in names.SECTIONS:
            text = f"Not a section; one of: {', '.join(names.SECTIONS)}"
            yield Issue("error", "code-invalid", text, f"{path}.securityLabel[{i}]")
    for i, nested in enumerate(provision.get("provision", ())):
        yield from _units(nested, f"{path}.provision[{i}]")


def _approval(consent: Resource) -> Iterator[Issue]:
    decision = extension_value(consent, names.extension("decision"))
    if decision not in ("yes", "no", "undecided"):
        text = "State the decision: yes, no or undecided"
        yield Issue("error", "code-invalid", text, "Consent.extension")
    reference = points_at(consent)
    if not _VERSION.fullmatch(reference):
        text = "Point at the plan version decided on: CarePlan/<id>/_history/<version>"
        yield Issue("error", "required", text, PATH)
    yield from _scope(consent, "treatment")


def _scope(consent: Resource, wanted: str) -> Iterator[Issue]:
    system = "http://terminology.hl7.org/CodeSystem/consentscope"
    if wanted not in codes([consent.get("scope", {})], system):
        text = f"The scope of this decision is {wanted}"
        yield Issue("error", "business-rule", text, "Consent.scope")


def _relative_source(consent: Resource, base: str) -> None:
    reference = points_at(consent)
    if reference.startswith(f"{base}/"):
        consent["provision"] |= pointing_at(reference.removeprefix(f"{base}/"))


def _citizen(consent: Resource) -> CitizenRef | None:
    identifier = consent.get("patient", {}).get("identifier", {})
    if identifier.get("system") not in NATIONAL_IDS or "value" not in identifier:
        return None
    return CitizenRef((Identifier(identifier["system"], identifier["value"]),))

"""Rules that no combinator in :mod:`adapters.vum.rules` says: one small function each.

Each yields the element paths where the rule is broken. Source: KL FFB messaging 1.0.0, dk-core 3.x
(identifier forms) and FHIR R4 4.0.1 (gol-1, ppc-1).
"""

from __future__ import annotations

from collections.abc import Iterator

from adapters.dk_core import CITIZEN_SYSTEMS, has_citizen_number, is_citizen_number
from adapters.vum import codes
from adapters.vum.message import Entry, Message
from adapters.vum.rules import walk
from adapters.vum.urls import (
    ACTING_MUNICIPALITY,
    CARE_SOCIAL,
    CONDITION_RANK,
    FFB,
    GUARDIANSHIP_FORM,
    GUARDIANSHIP_FORMS,
    MUNICIPALITY,
    MUNICIPALITY_GREENLAND,
)
from hub.fhir.extract import extension_value


def odd_number(_: Message, entry: Entry) -> Iterator[str]:
    """A CPR or replacement number without the form of its kind."""
    for at, identifier in walk(entry.resource, "identifier"):
        system = identifier.get("system", "")
        if system in CITIZEN_SYSTEMS and not is_citizen_number(system, identifier.get("value", "")):
            yield f"{at}.value"


def nameless(_: Message, entry: Entry) -> Iterator[str]:
    """No CPR and no replacement number."""
    if not has_citizen_number(entry.resource):
        yield "identifier"


def relative_url(message: Message, _: Entry) -> Iterator[str]:
    """A fullUrl that is not absolute (R4 Bundle.entry.fullUrl)."""
    for entry in message.entries:
        if not entry.full_url.startswith(("urn:uuid:", "urn:oid:", "http://", "https://")):
            yield ""
            return


def untimed(message: Message, _: Entry) -> Iterator[str]:
    """No Bundle.timestamp."""
    if not message.bundle.get("timestamp"):
        yield ""


def odd_focus(message: Message, entry: Entry) -> Iterator[str]:
    """A focus on a kind of resource the header may not name."""
    allowed = {"CarePlan", "ClinicalImpression", "Account", "DocumentReference"}
    for at, link in walk(entry.resource, "focus"):
        target = message.find(link)
        if target is None or target.type not in allowed:
            yield at


def _purposes(message: Message, entry: Entry) -> int:
    links = message.targets(entry.resource.get("goal", ()))
    return sum(message.has(goal, "interventionPurpose") for goal in links)


def no_purpose(message: Message, entry: Entry) -> Iterator[str]:
    """No goal is the purpose."""
    if _purposes(message, entry) == 0:
        yield "goal"


def two_purposes(message: Message, entry: Entry) -> Iterator[str]:
    """More than one goal is the purpose."""
    if _purposes(message, entry) > 1:
        yield "goal"


def odd_rank(_: Message, entry: Entry) -> Iterator[str]:
    """A ConditionRank other than 1 and 2."""
    for at, link in walk(entry.resource, "addresses"):
        if extension_value(link, CONDITION_RANK) not in (None, 1, 2):
            yield at


def not_one_primary(_: Message, entry: Entry) -> Iterator[str]:
    """Goals address exactly one condition with rank 1."""
    links = entry.resource.get("addresses", ())
    if links and sum(extension_value(link, CONDITION_RANK) == 1 for link in links) != 1:
        yield "addresses"


def two_ffb_codes(_: Message, entry: Entry) -> Iterator[str]:
    """More than one FFB code on an intervention."""
    for at, concept in walk(entry.resource, "activity.detail.code"):
        if len(codes.in_system(concept, FFB)) > 1:
            yield at


def activities(_: Message, entry: Entry) -> Iterator[str]:
    """Not exactly one activity."""
    if len(entry.resource.get("activity", ())) != 1:
        yield "activity"


def codings(_: Message, entry: Entry) -> Iterator[str]:
    """Not exactly one coding."""
    if len(entry.resource.get("code", {}).get("coding", ())) != 1:
        yield "code.coding"


def no_measure(_: Message, entry: Entry) -> Iterator[str]:
    """R4 gol-1: a target with a detail says what it measures."""
    for at, target in walk(entry.resource, "target"):
        if any(k.startswith("detail") for k in target) and "measure" not in target:
            yield at


def _levels(measure: str, entry: Entry) -> Iterator[tuple[str, list[str]]]:
    """The FFB codes of each target with that measure, and where it is."""
    for at, target in walk(entry.resource, "target"):
        if measure in codes.in_system(target.get("measure", {}), CARE_SOCIAL):
            yield at, codes.in_system(target.get("detailCodeableConcept", {}), FFB)


def _outside(measure: str, value_set: str, entry: Entry) -> Iterator[str]:
    allowed = codes.value_set(value_set)
    for at, level in _levels(measure, entry):
        if set(level) - allowed:
            yield f"{at}.detailCodeableConcept"


def odd_change(_: Message, entry: Entry) -> Iterator[str]:
    """A change value outside its value set."""
    return _outside(codes.CHANGE_VALUE, "KLChangeValueCodesFFB", entry)


def uncoded_change(_: Message, entry: Entry) -> Iterator[str]:
    """A change in words alone, or with several codes."""
    yield from (at for at, level in _levels(codes.CHANGE_VALUE, entry) if len(level) != 1)


def odd_severity(_: Message, entry: Entry) -> Iterator[str]:
    """A level outside its value set."""
    return _outside(codes.SEVERITY, "KLSeveritiesFFB", entry)


def uncoded_severity(_: Message, entry: Entry) -> Iterator[str]:
    """A level in words alone, or with several codes."""
    yield from (at for at, level in _levels(codes.SEVERITY, entry) if len(level) != 1)


def no_policy(_: Message, entry: Entry) -> Iterator[str]:
    """R4 ppc-1: either policy or policyRule."""
    if not entry.resource.get("policy") and not entry.resource.get("policyRule"):
        yield "policyRule"


def no_guardianship_form(_: Message, entry: Entry) -> Iterator[str]:
    """A guardian without guardianshipForm."""
    if extension_value(entry.resource, GUARDIANSHIP_FORM) is None:
        yield "extension"


def odd_guardianship_form(_: Message, entry: Entry) -> Iterator[str]:
    """A guardianshipForm that is not of KL's own list (required)."""
    yield from _odd_coding(entry, GUARDIANSHIP_FORM, GUARDIANSHIP_FORMS)


def odd_municipality(_: Message, entry: Entry) -> Iterator[str]:
    """An acting municipality that is no municipality code (required, dk-core)."""
    systems = (MUNICIPALITY, MUNICIPALITY_GREENLAND)
    yield from _odd_coding(entry, ACTING_MUNICIPALITY, *systems)


def _odd_coding(entry: Entry, url: str, *systems: str) -> Iterator[str]:
    for at, extension in walk(entry.resource, "extension"):
        if extension.get("url") == url:
            coding = extension.get("valueCoding", {})
            if coding.get("system") not in systems or "code" not in coding:
                yield f"{at}.valueCoding"


def no_theme(_: Message, entry: Entry) -> Iterator[str]:
    """A matter of interest without a coded theme."""
    if not entry.resource.get("code", {}).get("coding"):
        yield "code.coding"

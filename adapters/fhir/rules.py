"""What a plan in this format keeps beyond its profiles: each rule a function giving all its issues.

These speak of several resources at once, or of what the hub does with them; what one resource
must hold is in the profiles and has been checked. Sources: docs/canonical-model.md, the national
template of the koordinerende indsatsplan (one tovholder, ordered lists), dk-core (identifiers).
Texts name places and say what to do; no value of the document stands in any of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from adapters.fhir.document import SHARED, Document, identifiers
from adapters.fhir.terms import ROLES
from hub.errors import InputRefused, Issue, UnknownCode
from hub.fhir import names
from hub.fhir.bundles import Entry
from hub.fhir.extract import codes, extension_value

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
"""R4 id."""

Rule = Callable[[Document], Iterator[Issue]]


def check(document: Document) -> list[Issue]:
    """All issues of all rules that apply to this part."""
    rules = _SHARED_RULES if document.part == SHARED else _SECTOR_RULES
    return [issue for rule in (*_COMMON_RULES, *rules) for issue in rule(document)]


def has_error(issues: Iterable[Issue]) -> bool:
    """One of them refuses the document."""
    return any(i.severity in {"error", "fatal"} for i in issues)


def refused(refusal: type[InputRefused], text: str, issues: Iterable[Issue]) -> InputRefused:
    """The error with all issues; UnknownCode where every error is about a code."""
    found = tuple(issues)
    if all(i.code == "code-invalid" for i in found if has_error([i])):
        return UnknownCode("A code is in no table", issues=found)
    return refusal(text, issues=found)


def rank_of(item: Mapping[str, Any]) -> int | None:
    """The rank its author set, a positive whole number; None if there is none."""
    found = extension_value(item, names.RANK)
    return found if isinstance(found, int) and found > 0 else None


def _bundle(document: Document) -> Iterator[Issue]:
    part_of = f"{document.plan.path}.partOf["
    yield from document.index.duplicates()
    # A sector plan names the shared plan it belongs to without sending it.
    yield from (
        i
        for i in document.index.dangling()
        if document.part == SHARED or not (i.expression or "").startswith(part_of)
    )
    for entry in document.index.entries:
        if "contained" in entry.resource:
            text = "Contained resources are not read here; send them as entries of their own"
            yield Issue("error", "not-supported", text, f"{entry.path}.contained")


def _plan(document: Document) -> Iterator[Issue]:
    if document.hub_plan is not None and not _ID.fullmatch(document.hub_plan):
        text = "Not a plan id of this hub; give it as you got it"
        yield Issue("error", "value", text, f"{document.plan.path}.identifier")


def _citizen(document: Document) -> Iterator[Issue]:
    patients = list(document.of_type("Patient"))
    if len(patients) != 1:
        text = f"Exactly one Patient, not {len(patients)}; send one citizen's plan"
        yield Issue("error", "business-rule", text, "Bundle.entry")
        return
    citizen = patients[0]
    for entry in document.index.entries:
        for name in ("subject", "patient"):
            link = entry.resource.get(name)
            if not isinstance(link, Mapping) or "reference" not in link:
                continue
            target = document.follow(link, entry)
            if target is not None and target is not citizen:
                text = "Everything in a plan is about its one citizen"
                yield Issue("error", "business-rule", text, f"{entry.path}.{name}")
    if document.follow(document.plan.resource.get("subject"), document.plan) is None:
        text = "Refer to the Patient of this Bundle"
        yield Issue("error", "required", text, f"{document.plan.path}.subject")


def _lists(document: Document) -> Iterator[Issue]:
    """Every goal of an intervention is a goal of the plan, however it is referred to."""
    plan, path = document.plan.resource, document.plan.path
    goals = {g.path for x in plan.get("goal", ()) if (g := document.follow(x, document.plan))}
    for i, activity in enumerate(plan.get("activity", ())):
        for j, link in enumerate(activity.get("detail", {}).get("goal", ())):
            target = document.follow(link, document.plan)
            if target is not None and target.path not in goals:
                text = "The goal of an intervention is one of the plan's goals"
                place = f"{path}.activity[{i}].detail.goal[{j}]"
                yield Issue("error", "business-rule", text, place)


def _order(document: Document) -> Iterator[Issue]:
    """The shared lists are strictly ordered; a sector's own ranking may have ties (FFB has)."""
    plan, path = document.plan.resource, document.plan.path
    for name in ("addresses", "goal", "activity"):
        given = [rank_of(x) or i for i, x in enumerate(plan.get(name, ()), 1)]
        if len(set(given)) != len(given):
            text = "Two items have the same rank; rank all of them, or none (order then counts)"
            yield Issue("error", "business-rule", text, f"{path}.{name}")


def _roles(document: Document) -> Iterator[Issue]:
    """The roles of any team; only the one with the lead has a profile."""
    for entry in document.of_type("CareTeam"):
        for i, participant in enumerate(entry.resource.get("participant", ())):
            if set(codes(participant.get("role", ()), names.ROLE)) - ROLES:
                text = f"Not a role; one of: {', '.join(sorted(ROLES))}"
                place = f"{entry.path}.participant[{i}].role"
                yield Issue("error", "code-invalid", text, place)


def _owner(document: Document) -> Iterator[Issue]:
    """A sector plan has an owning unit (KiSectorPlan)."""
    place = f"{document.plan.path}.author"
    yield from _unit(document, document.author, place)


def _unit(document: Document, entry: Entry | None, place: str) -> Iterator[Issue]:
    unit = document.unit_of(entry)
    if unit is None:
        text = "Name the unit: an Organization, or a PractitionerRole with its organization"
        yield Issue("error", "required", text, place)
    elif not any(i.system in names.UNIT_SYSTEMS for i in identifiers(unit)):
        text = "Give the unit's SOR, GLN, ydernummer or unit id; CVR and kommunekode name no unit"
        yield Issue("error", "required", text, f"{unit.path}.identifier")


def _lead(document: Document) -> Iterator[Issue]:
    """Exactly one tovholder, one function in one unit, and the plan's author."""
    plan = document.plan
    team = document.follow(next(iter(plan.resource.get("careTeam", ())), None), plan)
    if team is None:
        return
    leads = [
        (i, document.follow(p.get("member"), team))
        for i, p in enumerate(team.resource.get("participant", ()))
        if "lead" in codes(p.get("role", ()), names.ROLE)
    ]
    if len(leads) != 1:
        text = f"Exactly one participant is the lead (tovholder), not {len(leads)}"
        yield Issue("error", "business-rule", text, f"{team.path}.participant")
        return
    number, lead = leads[0]
    place = f"{team.path}.participant[{number}].member"
    if lead is None or lead.resource["resourceType"] != "PractitionerRole":
        text = "The lead is one function in one unit: a PractitionerRole with its organization"
        yield Issue("error", "business-rule", text, place)
        return
    if document.author is not lead:
        text = "The plan's author is its lead"
        yield Issue("error", "business-rule", text, f"{plan.path}.author")
    yield from _unit(document, lead, f"{lead.path}.organization")


def _consents(document: Document) -> Iterator[Issue]:
    if extension_value(document.plan.resource, names.CONSENT_AS_WRITTEN) is not None:
        text = "A consent printed on the plan permits nothing by itself; send a KiConsent"
        yield Issue("information", "informational", text, document.plan.path)
    for entry in document.of_type("Consent"):
        text = "A consent or approval inside a plan is not read; send it by itself"
        yield Issue("warning", "not-supported", text, entry.path)


def _phones(document: Document) -> Iterator[Issue]:
    for team in document.of_type("CareTeam"):
        for participant in team.resource.get("participant", ()):
            member = document.follow(participant.get("member"), team)
            if member is None or member.resource["resourceType"] == "Patient":
                continue
            person = document.follow(member.resource.get("practitioner"), member)
            telecoms = [*member.resource.get("telecom", ())]
            telecoms += person.resource.get("telecom", ()) if person else ()
            if not any(t.get("system") == "phone" and t.get("value") for t in telecoms):
                text = "Telefon mangler: the contact has no telephone number"
                yield Issue("information", "business-rule", text, f"{member.path}.telecom")


_COMMON_RULES: tuple[Rule, ...] = (_bundle, _plan, _citizen, _lists, _roles)
_SHARED_RULES: tuple[Rule, ...] = (_order, _lead, _consents, _phones)
_SECTOR_RULES: tuple[Rule, ...] = (_owner,)

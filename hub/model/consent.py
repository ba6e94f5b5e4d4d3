"""What a citizen consents to, and refuses. Pure, deny by default, deny overrides.

Law behind it: docs/legal-basis.md (sundhedsloven § 43 with § 44: a consent lapses at the latest one
year after it was given). The shared part leaves only on the citizen's consent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final, Literal

from hub.contract import Identifier, Party, Resource
from hub.errors import Invalid, Issue
from hub.fhir import names
from hub.fhir.dates import ZONE
from hub.fhir.extract import codes, extension_value
from hub.law import statutes
from hub.model.people import Givers

Purpose = Literal["make-plan", "exchange", "relatives", "copy-to-gp"]
ALL_SECTIONS = "*"
EVERYONE = "*"
RULE: Final = "consent"
CITIZEN_ALONE: Final = Givers(citizen=True, guardian=False, ground=None)
LONGEST: Final = timedelta(days=statutes().consent_days)
"""Sundhedsloven § 44: one year after it was given, at most."""
FOREVER: Final = datetime(9999, 1, 1, tzinfo=UTC)
"""When a no ends that nobody takes back."""


@dataclass(frozen=True)
class Rule:
    """One permit or deny, for one unit."""

    permit: bool
    unit: str
    """Party id; ``*`` in a no to everyone."""
    section: str = ALL_SECTIONS

    def denies(self, unit: str) -> bool:
        """It is a no to that unit, or to everyone."""
        return not self.permit and self.unit in {unit, EVERYONE}


@dataclass(frozen=True)
class Consent:
    """A citizen's consent as the hub decides on it."""

    id: str
    purposes: frozenset[str]
    rules: tuple[Rule, ...]
    since: datetime
    until: datetime
    active: bool = True
    """It was not taken back; a refusal that stands is active, too."""
    givers: Givers = CITIZEN_ALONE

    def holds(self, at: datetime) -> bool:
        """In force at that moment."""
        return self.active and self.since <= at < self.until

    def makers(self) -> frozenset[str]:
        """Units that may make the citizen's plan by it."""
        units = {r.unit for r in self.rules if r.permit}
        return frozenset(units if "make-plan" in self.purposes else ())

    def speaks_of(self, unit: str, purpose: str) -> bool:
        """It says something, at some time, of what that unit may have for that purpose."""
        named = any(r.unit in {unit, EVERYONE} for r in self.rules)
        return self.active and purpose in self.purposes and named


@dataclass(frozen=True)
class Verdict:
    """The answer, with what a person and an auditor need to understand it."""

    permit: bool
    reason: str
    basis: str = ""
    """``consent/<id>``, or the code of a statute, when permitted."""
    rule: str = ""
    """What decided: ``consent``, or the code of a statute; empty: nothing permits it."""


def by_consent(
    consents: Iterable[Consent],
    unit: str,
    purpose: str,
    at: datetime,
    sections: tuple[str, ...] = (),
) -> Verdict:
    """May ``unit`` have an item with these section labels for this purpose, at that moment?

    An item without a label, or with several, goes only to a unit permitted for all of them:
    an unlabelled item may be about anything.
    """
    in_force = [c for c in consents if c.holds(at) and purpose in c.purposes]
    if not any(r.permit for c in in_force for r in c.rules):
        return Verdict(False, "No consent for this purpose is in force", rule=RULE)
    wanted = set(sections) if sections else set(names.SECTIONS)
    permits = [(c, r) for c in in_force for r in c.rules if r.unit == unit and r.permit]
    denied = {r.section for c in in_force for r in c.rules if r.denies(unit)}
    if ALL_SECTIONS in denied or denied & wanted:
        return Verdict(False, "The citizen has said no to this unit", rule=RULE)
    for consent, rule in permits:
        if rule.section == ALL_SECTIONS:
            return Verdict(True, "The citizen's consent", f"consent/{consent.id}", RULE)
    covered = {r.section for _, r in permits}
    if permits and wanted <= covered:
        return Verdict(True, "The citizen's consent", f"consent/{permits[0][0].id}", RULE)
    if permits:
        told = "The consent does not cover this section for this unit"
        return Verdict(False, told, rule=RULE)
    return Verdict(False, "The consent does not name this unit", rule=RULE)


def says_no(consents: Iterable[Consent], unit: str, at: datetime) -> bool:
    """A no to this unit, to all or to some, is in force: for whatever purpose it was said."""
    return any(r.denies(unit) for c in consents if c.holds(at) for r in c.rules)


def read_consent(
    resource: Resource, find_party: Callable[[tuple[Identifier, ...]], Party | None]
) -> tuple[Consent, tuple[Issue, ...]]:
    """A KiConsent resource as facts; raises Invalid with every issue at once.

    A form that only says "Ja" lacks giver, mode and units; it is refused here, so it can never
    permit a sending. Units the hub does not know are warned about: nothing is sent to them.
    """
    issues = [*_missing(resource)]
    purposes = frozenset(codes(resource.get("category", ()), names.CONSENT_PURPOSE))
    unknown = purposes - {"make-plan", "exchange", "relatives", "copy-to-gp"}
    if unknown or not purposes:
        issues.append(
            Issue("error", "code-invalid", "State what the consent is for", "Consent.category")
        )
    provision = resource.get("provision", {})
    rules, warnings = _rules(provision, find_party)
    issues += _not_understood(provision)
    since = moment(resource.get("dateTime"))
    if since is None:
        issues.append(Issue("error", "required", "State when it was given", "Consent.dateTime"))
    refused = resource.get("status") == "rejected"
    if refused:
        rules = _refusal(provision, rules)
    if resource.get("status") == "active" and not rules:
        issues.append(
            Issue("error", "required", "Name the units it covers", "Consent.provision.provision")
        )
    if issues:
        raise Invalid("The consent is incomplete; it permits nothing", issues=tuple(issues))
    assert since is not None
    start, end = _period(provision.get("period", {}), since)
    return (
        Consent(
            id=str(resource["id"]),
            purposes=purposes,
            rules=tuple(rules),
            since=(since if refused else start).astimezone(UTC),
            # A no lapses with no year: it stands until it is taken back.
            until=(FOREVER if refused else end).astimezone(UTC),
            active=resource.get("status") in {"active", "rejected"},
            givers=read_givers(resource),
        ),
        tuple(warnings),
    )


def _refusal(provision: Mapping[str, Any], rules: list[Rule]) -> list[Rule]:
    """A consent that the citizen refuses: a no to whoever it names, or to everyone."""
    if not provision.get("provision"):
        return [Rule(False, EVERYONE)]
    return [Rule(False, r.unit, r.section) for r in rules]


def _period(period: Mapping[str, Any], given: datetime) -> tuple[datetime, datetime]:
    """From when until when; it lapses when the Danish day begins on which the year is over."""
    start = moment(period.get("start")) or given
    day = given.astimezone(ZONE).date()
    longest = datetime.combine(day + LONGEST, time(), ZONE)
    same_day = start.astimezone(ZONE).date() == day
    since = min(start, given) if same_day else start
    return since, min(_end(period.get("end")) or longest, longest)


def read_givers(resource: Resource) -> Givers:
    """Who gave it, as far as it says."""
    performers = [p for p in resource.get("performer", ()) if isinstance(p, Mapping)]
    ground = extension_value(resource, names.GUARDIAN_GROUND)
    citizen = [p for p in performers if _is_citizen(resource, p)]
    return Givers(bool(citizen), len(citizen) < len(performers), ground)


def _is_citizen(resource: Resource, performer: Mapping[str, Any]) -> bool:
    patient = resource.get("patient", {})
    kind = performer.get("type") or str(performer.get("reference", "")).partition("/")[0]
    number = performer.get("identifier", {}).get("value")
    same = number is not None and number == patient.get("identifier", {}).get("value")
    return kind == "Patient" or (kind != "RelatedPerson" and same)


def _missing(resource: Resource) -> list[Issue]:
    found = []
    if resource.get("status") not in {"active", "inactive", "rejected", "entered-in-error"}:
        found.append(Issue("error", "required", "State active or inactive", "Consent.status"))
    if not resource.get("performer"):
        found.append(Issue("error", "required", "State who gave it", "Consent.performer"))
    mode = extension_value(resource, names.extension("mode"))
    if mode not in {"written", "oral"}:
        found.append(Issue("error", "required", "State written or oral", "Consent.extension(mode)"))
    if mode == "oral" and not extension_value(resource, names.extension("mode-reason")):
        text = "An oral consent needs the reason it is not written (sundhedsloven § 44)"
        found.append(Issue("error", "required", text, "Consent.extension(mode-reason)"))
    return found


_UNDERSTOOD: Final = frozenset({"id", "type", "actor", "securityLabel"})
"""What a nested provision may hold; whatever else stands there narrows or widens it."""
_UNDERSTOOD_ABOVE: Final = frozenset({"id", "type", "period", "provision"})
"""The same for the provision around them."""
_PARTICIPATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"


def _not_understood(provision: Mapping[str, Any]) -> Iterator[Issue]:
    """What would make the hub permit more than the citizen said if it were passed over.

    R4: a nested provision has a type; one inside another is its exception.
    """
    period = provision.get("period", {})
    for name in ("start", "end"):
        if name in period and moment(period[name]) is None:
            text = "Give the day, or the day and the hour with its offset"
            yield Issue("error", "value", text, f"Consent.provision.period.{name}")
    text = "Not understood here; say it as a permit or a deny of its own"
    for name in sorted(set(provision) - _UNDERSTOOD_ABOVE):
        yield Issue("error", "not-supported", text, f"Consent.provision.{name}")
    for i, nested in enumerate(provision.get("provision", ())):
        place = f"Consent.provision.provision[{i}]"
        if nested.get("type") not in {"permit", "deny"}:
            yield Issue("error", "required", "State permit or deny", f"{place}.type")
        actors = nested.get("actor", ())
        if not actors or any("identifier" not in a.get("reference", {}) for a in actors):
            told = "Name each unit by its identifier"
            yield Issue("error", "required", told, f"{place}.actor")
        if any(_other_part(actor) for actor in actors):
            told = "A unit is permitted, or denied, as the receiver (IRCP); no other part is known"
            yield Issue("error", "not-supported", told, f"{place}.actor")
        for j, label in enumerate(nested.get("securityLabel", ())):
            if label.get("system") != names.SECTION_CODE or label.get("code") not in names.SECTIONS:
                told = f"Not a section; one of: {', '.join(names.SECTIONS)}"
                yield Issue("error", "code-invalid", told, f"{place}.securityLabel[{j}]")
        for name in sorted(set(nested) - _UNDERSTOOD):
            yield Issue("error", "not-supported", text, f"{place}.{name}")


def _other_part(actor: Mapping[str, Any]) -> bool:
    """The unit is named as something else than who receives."""
    return any(code != "IRCP" for code in codes([actor.get("role", {})], _PARTICIPATION))


def _rules(
    provision: Mapping[str, Any], find_party: Callable[[tuple[Identifier, ...]], Party | None]
) -> tuple[list[Rule], list[Issue]]:
    rules, warnings = [], []
    for i, nested in enumerate(provision.get("provision", ())):
        sections = [str(label.get("code")) for label in nested.get("securityLabel", ())] or [
            ALL_SECTIONS
        ]
        for j, actor in enumerate(nested.get("actor", ())):
            identifier = actor.get("reference", {}).get("identifier", {})
            wanted = Identifier(identifier.get("system", ""), identifier.get("value", ""))
            party = find_party((wanted,))
            if party is None:
                place = f"Consent.provision.provision[{i}].actor[{j}]"
                text = "No such unit is a party here; nothing will be sent to it"
                warnings.append(Issue("warning", "not-found", text, place))
                continue
            permit = nested.get("type") == "permit"
            rules += [Rule(permit, party.id, section) for section in sections]
    return rules, warnings


def moment(text: str | None) -> datetime | None:
    """A FHIR date or dateTime, None if it cannot be read; a day is its first moment in Denmark."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=ZONE)


def _end(text: str | None) -> datetime | None:
    """A date alone lasts until the day is over."""
    found = moment(text)
    if found is not None and text is not None and len(text) == len("2026-01-01"):
        return found + timedelta(days=1)
    return found

"""Units and their contact persons as ParticipatingOrganization (KL FFB messaging 1.0.0).

``name.prefix`` (job title), ``family``, ``given`` and a phone are all 1.. on a contact; what nobody
wrote is a data-absent-reason in the value's place, never a made-up value.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from adapters.vum.urls import profile
from hub.contract import Party, Resource
from hub.fhir import names
from hub.fhir.reading import PlanReader
from hub.fhir.words import Contact, SectorPlan

_UNKNOWN: Final = {"extension": [{"url": names.DATA_ABSENT, "valueCode": "unknown"}]}
_OUTSIDE: Final = {"citizen", "relative", "spokesperson"}
"""Roles that take part for the citizen, not for a unit."""


@dataclass(frozen=True)
class Unit:
    """A unit that takes part, with the contact persons the shared plan names for it."""

    reference: str
    """``Organization/id``, or the hub's party id with ``Party/`` before it."""
    name: str
    identifiers: tuple[dict[str, str], ...]
    contacts: tuple[Contact, ...] = ()
    leads: bool = False


def team_of_plan(reader: PlanReader, lead: Party | None) -> list[Unit]:
    """The units in the shared plan's care team, in order; at least the lead's own unit."""
    found: dict[str, Unit] = {}
    for contact in reader.contacts():
        if contact.organization is None or set(contact.roles) & _OUTSIDE:
            continue
        unit = found.get(contact.organization) or _unit(reader, contact.organization)
        people = () if contact.reference == contact.organization else (contact,)
        found[contact.organization] = replace(
            unit,
            contacts=(*unit.contacts, *people),
            leads=unit.leads or "lead" in contact.roles,
        )
    return list(found.values()) or ([unit_of_party(lead, leads=True)] if lead else [])


def team_of_sector(reader: PlanReader, plan: SectorPlan) -> list[Unit]:
    """The unit that owns a sector plan, with the contacts the shared plan names for it."""
    if not plan.owner_reference.startswith("Organization/"):
        return [Unit(plan.owner_reference or plan.reference, plan.owner, ())]
    people = tuple(
        c
        for c in reader.contacts()
        if c.organization == plan.owner_reference
        and c.reference != c.organization
        and not set(c.roles) & _OUTSIDE
    )
    return [replace(_unit(reader, plan.owner_reference), contacts=people)]


def unit_of_party(party: Party, *, leads: bool = False) -> Unit:
    """A party the hub knows, with its unit identifiers."""
    identifiers = tuple(
        {"system": i.system, "value": i.value}
        for i in party.identifiers
        if i.system in names.UNIT_SYSTEMS
    )
    return Unit(f"Party/{party.id}", party.name, identifiers, leads=leads)


def _unit(reader: PlanReader, reference: str) -> Unit:
    resource = reader.at(reference)
    identifiers = tuple(
        {k: i[k] for k in ("system", "value") if k in i} for i in resource.get("identifier", ())
    )
    return Unit(reference, str(resource.get("name", "")), identifiers)


def organization(unit: Unit) -> Resource:
    """A unit as ParticipatingOrganization; without a known person, one unknown contact."""
    people: Iterable[dict[str, Any]] = [_person(c) for c in unit.contacts] or [_nobody()]
    return {
        "resourceType": "Organization",
        "meta": {"profile": [profile("participatingOrganization")]},
        **({"identifier": list(unit.identifiers)} if unit.identifiers else {}),
        **({"name": unit.name} if unit.name else {"_name": _UNKNOWN}),
        "contact": list(people),
    }


def messaging_organization(party: Party) -> Resource:
    """A party as one end of the message (MessagingOrganization)."""
    unit = unit_of_party(party)
    return {
        "resourceType": "Organization",
        "meta": {"profile": [profile("messagingOrganization")]},
        **({"identifier": list(unit.identifiers)} if unit.identifiers else {}),
        "name": unit.name,
    }


def _person(contact: Contact) -> dict[str, Any]:
    email = [{"system": "email", "value": contact.email}] if contact.email else []
    return {
        "name": human_name(contact.name, contact.title),
        "telecom": [_phone(contact.phone), *email],
    }


def _nobody() -> dict[str, Any]:
    return {"name": human_name("", ""), "telecom": [_phone(None)]}


def human_name(written: str, title: str) -> dict[str, Any]:
    """A name as FFB wants it: the last word as family, the words before as given.

    Only two or more words that all begin with a capital are taken for a person's name ("Konsulent
    fra Jobcenteret" is none); else both parts are unknown. ``text`` is the name as written.
    """
    words = written.split()
    is_name = len(words) > 1 and written != title and all(w[0].isupper() for w in words)
    *given, family = words if is_name else [""]
    return {
        **({"text": written} if written else {}),
        **({"family": family} if family else {"_family": _UNKNOWN}),
        **({"given": given} if given else {"_given": [_UNKNOWN]}),
        **({"prefix": [title]} if title else {"_prefix": [_UNKNOWN]}),
    }


def _phone(number: str | None) -> dict[str, Any]:
    """A phone as written; unknown when nobody gave one."""
    return {"system": "phone", **({"value": number} if number else {"_value": _UNKNOWN})}

"""The resources of a CareCommunication, one function each; pure, no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from adapters.dk_core import is_organisation_number
from adapters.medcom import codes, urls
from adapters.medcom.base_rules import is_phone
from adapters.medcom.message import members, text
from adapters.medcom.narrative import clean, with_narrative
from adapters.medcom.text import split_name
from hub.contract import Party, Resource
from hub.errors import CannotRender
from hub.fhir import names
from hub.fhir.extract import is_protected
from hub.mapping import Table, load_table, mappings_folder


def instant(now: datetime) -> str:
    """A FHIR instant, to the second, with its zone."""
    return now.isoformat(timespec="seconds")


def reference(resource: Resource) -> dict[str, str]:
    """A relative reference to a resource."""
    return {"reference": f"{resource['resourceType']}/{resource['id']}"}


def phone_of(*candidates: str | None) -> str | None:
    """The first candidate that is a number when blanks and brackets are taken out."""
    for candidate in candidates:
        digits = "".join(c for c in candidate or "" if c not in " .()/\u00a0")
        if is_phone(digits) and len(digits) >= 8:
            return digits
    return None


def organization(party: Party, number: str, *, role: str) -> Resource:
    """A messaging organisation with SOR and GLN.

    ``role`` (``sender`` or ``receiver``) stands in the CannotRender that names a missing or
    malformed identifier.
    """
    sor, gln = party.identifier(names.SOR), _gln(party)
    for name, value, system in (("SOR code", sor, names.SOR), ("GLN", gln, names.GLN)):
        if not value or not is_organisation_number(system, value):
            raise CannotRender(
                f"The {role} has no valid {name}; CareCommunication needs SOR and GLN of both "
                "sides, so add it to the parties file",
                at=f"{role}.identifiers",
            )
    record = {"sor": sor, "gln": gln, "name": clean(party.name)}
    made, _, _ = _table("organization").forward({k: v for k, v in record.items() if v}, at=role)
    made["identifier"] = [{"use": "official", **i} for i in made["identifier"]]
    return {"resourceType": "Organization", "id": number, **_profile(urls.ORGANIZATION), **made}


def _gln(party: Party) -> str | None:
    found = (party.identifier(s) for s in (names.GLN, *names.GLN_ALIASES))
    return next((g for g in found if g), None)


def patient(citizen: Resource, number: str) -> Resource:
    """The patient: numbers and official name; never address, telephone or contacts.

    Raises CannotRender when there is neither a CPR number nor a replacement number.
    """
    record, _ = _table("patient").backward(citizen)
    found = [
        {"use": "official" if i["system"] == names.CPR else "temp", **i}
        for i in record.get("identifier", ())
    ]
    if not found:
        raise CannotRender(
            "The citizen has neither a CPR number nor a replacement number, and a "
            "CareCommunication needs one",
            at="Patient.identifier",
        )
    made = {"resourceType": "Patient", "id": number, **_profile(urls.PATIENT)}
    if is_protected(citizen):
        made["meta"] |= {"security": [{"system": names.CONFIDENTIALITY, "code": "R"}]}
    return made | {"identifier": found, "name": [_official(citizen)]}


def _official(citizen: Resource) -> dict[str, Any]:
    for name in citizen.get("name", ()):
        given, family = tuple(name.get("given", ())), name.get("family", "")
        if not family:
            given, family = split_name(name.get("text", ""))
        if family:
            spoken = {"given": [clean(g) for g in given]} if given else {}
            return {"use": "official", "family": clean(family), **spoken}
    absent = {"url": names.DATA_ABSENT, "valueCode": "unknown"}
    return {"use": "official", "_family": {"extension": [absent]}}


def practitioner(given: Sequence[str], family: str, number: str) -> Resource:
    """The author as a person; CannotRender without both names (medcom-careCommunication-4)."""
    if not family or not any(g.strip() for g in given):
        raise CannotRender(
            "The lead's name must be given as given and family name: a CareCommunication is "
            "signed by a named person",
            at="CarePlan.author",
        )
    name = {"family": family, "given": list(given)}
    return {
        "resourceType": "Practitioner", "id": number, **_profile(urls.PRACTITIONER),
        "name": [name],
    }  # fmt: skip


def practitioner_role(title: str, person: Resource, unit: Resource, number: str) -> Resource:
    """The author's role in the sending organisation; the title as text (number 7)."""
    return {
        "resourceType": "PractitionerRole",
        "id": number,
        **_profile(urls.PRACTITIONER_ROLE),
        "practitioner": reference(person),
        "organization": reference(unit),
        "code": [{"text": title or "Tovholder"}],
    }


def segment(
    content: dict[str, Any], *, number: str, now: datetime, author: Resource, phone: str,
    assigner: Resource,
) -> dict[str, Any]:  # fmt: skip
    """A message segment: ``content`` is one ``content[x]`` element; ``number`` an urn:uuid:."""
    identifier = {"value": number, "assigner": reference(assigner)}
    contact = {"system": "phone", "value": phone}
    return {
        "extension": [
            {"url": urls.DATE, "valueDateTime": instant(now)},
            {"url": urls.IDENTIFIER, "valueIdentifier": identifier},
            {"url": urls.AUTHOR, "valueReference": reference(author)},
            {"url": urls.CONTACT, "valueContactPoint": contact},
        ],
        **content,
    }


def communication(
    payloads: list[dict[str, Any]], citizen: Resource, *, number: str, thread: str, category: str,
    topic: str, recipient: dict[str, str] | None = None, encounter: dict[str, str] | None = None,
) -> Resource:  # fmt: skip
    """The content: category, topic, patient and segments; who in the receiving organisation it is
    for, and the episode of care, where the thread has named them."""
    coding = {"system": urls.CATEGORIES, "code": category}
    named = {"encounter": encounter} if encounter else {}
    addressed = {"recipient": [recipient]} if recipient else {}
    return {
        "resourceType": "Communication",
        "id": number,
        **_profile(urls.CC_COMMUNICATION),
        "identifier": [{"value": thread}],
        "status": "unknown",
        "category": [{"coding": [coding]}],
        "subject": reference(citizen),
        "topic": {"text": topic},
        **named,
        **addressed,
        "payload": payloads,
    }


def header(sender: Resource, receiver: Resource, *, number: str, event: str) -> Resource:
    """A message header between two organisations; the caller adds focus or response."""
    primary = {"system": urls.USES, "code": "primary"}
    profile = urls.CC_HEADER if event == urls.CC_EVENT else urls.ACK_HEADER
    definition = urls.CC_DEFINITION if event == urls.CC_EVENT else urls.ACK_DEFINITION
    return {
        "resourceType": "MessageHeader",
        "id": number,
        **_profile(profile),
        "eventCoding": {"system": urls.EVENTS, "code": event},
        "destination": [
            {
                "extension": [{"url": urls.DESTINATION_USE, "valueCoding": primary}],
                "endpoint": urls.sor_endpoint(sor_of(receiver)),
                "receiver": reference(receiver),
            }
        ],
        "sender": reference(sender),
        "source": {"endpoint": urls.sor_endpoint(sor_of(sender))},
        "definition": definition,
    }


def provenance(
    target: Resource, agent: Resource, *, number: str, now: datetime, activity: str,
    entities: list[dict[str, Any]],
) -> Resource:  # fmt: skip
    """Who sent the message, when, and which segments it added or which message it follows."""
    event = target["eventCoding"]["code"]
    profile = urls.CC_PROVENANCE if event == urls.CC_EVENT else urls.PROVENANCE
    return {
        "resourceType": "Provenance",
        "id": number,
        **_profile(profile),
        "target": [reference(target)],
        "occurredDateTime": instant(now),
        "recorded": instant(now),
        "activity": {"coding": [{"system": urls.ACTIVITIES, "code": activity}]},
        "agent": [{"who": reference(agent)}],
        "entity": entities,
    }


def bundle(
    resources: Iterable[Resource], *, number: str, now: datetime, base: str, profile: str,
) -> Resource:  # fmt: skip
    """A message Bundle: every resource with its narrative and a fullUrl on one base.

    Relative references resolve against the fullUrl (R4, Bundle.entry.fullUrl), so all entries
    share the base.
    """
    return {
        "resourceType": "Bundle",
        "id": number,
        **_profile(profile),
        "type": "message",
        "timestamp": instant(now),
        "entry": [
            {"fullUrl": f"{base}/{r['resourceType']}/{r['id']}", "resource": with_narrative(r)}
            for r in resources
        ],
    }


def sor_of(unit: Resource) -> str:
    """The SOR code of an Organization; empty if it has none."""
    numbers = (i for i in members(unit.get("identifier")) if i.get("system") == names.SOR)
    return next((text(i, "value") for i in numbers), "")


def _table(name: str) -> Table:
    return load_table(mappings_folder(codes.FORMAT) / f"{name}.yaml")


def _profile(url: str) -> dict[str, Any]:
    return {"meta": {"profile": [url]}}

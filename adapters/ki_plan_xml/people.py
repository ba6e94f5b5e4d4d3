"""The citizen, the units, and everyone in section B, both ways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from adapters.ki_plan_xml.scope import Incoming, Outgoing, Record, filled, identifier
from adapters.ki_plan_xml.telecom import telecoms, written_telecoms
from hub.contract import Resource
from hub.fhir import names

_PROTECTED: Final = {"system": names.CONFIDENTIALITY, "code": "R"}
_REGIONAL: Final = names.D_ECPR[0]


def read_citizen(incoming: Incoming, record: Record, at: str) -> Resource:
    """The Patient, without the general practitioner: that is one of the contacts or units."""
    record = dict(record)
    cpr = record.get("PersonCivilRegistrationIdentifier")
    if cpr:
        record["PersonCivilRegistrationIdentifier"] = cpr.replace(" ", "").replace("-", "")
    number = next(
        (
            record[name]
            for name in (
                "PersonCivilRegistrationIdentifier",
                "NationalReplacementIdentifier",
                "RegionalReplacementIdentifier",
            )
            if record.get(name)
        ),
        "",
    )
    patient = incoming.resource("patient", record, at, "CitizenIdentifier", number)
    oid = record.get("RegionalReplacementOIDIdentifier")
    for found in patient.get("identifier", ()):
        if oid and found["system"] == _REGIONAL:
            found["system"] = oid
    if record.get("AddressProtectionIndicator") in {"true", "1"}:
        patient["meta"]["security"] = [dict(_PROTECTED)]
    _add_telecom(patient, record)
    incoming.actors[record.get("CitizenIdentifier", "")] = f"Patient/{patient['id']}"
    return patient


def written_citizen(
    outgoing: Outgoing, patient: Resource, *, protected: bool, with_contact_data: bool
) -> Record:
    """Section A without the consent, which the plan holds."""
    regional = next(
        (i for i in patient.get("identifier", ()) if i.get("system") in names.D_ECPR), None
    )
    plain = dict(patient)
    if not with_contact_data:
        plain.pop("address", None)
        plain.pop("telecom", None)
    if regional is not None:
        others = [i for i in patient["identifier"] if i is not regional]
        plain["identifier"] = [*others, regional | {"system": _REGIONAL}]
    record = outgoing.record("patient", plain) | written_telecoms(plain)
    record["CitizenIdentifier"] = identifier(patient["id"])
    if regional is not None and regional["system"] != _REGIONAL:
        record["RegionalReplacementOIDIdentifier"] = regional["system"]
    if protected:
        record["AddressProtectionIndicator"] = "true"
    doctors = [
        {"ActorReferenceIdentifier": who}
        for link in patient.get("generalPractitioner", ())
        if (who := outgoing.actor(link.get("reference"))) is not None
    ]
    return record | ({"GeneralPractitioner": doctors} if doctors else {})


def read_units(incoming: Incoming, records: list[Record], at: str) -> None:
    """The Organizations; a unit's parent may stand after it."""
    made = []
    for number, record in enumerate(records, 1):
        place = f"{at}/Unit[{number}]"
        words = [
            record.get(name, "")
            for name in ("SORIdentifier", "LocalUnitIdentifier", "GLNIdentifier", "UnitName")
        ]
        unit = incoming.resource("unit", record, place, "UnitIdentifier", *words)
        _add_telecom(unit, record)
        incoming.actors[record.get("UnitIdentifier", "")] = incoming.add(unit)
        made.append((unit, record))
    for unit, record in made:
        parent = incoming.link(record, "ParentUnitReferenceIdentifier")
        if parent:
            unit["partOf"] = parent


def written_units(outgoing: Outgoing) -> list[Record]:
    """Every unit of the view."""
    found = []
    for key, unit in outgoing.resources.items():
        if not key.startswith("Organization/"):
            continue
        parent = outgoing.actor(unit.get("partOf", {}).get("reference"))
        record = outgoing.record("unit", unit) | written_telecoms(unit)
        record |= filled(UnitIdentifier=identifier(unit["id"]))
        found.append(record | filled(ParentUnitReferenceIdentifier=parent))
    return found


def read_contact(
    incoming: Incoming, kind: str, record: Record, at: str, patient: Resource
) -> dict[str, Any]:
    """The contact's resource, kept; the Reference that names it as a member of the team."""
    if kind == "CitizenContact":
        return {"reference": f"Patient/{patient['id']}"}
    if kind == "UnitContact":
        return incoming.link(record, "UnitReferenceIdentifier")
    if kind == "NamedContact":
        return {"display": record["DisplayName"]}
    table = "professional" if kind == "ProfessionalContact" else "relative"
    words = (
        record.get("PersonName", ""),
        record.get("PersonSurnameName", ""),
        *record.get("PersonGivenName", ()),
        *record.get("TitleText", ()),
        *record.get("RelationText", ()),
        record.get("UnitReferenceIdentifier", ""),
    )
    person = incoming.resource(table, record, at, "ContactIdentifier", *words)
    if table == "relative":
        person["patient"] = {"reference": f"Patient/{patient['id']}"}
    unit = incoming.link(record, "UnitReferenceIdentifier")
    if unit:
        person["organization"] = unit
    _add_telecom(person, record)
    key = incoming.add(person)
    incoming.actors[record.get("ContactIdentifier", "")] = key
    return {"reference": key}


def written_contact(outgoing: Outgoing, member: Mapping[str, Any]) -> tuple[str, Record]:
    """A member of the team as element name and record, without its memberships."""
    reference = str(member.get("reference", ""))
    resource = outgoing.at(reference)
    kind = resource.get("resourceType")
    if kind == "Patient":
        return "CitizenContact", {}
    if kind == "Organization":
        return "UnitContact", {"UnitReferenceIdentifier": identifier(resource["id"])}
    if kind not in {"PractitionerRole", "RelatedPerson"}:
        return "NamedContact", {"DisplayName": str(member.get("display", ""))}
    table = "professional" if kind == "PractitionerRole" else "relative"
    record = outgoing.record(table, resource) | written_telecoms(resource)
    record["ContactIdentifier"] = identifier(resource["id"])
    if kind == "RelatedPerson":
        return "RelativeContact", record
    if "PersonName" not in record:
        named = outgoing.at(resource.get("practitioner", {}).get("reference"))
        text = next((n.get("text") for n in named.get("name", ())), None)
        record |= filled(PersonName=text)
    unit = outgoing.actor(resource.get("organization", {}).get("reference"))
    return "ProfessionalContact", record | filled(UnitReferenceIdentifier=unit)


def _add_telecom(resource: Resource, record: Record) -> None:
    found = telecoms(record)
    if found:
        resource["telecom"] = found

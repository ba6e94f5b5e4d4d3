"""The CDA header: what the document is, whose it is, who made it, who gets it, who is around."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lxml import etree

from adapters.cpd.xml import (
    CONFIDENTIALITY,
    DOCUMENT,
    LOINC,
    MEDCOM,
    MEDCOM_CODES,
    SOR,
    VALIDITY_EVENT,
    VERSION,
    VERSION_EVENT,
    add,
    plan_uuid,
    stamp,
    time_of,
)
from adapters.pdf.content import RELATIVES
from hub.contract import Context, Party, PlanView, Resource
from hub.errors import CannotRender
from hub.fhir import names
from hub.fhir.extract import is_protected
from hub.fhir.reading import PlanReader
from hub.fhir.words import Contact


def header(
    document: etree._Element,
    view: PlanView,
    reader: PlanReader,
    receiver: Party,
    context: Context,
    id: str,
) -> None:
    """Everything before the body, in CDA's order; raises CannotRender without SOR codes."""
    plan = plan_uuid(view.plan_id)
    add(document, "realmCode", code="DK")
    add(document, "typeId", root="2.16.840.1.113883.1.3", extension="POCD_HD000040")
    add(document, "templateId", root=DOCUMENT)
    add(
        document, "id", root=id, extension=str(view.version),
        assigningAuthorityName=context.sender.organisation,
    )  # fmt: skip
    add(document, "code", code="81215-6", codeSystem=LOINC)
    add(document, "title", "Koordinerende indsatsplan")
    add(document, "effectiveTime", value=stamp(context.now))
    add(document, "confidentialityCode", code="N", codeSystem=CONFIDENTIALITY)
    add(document, "languageCode", code="da-DK")
    add(document, "setId", root=plan)
    add(document, "versionNumber", value=str(view.version))
    _citizen(document, reader)
    _author(document, reader)
    _relatives(document, reader)
    _custodian(document, context.sender)
    _recipient(document, receiver)
    _events(document, reader, stamp(context.now))
    earlier = (context.thread or {}).get("document")
    if earlier:
        related = add(document, "relatedDocument", typeCode="RPLC")
        parent = add(related, "parentDocument")
        add(parent, "id", root=str(earlier))
        add(parent, "setId", root=plan)


def _citizen(document: etree._Element, reader: PlanReader) -> None:
    patient = reader.patient
    role = add(add(document, "recordTarget", typeCode="RCT"), "patientRole", classCode="PAT")
    for identifier in patient.get("identifier", ()):
        system, value = str(identifier.get("system", "")), str(identifier.get("value", ""))
        if system in {names.CPR, names.X_ECPR, *names.D_ECPR}:
            named = {"assigningAuthorityName": "CPR"} if system == names.CPR else {}
            add(role, "id", root=system.removeprefix("urn:oid:"), extension=value, **named)
    if is_protected(patient):
        add(role, "addr", nullFlavor="MSK")
    else:
        _address(role, patient)
        _telecom(role, patient)
    person = add(role, "patient", classCode="PSN", determinerCode="INSTANCE")
    _name(person, patient)
    add(person, "administrativeGenderCode", nullFlavor="UNK")
    born = patient.get("birthDate")
    add(person, "birthTime", **({"value": time_of(born)} if born else {"nullFlavor": "UNK"}))


def _name(person: etree._Element, resource: Resource) -> None:
    found: Mapping[str, Any] = next(iter(resource.get("name", ())), {})
    name = add(person, "name")
    if not found.get("family"):
        name.text = str(found.get("text", "")) or " ".join(found.get("given", ()))
        return
    for given in found.get("given", ()):
        add(name, "given", str(given))
    add(name, "family", str(found["family"]))


def _address(parent: etree._Element, resource: Resource) -> None:
    for address in resource.get("address", ())[:1]:
        found = add(parent, "addr", use="H")
        for line in address.get("line", ()):
            add(found, "streetAddressLine", str(line))
        if not address.get("line") and address.get("text"):
            add(found, "streetAddressLine", str(address["text"]))
        if address.get("postalCode"):
            add(found, "postalCode", str(address["postalCode"]))
        if address.get("city"):
            add(found, "city", str(address["city"]))


def _telecom(parent: etree._Element, resource: Resource) -> None:
    schemes = {"phone": "tel", "email": "mailto"}
    for contact in resource.get("telecom", ()):
        scheme, value = schemes.get(contact.get("system", "")), contact.get("value")
        # Text without a digit or an @ is no address that a system could use; the narrative has it.
        if scheme and value and any(c.isdigit() or c == "@" for c in str(value)):
            add(parent, "telecom", value=f"{scheme}:{value}".replace(" ", ""))


def _author(document: etree._Element, reader: PlanReader) -> None:
    role = reader.at(reader.plan.get("author", {}).get("reference"))
    unit = reader.at(role.get("organization", {}).get("reference"))
    author = add(document, "author", typeCode="AUT", contextControlCode="OP")
    created = reader.plan.get("created")
    add(author, "time", **({"value": time_of(created)} if created else {"nullFlavor": "UNK"}))
    assigned = add(author, "assignedAuthor", classCode="ASSIGNED")
    add(assigned, "id", root=SOR, extension=_sor(unit), assigningAuthorityName="SOR")
    _telecom(assigned, role)
    person = add(assigned, "assignedPerson", classCode="PSN", determinerCode="INSTANCE")
    add(person, "name", reader.name_of(reader.plan.get("author", {}).get("reference")))
    organization = add(assigned, "representedOrganization", classCode="ORG")
    add(organization, "id", root=SOR, extension=_sor(unit), assigningAuthorityName="SOR")
    add(organization, "name", str(unit.get("name", "")))


def _sor(unit: Resource) -> str:
    found = (i.get("value") for i in unit.get("identifier", ()) if i.get("system") == names.SOR)
    return _needed(next(found, None))


def _needed(sor: str | None) -> str:
    if not sor:
        raise CannotRender("CPD-DK names the lead's unit and the sender by their SOR codes")
    return sor


def _relatives(document: etree._Element, reader: PlanReader) -> None:
    for contact in reader.contacts():
        if not RELATIVES & set(contact.roles) or not contact.reference.startswith("RelatedPerson/"):
            continue
        informant = add(document, "informant", typeCode="INF", contextControlCode="OP")
        entity = add(informant, "relatedEntity", classCode="PRS")
        if contact.title:
            add(add(entity, "code", nullFlavor="NA"), "originalText", contact.title)
        _telecom(entity, reader.at(contact.reference))
        person = add(entity, "relatedPerson", classCode="PSN", determinerCode="INSTANCE")
        add(person, "name", contact.name)


def _custodian(document: etree._Element, sender: Party) -> None:
    custodian = add(document, "custodian", typeCode="CST")
    assigned = add(custodian, "assignedCustodian", classCode="ASSIGNED")
    found = add(assigned, "representedCustodianOrganization", classCode="ORG")
    sor = _needed(sender.identifier(names.SOR))
    add(found, "id", root=SOR, extension=sor, assigningAuthorityName="SOR")
    add(found, "name", sender.name)
    if sender.phone:
        add(found, "telecom", value=f"tel:{sender.phone}")


def _recipient(document: etree._Element, receiver: Party) -> None:
    found = add(document, "informationRecipient", typeCode="PRCP")
    intended = add(found, "intendedRecipient", classCode="ASSIGNED")
    sor = receiver.identifier(names.SOR)
    if sor:
        add(intended, "id", root=SOR, extension=sor, assigningAuthorityName="SOR")
    else:
        add(intended, "id", nullFlavor="NI")
    add(add(intended, "receivedOrganization", classCode="ORG"), "name", receiver.name)


def _events(document: etree._Element, reader: PlanReader, now: str) -> None:
    version = _event(document, VERSION_EVENT)
    version.insert(
        1, add(version, "id", root=MEDCOM, extension=VERSION, assigningAuthorityName="MedCom")
    )
    validity = _event(document, VALIDITY_EVENT)
    period = reader.plan.get("period", {})
    time = add(validity, "effectiveTime")
    start = valid_from(reader)
    # A time is mandatory here; the document's own stands in, and a loss says so.
    add(time, "low", value=time_of(start) if start else now)
    end = period.get("end")
    add(time, "high", **({"value": time_of(end)} if end else {"nullFlavor": "NA"}))
    for contact in reader.contacts():
        if contact.reference.startswith("PractitionerRole/"):
            _member(validity, reader, contact)


def valid_from(reader: PlanReader) -> str | None:
    """When the plan applies from: its period, else the day it was written."""
    start = reader.plan.get("period", {}).get("start") or reader.plan.get("created")
    return str(start) if start else None


def _event(document: etree._Element, template: str) -> etree._Element:
    documented = add(document, "documentationOf", typeCode="DOC")
    event = add(documented, "serviceEvent", classCode="MPROT", moodCode="EVN")
    add(event, "templateId", root=template)
    return event


def _member(event: etree._Element, reader: PlanReader, contact: Contact) -> None:
    """One of the team: what MedCom calls a healthcare-team-member."""
    performer = add(event, "performer", typeCode="PRF")
    add(performer, "functionCode", code="healthcare-team-member", codeSystem=MEDCOM_CODES)
    entity = add(performer, "assignedEntity", classCode="ASSIGNED")
    unit = reader.at(contact.organization)
    sor = next(
        (i.get("value") for i in unit.get("identifier", ()) if i.get("system") == names.SOR), None
    )
    if sor:
        add(entity, "id", root=SOR, extension=str(sor), assigningAuthorityName="SOR")
    else:
        add(entity, "id", nullFlavor="NI")
    _telecom(entity, reader.at(contact.reference))
    person = add(entity, "assignedPerson", classCode="PSN", determinerCode="INSTANCE")
    add(person, "name", contact.name)
    if contact.unit:
        add(add(entity, "representedOrganization", classCode="ORG"), "name", contact.unit)

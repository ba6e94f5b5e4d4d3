"""A document of this format to a PlanUpdate, by the tables in mappings/udskrivningsaftale/."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from lxml import etree

from adapters.udskrivningsaftale import rules
from adapters.udskrivningsaftale.rules import PLAN
from adapters.xml_plan.document import Record, XmlFormat
from adapters.xml_plan.reading import Reading, link, with_items
from adapters.xml_plan.rules import item_key, members
from adapters.xml_plan.schema import Schema
from hub.contract import Context, PlanUpdate, Resource
from hub.fhir import names
from hub.mapping import mappings_folder

KINDS: Final = {rules.AGREEMENT: "udskrivningsaftale", PLAN: "koordinationsplan"}
"""Root element to kind of sector plan."""
FORMAT: Final = XmlFormat(
    "udskrivningsaftale",
    Schema(
        Path(__file__).with_name("udskrivningsaftale-1.0.xsd"),
        versions="https://ki-hub.example/xml/udskrivningsaftale/",
        roots=tuple(KINDS),
        items=frozenset({"Party", "Offer", "JournalNote", "SectionCode"}),
    ),
)
_FOLDER = mappings_folder("udskrivningsaftale")


def parse(body: bytes, context: Context) -> PlanUpdate:
    """The update that the document makes.

    Resources: CarePlan (KiSectorPlan), Patient, Organization, PractitionerRole, an Organization
    for each party, and an Observation for each acceptance, the contact trigger and the
    termination. Raises what :meth:`XmlFormat.opened` and the tables raise.
    """
    opened = FORMAT.opened(body, context.local)
    name = etree.QName(opened.root).localname
    content = FORMAT.content(opened.root)
    rules.check(content, name)
    reading = Reading(
        content,
        f"/{name}",
        _FOLDER,
        context.id_for,
        alone=name == PLAN,
        local=context.local,
        losses=[*opened.losses],
    )
    patient, unit = reading.patient(), reading.unit()
    doctor = reading.person("ResponsibleDoctor", unit, key="doctor")
    parties = _parties(reading)
    notes = [
        *_citizen_acceptance(reading, patient),
        *_acceptances(reading, patient, parties),
        *reading.optional_note("contact-trigger", "ContactTrigger", patient, unit),
        *reading.optional_note("termination", "Termination", patient, unit),
    ]
    activities = [
        *_offers(reading, parties),
        _supervision(reading, parties),
        *reading.follow_up(),
    ]
    plan = reading.plan(patient, unit, doctor)
    plan["category"] = [names.concept(names.SECTOR_KIND, KINDS[name])]
    with_items(plan, goals=[], activities=activities, notes=notes)
    resources = (plan, patient, unit, doctor, *parties.values(), *notes)
    return reading.update(KINDS[name], resources, rules.warnings(content, name))


def _parties(reading: Reading) -> dict[str, Resource]:
    """The party's identifier in the document to its unit."""
    return {
        party["PartyIdentifier"]: reading.resource(
            "party",
            f"Parties/Party[{number}]",
            party,
            key=f"party/{party['PartyIdentifier']}",
        )
        for number, party in enumerate(members(reading.content, "Parties", "Party"), 1)
    }


def _citizen_acceptance(reading: Reading, patient: Resource) -> list[Resource]:
    """The citizen's acceptance; a coordination plan has no such element. It carries no mark."""
    item = reading.content.get("CitizenAcceptance")
    if item is None:
        return []
    return [reading.note("citizen-acceptance", "CitizenAcceptance", item, patient, patient)]


def _acceptances(
    reading: Reading, patient: Resource, parties: dict[str, Resource]
) -> list[Resource]:
    """Each party's acceptance; without a mark, it never leaves its owner."""
    return [
        reading.note(
            "party-acceptance",
            f"Parties/Party[{number}]",
            item,
            patient,
            parties[item["PartyIdentifier"]],
            key=f"acceptance/{item['PartyIdentifier']}",
        )
        for number, item in enumerate(members(reading.content, "Parties", "Party"), 1)
    ]


def _offers(reading: Reading, parties: dict[str, Resource]) -> list[dict[str, Any]]:
    return [
        _by_party(
            reading.activity(
                "offer",
                f"Offers/Offer[{number}]",
                item,
                key=f"offer/{item_key(item, 'OfferIdentifier', number)}",
                default=item["OfferTypeCode"] != rules.MEDICAL,
            ),
            item,
            parties,
        )
        for number, item in enumerate(members(reading.content, "Offers", "Offer"), 1)
    ]


def _supervision(reading: Reading, parties: dict[str, Resource]) -> dict[str, Any]:
    item = reading.content["Supervision"]
    found = reading.activity("supervision", "Supervision", item, key="supervision", default=False)
    return _by_party(found, item, parties)


def _by_party(
    activity: dict[str, Any], item: Record, parties: dict[str, Resource]
) -> dict[str, Any]:
    """The responsible party stands before its person as written."""
    party = link(parties[item["ResponsiblePartyIdentifier"]])
    activity["detail"]["performer"] = [party, *activity["detail"].get("performer", ())]
    return activity

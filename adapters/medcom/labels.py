"""Danish and English words for the elements that narratives show."""

from __future__ import annotations

from typing import Final

from adapters.medcom import urls
from hub.fhir import names

Words = tuple[str, str]
"""Danish and English."""

TYPES: Final[dict[str, Words]] = {
    "MessageHeader": ("Meddelelse", "Message header"),
    "Communication": ("Korrespondance", "Communication"),
    "Patient": ("Borger", "Patient"),
    "Organization": ("Organisation", "Organisation"),
    "Practitioner": ("Fagperson", "Practitioner"),
    "PractitionerRole": ("Fagpersons rolle", "Practitioner role"),
    "CareTeam": ("Behandlerteam", "Care team"),
    "Encounter": ("Kontakt", "Encounter"),
    "Provenance": ("Hændelse", "Provenance"),
    "OperationOutcome": ("Fejlbeskrivelse", "Operation outcome"),
}

ELEMENTS: Final[dict[str, Words]] = {
    "id": ("Id", "Id"),
    "eventCoding": ("Meddelelsestype", "Event"),
    "destination": ("Modtager", "Destination"),
    "endpoint": ("Adresse", "Endpoint"),
    "receiver": ("Modtagende organisation", "Receiver"),
    "sender": ("Afsendende organisation", "Sender"),
    "source": ("Afsenderadresse", "Source"),
    "focus": ("Indhold", "Focus"),
    "definition": ("Meddelelsesdefinition", "Definition"),
    "response": ("Svar", "Response"),
    "details": ("Detaljer", "Details"),
    "identifier": ("Identifikation", "Identifier"),
    "value": ("Værdi", "Value"),
    "status": ("Status", "Status"),
    "category": ("Kategori", "Category"),
    "topic": ("Emne", "Topic"),
    "text": ("Tekst", "Text"),
    "subject": ("Borger", "Subject"),
    "payload": ("Meddelelsessegment", "Message segment"),
    "contentString": ("Meddelelsestekst", "Message text"),
    "contentAttachment": ("Vedhæftning", "Attachment"),
    "contentType": ("Filtype", "Content type"),
    "title": ("Titel", "Title"),
    "creation": ("Oprettet", "Creation"),
    "assigner": ("Tildelt af", "Assigner"),
    "use": ("Brug", "Use"),
    "name": ("Navn", "Name"),
    "family": ("Efternavn", "Family name"),
    "given": ("Fornavn", "Given name"),
    "practitioner": ("Fagperson", "Practitioner"),
    "organization": ("Organisation", "Organisation"),
    "code": ("Kode", "Code"),
    "display": ("Betegnelse", "Display"),
    "system": ("System", "System"),
    "target": ("Vedrører", "Target"),
    "occurredDateTime": ("Tidspunkt", "Occurred"),
    "recorded": ("Registreret", "Recorded"),
    "activity": ("Aktivitet", "Activity"),
    "agent": ("Udført af", "Agent"),
    "who": ("Hvem", "Who"),
    "entity": ("Indgår", "Entity"),
    "role": ("Rolle", "Role"),
    "what": ("Hvad", "What"),
    "issue": ("Fejl", "Issue"),
    "severity": ("Alvor", "Severity"),
    "expression": ("Sted", "Expression"),
    "recipient": ("Specifik modtager", "Specific recipient"),
    "encounter": ("Kontakt", "Encounter"),
    "class": ("Art", "Class"),
    "serviceProvider": ("Ansvarlig enhed", "Service provider"),
    "episodeOfCare": ("Forløb", "Episode of care"),
    "managingOrganization": ("Ansvarlig organisation", "Managing organisation"),
    "security": ("Sikkerhedsmærke", "Security label"),
}

EXTENSIONS: Final[dict[str, Words]] = {
    urls.DATE: ("Tidspunkt", "Date"),
    urls.IDENTIFIER: ("Segment-id", "Segment identifier"),
    urls.AUTHOR: ("Forfatter", "Author"),
    urls.CONTACT: ("Telefon", "Telephone"),
    urls.SENDER: ("Specifik afsender", "Specific sender"),
    urls.DESTINATION_USE: ("Modtagertype", "Destination use"),
    names.DATA_ABSENT: ("Oplysning mangler", "Data absent"),
}

SYSTEMS: Final[dict[str, Words]] = {
    names.CPR: ("CPR-nummer", "CPR number"),
    names.X_ECPR: ("Erstatnings-CPR (X-eCPR)", "Replacement number (X-eCPR)"),
    names.SOR: ("SOR-kode", "SOR code"),
    names.GLN: ("EAN-/GLN-nummer", "EAN/GLN number"),
} | dict.fromkeys(names.D_ECPR, ("Erstatnings-CPR (D-eCPR)", "Replacement number (D-eCPR)"))

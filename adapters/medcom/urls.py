"""Every URL and fixed code of the MedCom messages, in one place.

Source: CareCommunication 5.0.4, Acknowledgement 2.0.3, MedCom Messaging, MedCom Core 3.0.1 and
MedCom Terminology 2.0.1 (medcomfhir.dk). Case is part of the URL (``careCommunication``).
"""

from __future__ import annotations

from typing import Final

_CC: Final = (
    "http://medcomfhir.dk/ig/carecommunication/StructureDefinition/medcom-careCommunication"
)
_CORE: Final = "http://medcomfhir.dk/ig/core/StructureDefinition/medcom-core"
_MESSAGING: Final = "http://medcomfhir.dk/ig/messaging/StructureDefinition/medcom-messaging"
_ACK: Final = "http://medcomfhir.dk/ig/acknowledgement/StructureDefinition/medcom"
_TERMINOLOGY: Final = "http://medcomfhir.dk/ig/terminology/CodeSystem/medcom"

# CareCommunication profiles
CC_MESSAGE: Final = f"{_CC}-message"
CC_HEADER: Final = f"{_CC}-messageHeader"
CC_COMMUNICATION: Final = f"{_CC}-communication"
CC_PROVENANCE: Final = f"{_CC}-provenance"

# Core and messaging profiles
PATIENT: Final = f"{_CORE}-patient"
PRACTITIONER: Final = f"{_CORE}-practitioner"
PRACTITIONER_ROLE: Final = f"{_CORE}-practitionerrole"
CARE_TEAM: Final = f"{_CORE}-careteam"
ENCOUNTER: Final = f"{_CORE}-encounter"
ORGANIZATION: Final = f"{_MESSAGING}-organization"
PROVENANCE: Final = f"{_MESSAGING}-provenance"

# Acknowledgement profiles
ACK_MESSAGE: Final = f"{_ACK}-messaging-acknowledgement"
ACK_HEADER: Final = f"{_ACK}-messaging-acknowledgementHeader"
ACK_OUTCOME: Final = f"{_ACK}-acknowledgement-operationoutcome"

# Extensions
DATE: Final = f"{_CORE}-datetime-extension"
IDENTIFIER: Final = f"{_CORE}-identifier-extension"
AUTHOR: Final = f"{_CORE}-practitioner-extension"
CONTACT: Final = f"{_CORE}-contact-extension"
SENDER: Final = f"{_CORE}-sender-extension"
DESTINATION_USE: Final = f"{_MESSAGING}-destinationUseExtension"

# Code systems
EVENTS: Final = f"{_TERMINOLOGY}-messaging-eventCodes"
ACTIVITIES: Final = f"{_TERMINOLOGY}-messaging-activityCodes"
USES: Final = f"{_TERMINOLOGY}-messaging-destinationUse"
CATEGORIES: Final = f"{_TERMINOLOGY}-careCommunication-categoryCodes"
ERRORS: Final = f"{_TERMINOLOGY}-acknowledgement-error-codes"
OUTCOMES: Final = "http://terminology.hl7.org/CodeSystem/operation-outcome"
RESPONSES: Final = "http://hl7.org/fhir/response-code"
LPR3: Final = "https://www.esundhed.dk/Registre/Landspatientregisteret"

CC_EVENT: Final = "care-communication-message"
ACK_EVENT: Final = "acknowledgement-message"

_DEFINITIONS: Final = "http://medcomfhir.dk/ig/messagedefinitions/MessageDefinition"
CC_DEFINITION: Final = f"{_DEFINITIONS}/MedComCareCommunicationMessageDefinition|5.0"
ACK_DEFINITION: Final = f"{_DEFINITIONS}/MedComAcknowledgementMessageDefinition|2.0"

ACK_BASE: Final = "https://medcomfhir.dk/ig/acknowledgement"
"""The base of fullUrl in MedCom's published acknowledgements."""

XHTML: Final = "http://www.w3.org/1999/xhtml"

MIME_TYPES: Final = frozenset(
    {"application/pdf", "image/gif", "image/jpeg", "image/png", "image/tiff", "image/bmp"}
)
"""What an attachment may hold (value set medcom-core-attachmentMimeTypes)."""


def sor_endpoint(sor: str) -> str:
    """The endpoint address of a unit, made from its SOR code."""
    return f"https://sor2.sum.dsdn.dk/#id={sor}"

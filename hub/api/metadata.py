"""GET /fhir/metadata (https://hl7.org/fhir/R4/http.html#capabilities): what this server does."""

from __future__ import annotations

from fastapi import APIRouter, Response

from hub import __version__
from hub.api.security import HubDep
from hub.fhir import names
from hub.fhir.codec import dump_json

ROUTER = APIRouter(tags=["fhir"])
RELEASED = "2026-11-23"


@ROUTER.get("/fhir/metadata")
def capabilities(hub: HubDep) -> Response:
    """A CapabilityStatement; open to all, it says nothing about anyone."""
    statement = {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": RELEASED,
        "kind": "instance",
        "software": {"name": "KI-hub", "version": __version__},
        "implementation": {"description": "KI-hub", "url": hub.base_url},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"],
        "rest": [
            {
                "mode": "server",
                "security": {
                    "description": "Authorization: Bearer, one credential per party. A plan the "
                    "caller has no legal basis for does not exist for it: 404."
                },
                "resource": [
                    {
                        "type": "CarePlan",
                        "supportedProfile": [names.KI_PLAN],
                        "interaction": [{"code": "read"}, {"code": "search-type"}],
                        "searchParam": [{"name": "patient", "type": "reference"}],
                    },
                    {
                        "type": "Consent",
                        "supportedProfile": [names.KI_CONSENT, names.KI_APPROVAL],
                        "interaction": [{"code": "create"}],
                    },
                ],
                "operation": [
                    {
                        "name": "process-message",
                        "definition": "http://hl7.org/fhir/OperationDefinition/"
                        "MessageHeader-process-message",
                    }
                ],
            }
        ],
    }
    return Response(dump_json(statement), media_type="application/fhir+json")

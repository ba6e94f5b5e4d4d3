"""Who made a plan version, out of which document, and when: R4 Provenance, profile KiProvenance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from hub.contract import Identifier, Party
from hub.fhir import names

_OPERATION: Final = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
_AGENT: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"


def provenance(
    own_id: str,
    targets: Sequence[str],
    author: Party,
    recorded: datetime,
    *,
    first: bool,
    document: str | None,
) -> dict[str, Any]:
    """``targets``: ``Type/id/_history/version``; ``document``: SHA-256 in hex of the received
    bytes, None where there was none or they are no longer kept."""
    code, said = ("CREATE", "create") if first else ("UPDATE", "revise")
    unit = unit_identifier(author)
    made: dict[str, Any] = {
        "resourceType": "Provenance",
        "id": own_id,
        "meta": {"profile": [names.profile("KiProvenance")]},
        "target": [{"reference": t} for t in targets],
        "recorded": recorded.isoformat(timespec="milliseconds"),
        "activity": names.concept(_OPERATION, code, said),
        "agent": [
            {
                "type": names.concept(_AGENT, "author", "Author"),
                "who": {
                    "type": "Organization",
                    "identifier": {"system": unit.system, "value": unit.value},
                    "display": author.name,
                },
            },
            {
                "type": names.concept(_AGENT, "assembler", "Assembler"),
                "who": {"display": "KI-hub"},
            },
        ],
    }
    if document is not None:
        hashed = {"system": "urn:ietf:rfc:3986", "value": f"urn:hash::sha256:{document}"}
        what = {"type": "DocumentReference", "identifier": hashed}
        made["entity"] = [{"role": "source", "what": what}]
    return made


def unit_identifier(party: Party) -> Identifier:
    """SOR where the unit has one, else another identifier that names one unit, else the hub's."""
    for system in names.UNIT_SYSTEMS:
        value = party.identifier(system)
        if value is not None:
            return Identifier(system, value)
    return Identifier(names.LOCAL_UNIT, party.id)

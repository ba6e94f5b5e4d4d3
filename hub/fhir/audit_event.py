"""Audit rows as FHIR R4 AuditEvents, in the shapes of IHE's Basic Audit Log Patterns (BALP).

PatientRead, PatientQuery, PatientCreate and PatientUpdate for REST; PrivacyDisclosure.Source for
what is sent; AuthZconsent for a decision not to send. A citizen is a pseudonym; a unit's network
address is not kept, and said to be absent. A query's text (which may hold a CPR number) is not kept
either, so a search is no PatientQuery: of BALP's profiles (1.1.4) an event claims PatientRead or
PrivacyDisclosure.Source, where it keeps every rule of that, and no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from hub.fhir import names

DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_TYPE: Final = "http://terminology.hl7.org/CodeSystem/audit-event-type"
_REST: Final = "http://hl7.org/fhir/restful-interaction"
_LIFECYCLE: Final = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
_AUTHZ: Final = "https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType"
_ENTITY: Final = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ROLE: Final = "http://terminology.hl7.org/CodeSystem/object-role"
_PART: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_REASON: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
_BALP: Final = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
_READ_SO: Final = frozenset({"read", "vread"})
"""BALP's reads; a history is none of them."""
_NOT_KEPT: Final[dict[str, Any]] = {
    "_address": {
        "extension": [
            {
                "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
                "valueCode": "unsupported",
            }
        ]
    }
}
"""The network of an agent whose address the hub does not keep."""
PSEUDONYM: Final = f"{names.BASE}/NamingSystem/audit-pseudonym"
_NO_CODE: Final = frozenset({"", "own-record", "plan-record", "own-right"})
"""Bases of looks at what is the reader's own: none of the code system of legal bases."""
_DISCLOSED: Final = frozenset({"disclose", "fetch"})
_READ: Final = {"read": "read", "vread": "vread", "history": "history-instance"}
_QUERIED: Final = frozenset({"search", "everything", "document", "events"})
_LOOKS: Final = frozenset({*_DISCLOSED, *_READ, *_QUERIED, "route", "act", "console"})
"""What the project's own profile is about: reads, disclosures, denials."""
_WRITTEN: Final = {"update": ("U", "update"), "consent": ("C", "create"),
                   "approval": ("C", "create"), "propose": ("C", "create"),
                   "write": ("C", "create"), "receive": ("C", "create"),
                   "decide": ("U", "update")}  # fmt: skip


@dataclass(frozen=True)
class _Shape:
    """What kind of event it is."""

    type: dict[str, Any]
    subtype: dict[str, Any] | None
    action: str
    from_hub: bool
    """Content goes from the hub to the unit: the hub is the source, the unit the destination."""
    object_role: str = "4"


def audit_event(row: Mapping[str, Any], base_url: str) -> dict[str, Any]:
    """One row; ``base_url``: this hub's own address."""
    shape = _shape(row)
    hub = {"identifier": {"system": "urn:ietf:rfc:3986", "value": base_url}, "display": "KI-hub"}
    basis = _basis(row["basis"])
    denied = row["outcome"] != "success"
    made: dict[str, Any] = {"resourceType": "AuditEvent", "id": f"audit-{row['id']}"}
    profiles = _profiles(row, basis, denied=denied)
    if profiles:
        made["meta"] = {"profile": profiles}
    if basis:
        made["extension"] = [
            {
                "url": names.LEGAL_BASIS,
                "valueCoding": names.coding(names.system("legal-basis"), basis),
            }
        ]
    made["type"] = shape.type
    if shape.subtype:
        made["subtype"] = [shape.subtype]
    made |= {
        "action": shape.action,
        "recorded": _instant(row["at"]),
        "outcome": "4" if denied else "0",
    }
    if row["reason"]:
        made["outcomeDesc"] = row["reason"]
    purpose = _purpose(row)
    if purpose:
        made["purposeOfEvent"] = [names.concept(_REASON, purpose)]
    made["agent"] = _agents(row, shape, hub, base_url)
    made["source"] = {
        "observer": hub,
        "type": [names.coding("http://terminology.hl7.org/CodeSystem/security-source-type", "4",
                              "Application Server")],
    }  # fmt: skip
    made["entity"] = _entities(row, shape)
    return made


def _profiles(row: Mapping[str, Any], basis: str | None, *, denied: bool) -> list[str]:
    """What it claims to be: the project's own, and that of BALP whose rules it keeps."""
    if not row["unit"] or not row["citizen"]:
        return []
    found = []
    if row["action"] in _LOOKS and (basis or denied):
        found.append(names.profile("KiAuditEvent"))
    if not denied and row["action"] in _READ_SO and _asked(row):
        found.append(f"{_BALP}PatientRead")
    if not denied and row["action"] in _DISCLOSED:
        found.append(f"{_BALP}PrivacyDisclosure.Source")
    return found


def _asked(row: Mapping[str, Any]) -> bool:
    """The unit itself did it, or one of its people."""
    return bool(row["party"]) and row["actor"].partition(": ")[0] == row["party"]


def bundle(events: list[dict[str, Any]]) -> dict[str, Any]:
    """A collection of them."""
    made: dict[str, Any] = {"resourceType": "Bundle", "type": "collection"}
    entries = [{"fullUrl": _url(e), "resource": e} for e in events]
    return made | ({"entry": entries} if entries else {})


def _url(event: Mapping[str, Any]) -> str:
    """The hub serves no AuditEvents, so none has an address; the same event has the same name."""
    address = event["source"]["observer"]["identifier"]["value"]
    return uuid5(NAMESPACE_URL, f"{address}/AuditEvent/{event['id']}").urn


_RESTFUL: Final = names.coding(_TYPE, "rest", "RESTful Operation")
_LOGIN: Final = _Shape(
    names.coding(DCM, "110114", "User Authentication"), names.coding(DCM, "110122", "Login"),
    "E", False,
)  # fmt: skip
_DECIDED: Final = _Shape(
    names.coding(DCM, "110113", "Security Alert"), names.coding(_AUTHZ, "AuthZ-Consent"), "E", True
)
_EXPORT: Final = _Shape(
    names.coding(DCM, "110106", "Export"), names.coding(_LIFECYCLE, "disclose"), "R", True, "3"
)
_OTHER: Final = _Shape(names.coding(DCM, "110100", "Application Activity"), None, "E", False)
_SHAPES: Final[Mapping[str, _Shape]] = {
    "login": _LOGIN,
    "route": _DECIDED,
    **dict.fromkeys(_DISCLOSED, _EXPORT),
    **{a: _Shape(_RESTFUL, names.coding(_REST, i), "R", True) for a, i in _READ.items()},
    **dict.fromkeys(_QUERIED, _Shape(_RESTFUL, names.coding(_REST, "search"), "E", False)),
    **{a: _Shape(_RESTFUL, names.coding(_REST, i), c, False) for a, (c, i) in _WRITTEN.items()},
}


def _shape(row: Mapping[str, Any]) -> _Shape:
    if row["action"] == "disclose" and row["outcome"] != "success":
        return _DECIDED
    return _SHAPES.get(row["action"], _OTHER)


def _agents(
    row: Mapping[str, Any], shape: _Shape, hub: dict[str, Any], base_url: str
) -> list[dict[str, Any]]:
    own, _, person = row["actor"].partition(": ")
    asked = _asked(row)
    agents: list[dict[str, Any]] = []
    source = names.concept(DCM, "110153", "Source Role ID")
    destination = names.concept(DCM, "110152", "Destination Role ID")
    if row["unit"]:
        unit = _unit(row)
        agent = {"type": names.concept(_PART, "IRCP", "information recipient"), "who": unit,
                 "requestor": asked}  # fmt: skip
        if row["role"]:
            agent["role"] = [{"text": row["role"]}]
        agents += [
            agent,
            {
                "type": destination if shape.from_hub else source,
                "who": unit,
                "requestor": False,
                "network": _NOT_KEPT,
            },
        ]
    if person or not asked:
        acting: dict[str, Any] = {"who": {"display": person or own}, "requestor": not asked}
        agents.append(acting)
    agents.append({
        "type": source if shape.from_hub else destination, "who": hub, "requestor": False,
        "network": {"address": base_url, "type": "5"},
    })  # fmt: skip
    return agents


def _unit(row: Mapping[str, Any]) -> dict[str, Any]:
    system, _, value = row["unit"].partition("|")
    identifier = {"system": system, "value": value}
    return {"type": "Organization", "identifier": identifier, "display": row["unit_name"]}


def _entities(row: Mapping[str, Any], shape: _Shape) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if row["citizen"]:
        identifier = {"system": PSEUDONYM, "value": row["citizen"]}
        found.append({
            "what": {"type": "Patient", "identifier": identifier},
            "type": names.coding(_ENTITY, "1", "Person"),
            "role": names.coding(_ROLE, "1", "Patient"),
        })  # fmt: skip
    data: dict[str, Any] = {
        "what": _what(row),
        "type": names.coding(_ENTITY, "2", "System Object"),
        "role": names.coding(_ROLE, shape.object_role),
        "description": row["action"],
    }
    labels = [s for s in (row["sections"] or "").split() if s in names.SECTIONS]
    if labels:
        data["securityLabel"] = [names.coding(names.SECTION_CODE, s) for s in labels]
    found.append(data)
    if row["consent_id"]:
        found.append({
            "what": {"reference": f"Consent/{row['consent_id']}"},
            "type": names.coding("http://hl7.org/fhir/resource-types", "Consent", "Consent"),
        })  # fmt: skip
    return found


def _what(row: Mapping[str, Any]) -> dict[str, Any]:
    kind = row["object"].partition("/")[0]
    if kind in {"CarePlan", "Consent", "Subscription"}:
        return {"reference": row["object"]}
    if row["plan_id"]:
        version = f"/_history/{row['version']}" if row["version"] else ""
        return {"reference": f"CarePlan/{row['plan_id']}{version}", "display": row["object"]}
    return {"display": row["object"]}


def _basis(text: str) -> str | None:
    """The code of the legal basis: ``consent/<id>``, ``statute/<code>`` or the code alone."""
    kind, _, rest = text.partition("/")
    if kind in _NO_CODE:
        return None
    return rest if kind == "statute" else kind


def _purpose(row: Mapping[str, Any]) -> str | None:
    if row["action"] == "break-glass":
        return "BTG"
    if row["action"] in {"access-record", "subject-export", "hand-over"}:
        return "PATRQT"
    return "TREAT" if row["purpose"] else None


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")

"""URLs of this format, and what tells a resend from a new document."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import simplejson

from hub.contract import RawMessage, Resource
from hub.errors import HubError
from hub.fhir import names
from hub.fhir.wire import read

EVENT_SYSTEM: Final = names.system("event")
PLAN_UPDATE: Final = f"{EVENT_SYSTEM}|plan-update"
NOTICE_SYSTEM: Final = names.system("notice")
PLAN_ID: Final = f"{names.BASE}/NamingSystem/plan"
"""Identifier system of the hub's plan id."""
UNAPPROVED: Final = names.coding(names.DECISION_CODE, "undecided", "Ikke godkendt endnu")
"""Tag of a shared plan that waits for the citizen's approval."""

SECTOR_KINDS: Final = frozenset(
    {
        "behandlingsplan",
        "vum",
        "handleplan-141",
        "udskrivningsaftale",
        "koordinationsplan",
        "jobplan",
        "rehabiliteringsplan",
        "plejeplan",
        "opholdsplan",
        "misbrugsbehandlingsplan",
    }
)
ROLES: Final = frozenset(
    {
        "citizen",
        "relative",
        "spokesperson",
        "lead",
        "deputy",
        "chair",
        "minutes",
        "coordinator",
        "professional",
        "gp",
        "receiver",
    }
)


def is_uuid(text: str) -> bool:
    """The form of every id the hub issues."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def fingerprint(message: RawMessage) -> str:
    """SHA-256 of the document without Bundle.id, timestamps and Provenance times.

    Bytes that cannot be read are hashed as they are: a resend of them is still a resend.
    """
    try:
        return content_hash(read(message.body, message.media_type))
    except HubError:
        return hashlib.sha256(message.body).hexdigest()


def content_hash(document: Resource) -> str:
    """The same of a document that was read; JSON and XML of one content are equal."""
    text = simplejson.dumps(_lasting(document), sort_keys=True, use_decimal=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _lasting(value: Any) -> Any:
    """A copy without what changes from one sending of the same content to the next."""
    if isinstance(value, list):
        return [_lasting(v) for v in value]
    if not isinstance(value, Mapping):
        return value
    fleeting: set[str] = set()
    if value.get("resourceType") == "Bundle":
        fleeting = {"id", "timestamp"}
    elif value.get("resourceType") == "Provenance":
        fleeting = {"recorded", "occurredDateTime", "occurredPeriod"}
    made = {k: _lasting(v) for k, v in value.items() if k not in fleeting}
    if "resourceType" in value and isinstance(made.get("meta"), dict):
        made["meta"].pop("lastUpdated", None)
        if not made["meta"]:
            del made["meta"]
    return made

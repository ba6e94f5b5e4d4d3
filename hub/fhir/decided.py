"""What a citizen's decision is, and which plan version a KiApproval is about.

R4 has one element of Consent that may point at any resource: ``provision.data.reference``, with
``meaning`` instance. (``sourceReference`` may not: it is the document the consent was written in.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.fhir import names

PATH = "Consent.provision.data"


def pointing_at(reference: str) -> dict[str, Any]:
    """The provision of an approval of ``CarePlan/x/_history/n``."""
    return {"data": [{"meaning": "instance", "reference": {"reference": reference}}]}


def points_at(consent: Mapping[str, Any]) -> str:
    """The reference, as written; empty if there is none, or more than one."""
    found = consent.get("provision", {}).get("data", ())
    if len(found) != 1 or found[0].get("meaning") != "instance":
        return ""
    return str(found[0].get("reference", {}).get("reference", ""))


def is_approval(consent: Mapping[str, Any]) -> bool:
    """By profile or purpose; may be asked of JSON that nobody has checked yet."""
    profiles = _list(_object(consent.get("meta")).get("profile"))
    coded = (_list(_object(c).get("coding")) for c in _list(consent.get("category")))
    purposes = (_object(coding) for found in coded for coding in found)
    return names.KI_APPROVAL in profiles or any(
        p.get("system") == names.CONSENT_PURPOSE and p.get("code") == "approval" for p in purposes
    )


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}

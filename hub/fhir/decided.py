"""Which plan version a KiApproval is about.

R4 has one element of Consent that may point at any resource: ``provision.data.reference``, with
``meaning`` instance. (``sourceReference`` may not: it is the document the consent was written in.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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

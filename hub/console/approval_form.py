"""The approval form: a citizen's decision on one plan version, as a KiApproval. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from hub.console.fields import Fields
from hub.console.filled import (
    MODES,
    Fault,
    Faults,
    cpr,
    decision,
    extension,
    given,
    giver,
    patient,
)
from hub.contract import Resource
from hub.fhir import names
from hub.fhir.decided import pointing_at

DECISIONS: Final = ("yes", "no", "undecided")
CONDITIONS: Final = 3
"""Rows on the form."""
POLICY: Final = "Borgerens godkendelse af den koordinerende indsatsplan"
_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)


def read_approval_form(
    fields: Fields, receivers: Collection[str], now: datetime
) -> tuple[Resource | None, tuple[Fault, ...]]:
    """The resource, or every fault at once; ``receivers`` is what a condition may hold back:
    the role ``gp`` or a party id."""
    faults = Faults()
    number = cpr(fields, faults)
    plan, version = fields.one("plan"), fields.one("version")
    if not _ID.fullmatch(plan):
        faults.add("plan", "fault.plan")
    if not _NUMBER.fullmatch(version):
        faults.add("version", "fault.version")
    said = faults.choice(fields, "decision", DECISIONS, "fault.decision")
    conditions = _conditions(fields, faults, receivers)
    performer = giver(fields, faults, number)
    mode = faults.choice(fields, "mode", MODES, "fault.mode")
    _, moment = given(fields, faults, now)
    if faults.found:
        return None, tuple(faults.found)
    extensions = [
        extension("decision", "Code", said), extension("mode", "Code", mode), *conditions,
    ]  # fmt: skip
    made = decision(names.KI_APPROVAL, "treatment", ["approval"], extensions) | {
        "patient": patient(number),
        "dateTime": moment,
        "performer": [performer],
        "provision": pointing_at(f"CarePlan/{plan}/_history/{version}"),
        "policyRule": {"text": POLICY},
    }
    return made, ()


def _conditions(fields: Fields, faults: Faults, receivers: Collection[str]) -> list[dict[str, Any]]:
    """Each with what it holds back and, when it is met, when and by whose word."""
    found = []
    for n in range(1, CONDITIONS + 1):
        text, holds = fields.one(f"condition-{n}"), fields.one(f"holds-{n}")
        met, by = faults.day(fields, f"met-{n}"), fields.one(f"met-by-{n}")
        if not any((text, holds, met, by)):
            continue
        if not text:
            faults.add(f"condition-{n}", "fault.condition")
        if holds not in receivers:
            faults.add(f"holds-{n}", "fault.holds")
        if (met is None) != (not by):
            faults.add(f"met-by-{n}", "fault.met")
        parts = [{"url": "text", "valueString": text}, {"url": "holds-back", "valueCode": holds}]
        if met is not None:
            parts += [
                {"url": "met", "valueDateTime": met.isoformat()},
                {"url": "met-by", "valueString": by},
            ]
        found.append({"url": names.extension("condition"), "extension": parts})
    return found

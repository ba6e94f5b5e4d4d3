"""The consent form: what a person filled in, as a KiConsent or as what is missing. Pure.

Law behind the checks: sundhedsloven § 43 and § 44 (written, or the reason it is not; a consent
lapses at the latest one year after it was given).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from hub.console.fields import Fields
from hub.console.filled import (
    GIVERS,
    MODES,
    Fault,
    Faults,
    another,
    cpr,
    decision,
    extension,
    given,
    patient,
)
from hub.contract import Party, Resource
from hub.fhir import names
from hub.model.consent import LONGEST
from hub.model.people import GUARDIANS, PARENTS

ANSWERS: Final = ("yes", "no")
CONSENTERS: Final = (*GIVERS, "both")
GROUNDS: Final = (*sorted(GUARDIANS), PARENTS)
PURPOSES: Final = ("make-plan", "exchange", "copy-to-gp", "relatives")
POLICY: Final = (
    "Sundhedslovens § 43 og retssikkerhedslovens § 11 a: udveksling til den koordinerende "
    "indsatsplan med borgerens samtykke"
)
_RECIPIENT: Final = names.concept(
    "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP"
)
_PREFERRED: Final = (names.SOR, names.LOCAL_UNIT, names.GLN, names.YDERNUMMER)


def read_consent_form(
    fields: Fields, units: Sequence[Party], now: datetime
) -> tuple[Resource | None, tuple[Fault, ...]]:
    """The resource, or every fault at once; ``units`` are those the form offered."""
    faults = Faults()
    number = cpr(fields, faults)
    purposes = [p for p in PURPOSES if p in fields.many("purpose")]
    if not purposes:
        faults.add("purpose", "fault.purpose")
    chosen = [u for u in units if u.id in fields.many("unit")]
    answer = faults.choice(fields, "answer", ANSWERS, "fault.answer")
    if not chosen and answer != "no":
        faults.add("unit", "fault.unit")
    performers, ground = _givers(fields, faults, number)
    mode = faults.choice(fields, "mode", MODES, "fault.mode")
    reason = faults.text(fields, "mode-reason", "fault.mode-reason") if mode == "oral" else ""
    day, moment = given(fields, faults, now)
    start, end = _period(fields, faults, day)
    evidence = faults.text(fields, "evidence", "fault.evidence")
    recorder = faults.text(fields, "person", "fault.person")
    if faults.found:
        return None, tuple(faults.found)
    extensions = [
        extension("mode", "Code", mode),
        *([extension("mode-reason", "String", reason)] if reason else []),
        *([extension("guardian-ground", "Code", ground)] if ground else []),
        # The model has no element of its own for who wrote it down; it is part of the evidence.
        extension("evidence", "String", f"{evidence} (registreret af {recorder})"),
    ]
    kind = "permit" if answer == "yes" else "deny"
    rules = [_rule(kind, u, fields.many(f"section:{u.id}")) for u in chosen]
    made = decision(names.KI_CONSENT, "patient-privacy", purposes, extensions) | {
        "status": "active" if answer == "yes" else "rejected",
        "patient": patient(number),
        "dateTime": moment,
        "performer": performers,
        "policyRule": {"text": POLICY},
        "provision": _provision(answer, start, end, rules),
    }
    return made, ()


def _givers(fields: Fields, faults: Faults, number: str) -> tuple[list[dict[str, Any]], str]:
    """The performers, and the ground on which another than the citizen is one of them."""
    who = faults.choice(fields, "giver", CONSENTERS, "fault.giver")
    own = [patient(number)] if who in {"citizen", "both"} else []
    if who not in {"guardian", "both"}:
        return own, ""
    performer = another(fields, faults)
    return [*own, performer], faults.choice(fields, "ground", GROUNDS, "fault.ground")


def _provision(answer: str, start: str, end: str, rules: list[dict[str, Any]]) -> dict[str, Any]:
    """A no that names no unit is a no to everyone, and has no end."""
    if answer == "no":
        return {"type": "deny"} | ({"provision": rules} if rules else {})
    return {"type": "permit", "period": {"start": start, "end": end}, "provision": rules}


def _period(fields: Fields, faults: Faults, day: date | None) -> tuple[str, str]:
    """From the day it was given, for one year, unless the form says less."""
    start, end = faults.day(fields, "start") or day, faults.day(fields, "end")
    if day is None or start is None:
        return "", ""
    longest = day + LONGEST - timedelta(days=1)
    if start < day:
        faults.add("start", "fault.start")
    if end is not None and end < start:
        faults.add("end", "fault.end-before")
    if end is not None and end > longest:
        faults.add("end", "fault.end-late")
    return start.isoformat(), (end or longest).isoformat()


def _rule(kind: str, unit: Party, sections: Sequence[str]) -> dict[str, Any]:
    """One unit, for everything or for some sections only."""
    identifier = min(
        (i for i in unit.identifiers if i.system in _PREFERRED),
        key=lambda i: _PREFERRED.index(i.system),
    )
    reference = {
        "type": "Organization",
        "identifier": {"system": identifier.system, "value": identifier.value},
        "display": unit.name,
    }
    made: dict[str, Any] = {
        "type": kind,
        "actor": [{"role": _RECIPIENT, "reference": reference}],
    }
    labels = [names.coding(names.SECTION_CODE, s) for s in names.SECTIONS if s in sections]
    return made | ({"securityLabel": labels} if labels else {})

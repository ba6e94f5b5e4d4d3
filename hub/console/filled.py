"""What both decision forms ask: whose decision, given by whom, how and when. Pure.

A form is read into values or into what is wrong with which field; blank is never a yes. The
resources follow docs/canonical-model.md, "Consent".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any, Final

from hub.console.fields import Fields
from hub.console.render import DENMARK
from hub.contract import Resource
from hub.fhir import names

SCOPE: Final = "http://terminology.hl7.org/CodeSystem/consentscope"
MODES: Final = ("written", "oral")
GIVERS: Final = ("citizen", "guardian")


@dataclass(frozen=True)
class Fault:
    """Something to mend."""

    field: str
    word: str
    """Key of the text in the catalogs."""


@dataclass
class Faults:
    """Collects everything at once, in the order of the form."""

    found: list[Fault] = field(default_factory=list)

    def add(self, name: str, word: str) -> None:
        """Note one; only the first of a field is kept."""
        if all(f.field != name for f in self.found):
            self.found.append(Fault(name, word))

    def choice(self, fields: Fields, name: str, allowed: Iterable[str], word: str) -> str:
        """One of the allowed values, chosen by a person: there is no default."""
        found = fields.one(name)
        if found not in allowed:
            self.add(name, word)
            return ""
        return found

    def text(self, fields: Fields, name: str, word: str) -> str:
        """Something must be written."""
        found = fields.one(name)
        if not found:
            self.add(name, word)
        return found

    def day(self, fields: Fields, name: str, *, required: bool = False) -> date | None:
        """A date as a date field sends it, YYYY-MM-DD."""
        found = fields.one(name)
        if not found:
            if required:
                self.add(name, "fault.date")
            return None
        try:
            return date.fromisoformat(found)
        except ValueError:
            self.add(name, "fault.date")
            return None


def cpr(fields: Fields, faults: Faults) -> str:
    """Ten digits that begin with a date; a hyphen or spaces between are taken away."""
    found = re.sub(r"[\s-]", "", fields.one("cpr"))
    if not re.fullmatch(r"(0[1-9]|[12]\d|3[01])(0[1-9]|1[0-2])\d{6}", found, re.ASCII):
        faults.add("cpr", "fault.cpr")
    return found


def given(fields: Fields, faults: Faults, now: datetime) -> tuple[date | None, str]:
    """The day, and FHIR dateTime text: with the hour as Danish clocks had it, if it is known."""
    day = faults.day(fields, "date", required=True)
    if day is None:
        return None, ""
    if day > now.astimezone(DENMARK).date():
        faults.add("date", "fault.future")
    clock = fields.one("time")
    if not clock:
        return day, day.isoformat()
    try:
        hour = time.fromisoformat(clock).replace(tzinfo=None)
    except ValueError:
        faults.add("time", "fault.time")
        return day, day.isoformat()
    moment = datetime.combine(day, hour, DENMARK)
    if moment > now:
        faults.add("time", "fault.future")
    return day, moment.isoformat(timespec="seconds")


def giver(fields: Fields, faults: Faults, number: str) -> dict[str, Any]:
    """The performer: the citizen by number, or the guardian as written."""
    who = faults.choice(fields, "giver", GIVERS, "fault.giver")
    return another(fields, faults) if who == "guardian" else patient(number)


def another(fields: Fields, faults: Faults) -> dict[str, Any]:
    """Who decides for the citizen, as written."""
    name = faults.text(fields, "guardian", "fault.guardian")
    return {"type": "RelatedPerson", "display": name}


def patient(number: str) -> dict[str, Any]:
    """A logical reference to the citizen."""
    return {"type": "Patient", "identifier": {"system": names.CPR, "value": number}}


def decision(
    profile: str, scope: str, purposes: Iterable[str], extensions: list[dict[str, Any]]
) -> Resource:
    """A Consent's common beginning."""
    return {
        "resourceType": "Consent",
        "meta": {"profile": [profile]},
        "extension": extensions,
        "status": "active",
        "scope": {"coding": [{"system": SCOPE, "code": scope}]},
        "category": [names.concept(names.CONSENT_PURPOSE, p) for p in purposes],
    }


def extension(name: str, kind: str, value: str) -> dict[str, Any]:
    """A ki- extension, such as ``mode`` with ``valueCode``."""
    return {"url": names.extension(name), f"value{kind}": value}

"""A citizen's age, and who may decide for whom. Pure.

Sources: the CPR number's own form (the seventh digit tells the century), værgemålsloven §§ 5-7,
fremtidsfuldmagtsloven, L 128 (2023-24: from 15 years a patient consents in person), and a region's
guideline on KI-plans for the young (both the young person and the parents).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final

from hub.contract import Identifier
from hub.fhir import names
from hub.fhir.dates import ZONE

OF_AGE: Final = 18
OWN_CONSENT: Final = 15
"""From this age a young person consents in person, and the parents as well."""
PARENTS: Final = "parental-custody"
GUARDIANS: Final = frozenset({"guardianship-personal", "future-power"})
"""Grounds on which another decides for an adult. Guardianship of economic matters, under § 6, or
as co-guardian under § 7 is no ground, and has no code."""
_DIGITS: Final = 10


@dataclass(frozen=True)
class Givers:
    """Who gave a consent."""

    citizen: bool
    guardian: bool
    ground: str | None
    """A ki-guardian-ground code."""


def born(numbers: Iterable[Identifier]) -> date | None:
    """The day of birth that a CPR number tells; None where there is none, or it tells none.

    A replacement number (erstatnings-CPR) tells no age.
    """
    for number in numbers:
        if number.system == names.CPR and len(number.value) == _DIGITS and number.value.isdigit():
            found = _from_cpr(number.value)
            if found is not None:
                return found
    return None


def _from_cpr(cpr: str) -> date | None:
    day, month, year, seventh = int(cpr[:2]), int(cpr[2:4]), int(cpr[4:6]), int(cpr[6])
    if seventh <= 3:
        century = 1900
    elif seventh in {4, 9}:
        century = 2000 if year <= 36 else 1900
    else:
        century = 2000 if year <= 57 else 1800
    try:
        # Test numbers have 60 added to the day.
        return date(century + year, month, day - 60 if day > 60 else day)
    except ValueError:
        return None


def birthday(birth: date, age: int) -> datetime:
    """The first moment, as Danish clocks have it, of the day that age is reached."""
    year = birth.year + age
    try:
        day = birth.replace(year=year)
    except ValueError:
        day = date(year, 3, 1)
    return datetime.combine(day, time(), ZONE)


def age_at(birth: date, at: datetime) -> int:
    """Whole years."""
    day = at.astimezone(ZONE).date()
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def may_give(givers: Givers, birth: date | None, at: datetime, *, minors: bool) -> str:
    """Why this consent does not count; empty if it does. ``minors``: the agreement allows them."""
    age = None if birth is None else age_at(birth, at)
    if age is None or age >= OF_AGE:
        return _of_adult(givers)
    if not minors:
        return "The agreement here has no KI-plans for citizens under 18"
    if not givers.guardian or givers.ground != PARENTS:
        return "Under 18 the parents consent too: name them, with the ground parental-custody"
    if age >= OWN_CONSENT and not givers.citizen:
        return "From 15 the young person consents in person, beside the parents"
    return ""


def _of_adult(givers: Givers) -> str:
    if not givers.guardian:
        return ""
    if givers.ground == PARENTS:
        return "Parents do not consent for a citizen of age"
    if givers.ground not in GUARDIANS:
        return (
            "Another than the citizen decides only as guardian in personal matters (værgemålsloven "
            "§ 5) or by a fremtidsfuldmagt in force; §§ 6 and 7 give no say"
        )
    return ""

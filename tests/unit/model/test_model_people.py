"""Whose word counts: a citizen of age, a young one with the parents, a guardian with a ground.

Sources: værgemålsloven §§ 5-7, the young in a region's guideline (ki-plan scenario 21), CPR's form.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from hub.contract import Identifier
from hub.fhir import names
from hub.model.people import Givers, age_at, birthday, born, may_give

CITIZEN = Givers(True, False, None)
NOW = datetime(2026, 9, 20, 10, 0, tzinfo=UTC)


def parents(*, citizen: bool) -> Givers:
    return Givers(citizen, True, "parental-custody")


@pytest.mark.parametrize(
    ("day", "rest", "wanted"),
    [
        ("020160", "9996", date(1960, 1, 2)),
        ("150772", "9995", date(1972, 7, 15)),
        ("010110", "4000", date(2010, 1, 1)),
        ("010110", "9000", date(2010, 1, 1)),
        ("010140", "5000", date(2040, 1, 1)),
        ("010160", "5000", date(1860, 1, 1)),
        ("610110", "4000", date(2010, 1, 1)),
        ("310210", "4000", None),
        ("010110", "40AB", None),
    ],
)
def test_a_number_tells_the_day_of_birth(day: str, rest: str, wanted: date | None) -> None:
    assert born([Identifier(names.CPR, day + rest)]) == wanted


def test_a_replacement_number_tells_no_age() -> None:
    assert born([Identifier(names.X_ECPR, "010110" + "4000")]) is None


def test_a_year_is_over_when_the_danish_day_begins() -> None:
    birth = date(2008, 9, 21)
    end = birthday(birth, 18)
    assert end == datetime(2026, 9, 20, 22, 0, tzinfo=UTC)
    assert age_at(birth, end) == 18
    assert age_at(birth, datetime(2026, 9, 20, 21, 59, tzinfo=UTC)) == 17
    assert birthday(date(2008, 2, 29), 18).date() == date(2026, 3, 1)


@pytest.mark.parametrize(
    ("givers", "counts"),
    [
        (CITIZEN, True),
        (Givers(False, True, "guardianship-personal"), True),
        (Givers(False, True, "future-power"), True),
        (Givers(False, True, None), False),
        (Givers(False, True, "guardianship-6"), False),
        (parents(citizen=True), False),
    ],
)
@pytest.mark.parametrize("birth", [date(1960, 1, 2), None])
def test_for_a_citizen_of_age_a_guardian_needs_a_ground(
    givers: Givers, counts: bool, birth: date | None
) -> None:
    assert (may_give(givers, birth, NOW, minors=True) == "") == counts


@pytest.mark.parametrize(
    ("birth", "givers", "counts"),
    [
        (date(2010, 5, 1), parents(citizen=True), True),
        (date(2010, 5, 1), parents(citizen=False), False),
        (date(2010, 5, 1), CITIZEN, False),
        (date(2014, 5, 1), parents(citizen=False), True),
        (date(2014, 5, 1), CITIZEN, False),
        (date(2010, 5, 1), Givers(True, True, "future-power"), False),
    ],
)
def test_the_young_consent_with_their_parents_where_the_agreement_has_plans_for_them(
    birth: date, givers: Givers, counts: bool
) -> None:
    assert (may_give(givers, birth, NOW, minors=True) == "") == counts
    assert may_give(givers, birth, NOW, minors=False) != ""

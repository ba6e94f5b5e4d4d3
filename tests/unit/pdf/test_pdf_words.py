"""Danish words for codes, dates, numbers."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.pdf import words
from hub.errors import CannotRender
from hub.fhir import names


@pytest.mark.parametrize(
    ("ranks", "expected"),
    [((), ""), ((1,), "1."), ((2, 3), "2. og 3."), ((1, 2, 3), "1., 2. og 3.")],
)
def test_goal_numbers(ranks, expected):
    assert words.numbers(ranks) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-09-08", "8. september 2026"),
        ("2026-09-08T10:00:00+02:00", "8. september 2026"),
        ("2026-12", "december 2026"),
        ("2026", "2026"),
        (None, ""),
    ],
)
def test_days(value, expected):
    assert words.day(value) == expected


@given(st.dates())
def test_every_date_can_be_read_back(value: date):
    day, month, year = words.day(value.isoformat()).replace(".", "").split()
    assert date(int(year), words.MONTHS.index(month) + 1, int(day)) == value


def test_the_clock_is_danish():
    assert words.clock("2026-10-06T11:00:00Z") == "13.00"
    assert words.clock("2026-12-06T12:00:00Z") == "13.00"
    assert words.clock("2026-12-06") == ""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "mangler"),
        ("", "mangler"),
        ("telefon?", "telefon? (mangler)"),
        ("+4500000921", "00 00 09 21"),
        ("0000 0921 lok. 4", "0000 0921 lok. 4"),
        ("+4670000000", "+4670000000"),
    ],
)
def test_telephones(value, expected):
    assert words.telephone(value) == expected


@given(st.text("0123456789 +-()", min_size=1))
def test_a_telephone_keeps_its_digits(value):
    printed = words.telephone(value)
    digits = [c for c in value.strip().removeprefix("+45") if c.isdigit()]
    assert [c for c in printed.removeprefix("+45") if c.isdigit()] == digits or not digits


def test_cpr():
    assert words.cpr("0201609996") == "020160-9996"
    assert words.cpr("0201601AB1") == "020160-1AB1"


def test_every_section_has_a_word():
    assert set(words.SECTIONS) == set(names.SECTIONS)


def test_an_unknown_code_is_refused_without_being_quoted():
    with pytest.raises(CannotRender) as refused:
        words.word(words.ROLES, "wizard", at="CareTeam/1")
    assert "wizard" not in str(refused.value)

"""hub.fhir.dates: a date is a range, and the prefixes are R4's table."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.fhir.dates import PREFIXES, Range, compares, element_range, prefixed, range_of

MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))
RANGES = st.tuples(MOMENTS, MOMENTS).map(lambda m: Range(min(m), max(m)))


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("2026", "2025-12-31T23:00:00Z", "2026-12-31T23:00:00Z"),
        ("2026-02", "2026-01-31T23:00:00Z", "2026-02-28T23:00:00Z"),
        ("2026-07-01", "2026-06-30T22:00:00Z", "2026-07-01T22:00:00Z"),
        ("2026-10-25", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
        ("2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
        ("2026-07-01T10:30", "2026-07-01T08:30:00Z", "2026-07-01T08:31:00Z"),
        ("2026-07-01T10:30:15Z", "2026-07-01T10:30:15Z", "2026-07-01T10:30:16Z"),
        ("2026-07-01T10:30:15.2-05:00", "2026-07-01T15:30:15.2Z", "2026-07-01T15:30:15.3Z"),
    ],
)
def test_what_a_date_stands_for(text: str, low: str, high: str) -> None:
    assert range_of(text) == Range(datetime.fromisoformat(low), datetime.fromisoformat(high))


@pytest.mark.parametrize(
    "text",
    ["", "x", "26", "2026-1", "2026-13", "2026-02-29", "2026-07-01T10", "2026-07-01T24:00:00Z",
     "2026-07-01T10:30:60Z", "2026-07-01 10:30", "20260701", "0000", "2026-07-01T10:30:15+25:00",
     "٢٠٢٦"],
)  # fmt: skip
def test_what_is_no_date(text: str) -> None:
    assert range_of(text) is None


def test_ever_and_never() -> None:
    assert element_range({"start": "2026-01-01", "end": "9999-12-31"}) is not None
    open_ended = element_range({"start": "2026-01-01"})
    assert open_ended is not None
    assert open_ended.high == datetime.max.replace(tzinfo=UTC)
    assert element_range({"end": "x"}) is None
    assert element_range(None) is None
    assert range_of("0001-01-01") is not None


@given(asked=RANGES, found=RANGES)
def test_the_prefixes_agree_with_each_other(asked: Range, found: Range) -> None:
    holds = {p: compares(p, asked, found) for p in PREFIXES}
    assert holds["eq"] != holds["ne"]
    assert holds["ge"] == (holds["gt"] or holds["eq"])
    assert holds["le"] == (holds["lt"] or holds["eq"])
    assert not (holds["sa"] and holds["eb"]) or asked.low == asked.high
    if holds["sa"] and found.low < found.high:
        assert holds["gt"]
    if holds["eb"] and found.low < found.high:
        assert holds["lt"]


def test_a_prefix_is_two_letters() -> None:
    assert prefixed("ge2026") == ("ge", "2026")
    assert prefixed("2026") == ("eq", "2026")

"""Of guessed credentials so many are written down in a minute, and the rest is counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hub.model.refusals import MINUTE, MOST, Refusals

NOW = datetime(2026, 9, 20, 10, tzinfo=UTC)


def test_so_many_a_minute_are_written_and_the_rest_is_told_with_the_next() -> None:
    found = Refusals()
    assert [found.admit(NOW) for _ in range(MOST)] == [0] * MOST
    assert [found.admit(NOW + timedelta(seconds=n)) for n in range(5)] == [None] * 5
    assert found.admit(NOW + MINUTE) == 5
    assert found.admit(NOW + MINUTE) == 0

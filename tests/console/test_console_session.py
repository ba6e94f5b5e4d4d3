"""Sessions end when they must, and a form's token belongs to one visitor and one session."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.console.session import IDLE, LIFETIME, Sessions
from hub.console.visit import own_path

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


class Watch:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def test_a_session_is_found_in_its_own_area_only() -> None:
    sessions = Sessions(Watch())
    made = sessions.open("operator", "Drift")
    found = sessions.find("operator", made)
    assert found is not None
    assert found.name == "Drift"
    assert sessions.find("party", made) is None
    assert sessions.find("operator", made + "x") is None
    assert sessions.find("operator", None) is None


def test_the_id_itself_is_not_kept() -> None:
    sessions = Sessions(Watch())
    made = sessions.open("operator", "Drift")
    assert made not in repr(vars(sessions))


def test_an_idle_session_ends() -> None:
    watch = Watch()
    sessions = Sessions(watch)
    made = sessions.open("operator", "Drift")
    watch.now += IDLE - timedelta(seconds=1)
    assert sessions.find("operator", made) is not None
    watch.now += IDLE
    assert sessions.find("operator", made) is None


def test_a_session_in_use_ends_after_a_working_day() -> None:
    watch = Watch()
    sessions = Sessions(watch)
    made = sessions.open("operator", "Drift")
    while watch.now - NOON < LIFETIME - IDLE / 2:
        assert sessions.find("operator", made) is not None
        watch.now += IDLE / 2
    watch.now = NOON + LIFETIME
    assert sessions.find("operator", made) is None


def test_logging_out_ends_it() -> None:
    sessions = Sessions(Watch())
    made = sessions.open("party", "psyk")
    sessions.close(made)
    sessions.close(made)
    sessions.close(None)
    assert sessions.find("party", made) is None


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_a_token_holds_for_its_visitor_and_session_alone(one: str, two: str, other: str) -> None:
    sessions = Sessions(Watch())
    token = sessions.form_token(one, two)
    assert sessions.form_token_holds(token, one, two)
    assert sessions.form_token_holds(token, other, two) == (other == one)
    assert sessions.form_token_holds(token, one, other) == (other == two)
    assert not sessions.form_token_holds(other, one, two)
    assert not Sessions(Watch()).form_token_holds(token, one, two)


@pytest.mark.parametrize(
    "path",
    ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "", "console",
     "javascript:alert(1)", "/a\r\nSet-Cookie: x=y"],
)  # fmt: skip
def test_one_never_leaves_the_site(path: str) -> None:
    assert own_path(path, "/") == "/"


def test_a_path_of_the_site_is_kept() -> None:
    assert own_path("/console/deliveries?state=dead", "/") == "/console/deliveries?state=dead"

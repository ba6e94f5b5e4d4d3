"""Parties, consents and times that the tests of the model share. All fictitious."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

from hypothesis import strategies as st

from hub.contract import Party
from hub.fhir import names
from hub.model.consent import ALL_SECTIONS, Consent, Purpose, Rule
from tests.views import parties

NOW = datetime(2026, 9, 20, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)
PARTIES = parties()
RUS, PSYK, SOCIAL = "rus-havneby", "psyk-nordstrand", "social-havneby"
KOORD_OWN, KOORD_OTHER, GP = "koord-havneby", "koord-nordstrand", "laege-havnegade"
UNITS = (RUS, PSYK, SOCIAL, KOORD_OWN, KOORD_OTHER, GP)
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)


def party(party_id: str) -> Party:
    return PARTIES[party_id]


def permit(unit: str, section: str = ALL_SECTIONS) -> Rule:
    return Rule(True, unit, section)


def deny(unit: str, section: str = ALL_SECTIONS) -> Rule:
    return Rule(False, unit, section)


def consent(
    *rules: Rule,
    purposes: tuple[str, ...] = ("make-plan", "exchange", "copy-to-gp"),
    since: datetime = NOW - DAY,
    until: datetime = NOW + 30 * DAY,
    active: bool = True,
    name: str = "c-1",
) -> Consent:
    return Consent(name, frozenset(purposes), rules, since, until, active)


UNIT = st.sampled_from(UNITS[:3])
SECTION = st.sampled_from((ALL_SECTIONS, *names.SECTIONS[:3]))
RULES = st.builds(Rule, st.booleans(), UNIT, SECTION)
HOURS = st.integers(-48, 48)


@st.composite
def consents(draw: st.DrawFn) -> Consent:
    """A consent with rules for three units, in force some time within two days of NOW."""
    start = draw(HOURS)
    return Consent(
        id=draw(st.sampled_from(("a", "b", "c"))),
        purposes=frozenset(draw(st.sets(st.sampled_from(PURPOSES), min_size=1))),
        rules=tuple(draw(st.lists(RULES, max_size=5))),
        since=NOW + timedelta(hours=start),
        until=NOW + timedelta(hours=draw(st.integers(start, 72))),
        active=draw(st.booleans()),
    )


LABELS = st.lists(st.sampled_from(names.SECTIONS[:3]), max_size=3, unique=True).map(tuple)
"""Section labels of an item; mostly few, sometimes none."""
MOMENTS = HOURS.map(lambda h: NOW + timedelta(hours=h))

"""May this unit have this item now: deny by default, deny overrides, nothing by time alone."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_facts import (
    DAY,
    LABELS,
    MOMENTS,
    NOW,
    PSYK,
    PURPOSES,
    RULES,
    RUS,
    SOCIAL,
    UNIT,
    UNITS,
    consent,
    consents,
    deny,
    party,
    permit,
)

from hub.fhir import names
from hub.model.consent import (
    ALL_SECTIONS,
    LONGEST,
    Consent,
    Purpose,
    Rule,
    by_consent,
)
from hub.model.lawful import grants, may_take_part
from hub.model.plan import Member
from hub.model.routing import purpose_for
from hub.services.route import access_rows

ALL = tuple(names.SECTIONS)


def test_without_any_consent_the_answer_is_no() -> None:
    assert not by_consent((), RUS, "exchange", NOW).permit


def test_a_permit_names_the_consent_it_stands_on() -> None:
    verdict = by_consent((consent(permit(RUS)),), RUS, "exchange", NOW)
    assert (verdict.permit, verdict.basis) == (True, "consent/c-1")


def test_a_permit_is_for_the_unit_and_the_purpose_it_names() -> None:
    given_one = (consent(permit(RUS), purposes=("exchange",)),)
    assert not by_consent(given_one, PSYK, "exchange", NOW).permit
    assert not by_consent(given_one, RUS, "copy-to-gp", NOW).permit


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_deny_overrides_whatever_the_order_and_whichever_consent(order: tuple[int, int]) -> None:
    both = (consent(permit(RUS), name="yes"), consent(deny(RUS), name="no"))
    assert not by_consent([both[i] for i in order], RUS, "exchange", NOW).permit
    rules = (permit(RUS), deny(RUS))
    one = consent(*(rules[i] for i in order))
    assert not by_consent((one,), RUS, "exchange", NOW).permit


def test_a_deny_for_one_section_leaves_the_others() -> None:
    given_one = (consent(permit(RUS), deny(RUS, "crime")),)
    assert by_consent(given_one, RUS, "exchange", NOW, ("social",)).permit
    assert not by_consent(given_one, RUS, "exchange", NOW, ("crime",)).permit
    assert not by_consent(given_one, RUS, "exchange", NOW, ("social", "crime")).permit


def test_an_unlabelled_item_may_be_about_anything() -> None:
    some = (consent(*(permit(RUS, s) for s in ALL[:-1])),)
    every = (consent(*(permit(RUS, s) for s in ALL)),)
    assert not by_consent(some, RUS, "exchange", NOW).permit
    assert by_consent(every, RUS, "exchange", NOW).permit
    assert not by_consent((consent(permit(RUS), deny(RUS, ALL[0])),), RUS, "exchange", NOW).permit


def test_an_item_of_several_sections_needs_them_all() -> None:
    given_one = (consent(permit(RUS, "social"), permit(RUS, "health")),)
    assert by_consent(given_one, RUS, "exchange", NOW, ("social", "health")).permit
    assert not by_consent(given_one, RUS, "exchange", NOW, ("social", "crime")).permit


def test_taking_part_takes_one_section() -> None:
    given_one = (consent(permit(RUS, "social")),)
    assert may_take_part(given_one, party(RUS), "exchange", NOW).permit
    assert not may_take_part(given_one, party(PSYK), "exchange", NOW).permit


def test_the_period_holds_from_its_first_moment_and_not_at_its_last() -> None:
    given_one = consent(permit(RUS), since=NOW, until=NOW + DAY)
    smallest = timedelta(microseconds=1)
    answers = [
        by_consent((given_one,), RUS, "exchange", at).permit
        for at in (NOW - smallest, NOW, NOW + DAY - smallest, NOW + DAY)
    ]
    assert answers == [False, True, True, False]


def test_a_withdrawn_consent_permits_nothing_and_denies_nothing() -> None:
    gone = consent(permit(RUS), active=False)
    assert not by_consent((gone,), RUS, "exchange", NOW).permit
    assert by_consent(
        (consent(deny(RUS), active=False), consent(permit(RUS))), RUS, "exchange", NOW
    ).permit


def test_no_consent_outlives_the_year_of_section_44() -> None:
    assert timedelta(days=365) == LONGEST


@given(st.lists(consents(), max_size=4), UNIT, st.sampled_from(PURPOSES), MOMENTS, LABELS)
def test_no_unit_is_permitted_that_no_permit_rule_names(
    known: list[Consent],
    unit: str,
    purpose: Purpose,
    at: datetime,
    labels: tuple[str, ...],
) -> None:
    verdict = by_consent(known, unit, purpose, at, labels)
    if not verdict.permit:
        return
    naming = [
        c
        for c in known
        if c.holds(at)
        and purpose in c.purposes
        and any(r.permit and r.unit == unit for r in c.rules)
    ]
    assert verdict.basis in {f"consent/{c.id}" for c in naming}


@given(
    st.lists(consents(), min_size=1, max_size=4),
    st.integers(0, 3),
    RULES,
    UNIT,
    st.sampled_from(PURPOSES),
    MOMENTS,
    LABELS,
)
def test_one_more_deny_never_makes_a_no_a_yes(
    known: list[Consent],
    which: int,
    rule: Rule,
    unit: str,
    purpose: Purpose,
    at: datetime,
    labels: tuple[str, ...],
) -> None:
    at_place = which % len(known)
    old = known[at_place]
    more = Consent(
        old.id,
        old.purposes,
        (*old.rules, Rule(False, rule.unit, rule.section)),
        old.since,
        old.until,
        old.active,
    )
    denied = [*known[:at_place], more, *known[at_place + 1 :]]
    before = by_consent(known, unit, purpose, at, labels).permit
    after = by_consent(denied, unit, purpose, at, labels).permit
    assert before or not after


@given(st.lists(consents(), max_size=4), UNIT, st.sampled_from(PURPOSES), MOMENTS)
def test_grants_say_what_decide_says_at_every_moment(
    known: list[Consent], unit: str, purpose: Purpose, at: datetime
) -> None:
    found = [g for g in grants(known, party(unit), purpose) if g.since <= at < g.until]
    covered = {g.section for g in found}
    whole = by_consent(known, unit, purpose, at).permit
    assert (ALL_SECTIONS in covered) == whole
    if not whole:
        assert covered == {s for s in ALL if by_consent(known, unit, purpose, at, (s,)).permit}


@given(st.lists(consents(), max_size=4), st.sampled_from(("lead", "gp", "coordinator")), MOMENTS)
def test_access_rows_agree_with_taking_part(known: list[Consent], role: str, at: datetime) -> None:
    members = [Member(party(p), frozenset({role})) for p in UNITS[:3]]
    rows = access_rows(members, known)
    for member in members:
        purpose = purpose_for(member.roles)
        has_row = any(
            r["party"] == member.party.id and _at(r, "since") <= at < _at(r, "until") for r in rows
        )
        assert has_row == may_take_part(known, member.party, purpose, at).permit
    keys = [(r["party"], r["section"], r["purpose"], r["since"]) for r in rows]
    assert len(set(keys)) == len(keys)


def _at(row: dict[str, object], name: str) -> datetime:
    found = row[name]
    assert isinstance(found, datetime)
    return found


def test_a_consent_that_begins_later_takes_nothing_away_now() -> None:
    now_on = consent(permit(RUS), name="now")
    later = consent(permit(RUS), since=NOW + 60 * DAY, until=NOW + 90 * DAY, name="later")
    rows = access_rows([Member(party(RUS), frozenset({"lead"}))], (now_on, later))
    assert [(r["since"], r["basis"]) for r in rows] == [
        (now_on.since, "consent/now"),
        (later.since, "consent/later"),
    ]


def test_a_consent_that_follows_another_leaves_no_gap() -> None:
    first = consent(permit(RUS), until=NOW, name="first")
    second = consent(permit(RUS), since=NOW, name="second")
    found = grants((first, second), party(RUS), "exchange")
    assert [(g.since, g.until, g.basis) for g in found] == [
        (first.since, NOW, "consent/first"),
        (NOW, second.until, "consent/second"),
    ]


def test_a_lapsed_deny_is_no_deny_in_the_access_rows() -> None:
    lapsed = consent(deny(SOCIAL), since=NOW - 9 * DAY, until=NOW - 8 * DAY)
    rows = access_rows(
        [Member(party(SOCIAL), frozenset({"professional"}))], (lapsed, consent(permit(SOCIAL)))
    )
    assert [r["party"] for r in rows] == [SOCIAL]

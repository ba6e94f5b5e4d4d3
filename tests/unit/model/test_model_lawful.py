"""One question, one answer: a statute carries its own document only, and gets round no refusal."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_facts import (
    DAY,
    GP,
    KOORD_OTHER,
    MOMENTS,
    NOW,
    PSYK,
    PURPOSES,
    RUS,
    SOCIAL,
    UNITS,
    consent,
    consents,
    deny,
    party,
    permit,
)

from hub.errors import Invalid
from hub.law import FILE, Statutes, statutes
from hub.law.reading import read_statutes
from hub.model.consent import Consent
from hub.model.lawful import (
    Document,
    Shared,
    decide,
    document_grants,
    grants,
)

LAW = statutes()
KINDS = ("shared", "koordinationsplan", "handleplan-141", "behandlingsplan", "udskrivningsaftale")
PLAN = Document("koordinationsplan", party(PSYK), frozenset({PSYK, SOCIAL, RUS}))
ACTION_PLAN = Document("handleplan-141", party(SOCIAL), frozenset({RUS, PSYK}))


def without(id: str) -> Statutes:
    return Statutes(tuple(s for s in LAW if s.id != id))


def ending(id: str, last: date) -> Statutes:
    return Statutes(tuple(replace(s, valid_until=last) if s.id == id else s for s in LAW))


@pytest.mark.parametrize("unit", UNITS)
def test_psychiatry_alone_has_a_coordination_plan_kept(unit: str) -> None:
    verdict = decide(party(unit), Document("koordinationsplan", party(unit)), "keeping", NOW)
    assert verdict.permit == (unit == PSYK)
    assert verdict.basis == ("psykiatriloven-13b" if verdict.permit else "")


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("purpose", ["delivery", "look-up"])
def test_a_coordination_plan_goes_to_its_own_parties_on_its_own_statute(
    unit: str, purpose: str
) -> None:
    verdict = decide(party(unit), PLAN, purpose, NOW)  # type: ignore[arg-type]
    assert verdict.permit == (unit in PLAN.parties)
    assert verdict.rule == "psykiatriloven-13c"


def test_a_consent_to_everything_opens_no_coordination_plan() -> None:
    all_of_it = (consent(*(permit(u) for u in UNITS)),)
    opened = replace(PLAN, consents=all_of_it)
    assert not decide(party(GP), opened, "look-up", NOW).permit
    for purpose in PURPOSES:
        assert not decide(party(SOCIAL), opened, purpose, NOW).permit


def test_a_statute_opens_nothing_of_the_shared_plan() -> None:
    refused = (consent(deny(SOCIAL)), consent(permit(SOCIAL), name="c-2"))
    for purpose in (*PURPOSES, "delivery", "look-up", "keeping"):
        assert not decide(party(SOCIAL), Shared(refused), purpose, NOW).permit  # type: ignore[arg-type]
        assert not decide(party(SOCIAL), Shared(()), purpose, NOW).permit  # type: ignore[arg-type]


def test_the_action_plan_goes_to_the_tilbud_that_it_names_unless_the_citizen_said_no() -> None:
    assert decide(party(RUS), ACTION_PLAN, "delivery", NOW).basis == "serviceloven-141"
    assert not decide(party(PSYK), ACTION_PLAN, "delivery", NOW).permit
    for said in (deny(RUS), deny(RUS, "crime"), deny("*")):
        told = replace(ACTION_PLAN, consents=(consent(said, purposes=("relatives",)),))
        verdict = decide(party(RUS), told, "delivery", NOW)
        assert (verdict.permit, verdict.rule) == (False, "serviceloven-141")
    taken_back = replace(ACTION_PLAN, consents=(consent(deny(RUS), active=False),))
    assert decide(party(RUS), taken_back, "delivery", NOW).permit


def test_a_basis_for_look_up_is_none_for_delivery() -> None:
    (look_up,) = (replace(s, carries=frozenset({"behandlingsplan"}), to_kinds=frozenset())
                  for s in LAW if s.id == "sundhedsloven-42a")  # fmt: skip
    law = Statutes((*without(look_up.id), look_up))
    item = Document("behandlingsplan", party(PSYK), frozenset({GP}))
    assert decide(party(GP), item, "look-up", NOW, law).basis == "sundhedsloven-42a"
    assert not decide(party(GP), item, "delivery", NOW, law).permit


def test_what_is_not_in_force_carries_nothing_from_that_danish_midnight() -> None:
    law = ending("psykiatriloven-13c", date(2026, 6, 30))
    last = datetime(2026, 6, 30, 21, 59, 59, tzinfo=UTC)
    assert decide(party(SOCIAL), PLAN, "delivery", last, law).permit
    assert not decide(party(SOCIAL), PLAN, "delivery", last + timedelta(seconds=1), law).permit


def test_a_consent_needs_a_statute_that_lets_it_carry_the_plan() -> None:
    said = Shared((consent(permit(RUS)),))
    assert decide(party(RUS), said, "exchange", NOW).permit
    assert not decide(party(RUS), said, "exchange", NOW, Statutes(())).permit


@given(st.sampled_from(KINDS), st.sampled_from(UNITS), st.sampled_from(UNITS),
       st.sampled_from(("keeping", "delivery", "look-up", *PURPOSES)))  # fmt: skip
def test_a_statute_carries_only_what_it_says(
    kind: str, viewer: str, owner: str, doing: str
) -> None:
    item = Document(kind, party(owner), frozenset(UNITS))
    verdict = decide(party(viewer), item, doing, NOW)  # type: ignore[arg-type]
    if verdict.permit:
        statute = LAW.get(verdict.basis)
        assert statute is not None
        assert kind in statute.carries
        assert kind != "shared"


@given(st.lists(consents(), max_size=3), st.sampled_from(UNITS), MOMENTS,
       st.sampled_from((PLAN, ACTION_PLAN)), st.integers(-2, 2))  # fmt: skip
def test_document_grants_say_what_decide_says_at_every_moment(
    said: list[Consent], unit: str, at: datetime, item: Document, days: int
) -> None:
    """Denies, statutes that end, and units of every kind."""
    law = ending("serviceloven-141", (NOW + days * DAY).date())
    item = replace(item, consents=tuple(said))
    found = document_grants(item, party(unit), law)
    covered = any(g.since <= at < g.until for g in found)
    assert covered == decide(party(unit), item, "look-up", at, law).permit


@given(st.lists(consents(), max_size=3), st.sampled_from(UNITS[:3]), MOMENTS, st.integers(-2, 2))
def test_grants_follow_the_statute_behind_the_consent(
    said: list[Consent], unit: str, at: datetime, days: int
) -> None:
    last = (NOW + days * DAY).date()
    law = Statutes(tuple(replace(s, valid_until=last) for s in LAW))
    found = grants(said, party(unit), "exchange", law)
    whole = any(g.section == "*" and g.since <= at < g.until for g in found)
    assert whole == decide(party(unit), Shared(tuple(said)), "exchange", at, law).permit


# The file


def test_the_project_s_own_file_says_what_the_hub_builds_on() -> None:
    assert {"sundhedsloven-43", "retssikkerhedsloven-11a", "retssikkerhedsloven-11c",
            "psykiatriloven-13a", "psykiatriloven-13b", "psykiatriloven-13c", "sundhedsloven-41",
            "sundhedsloven-42a", "serviceloven-141"} == {s.id for s in LAW}  # fmt: skip
    assert all(s.to_be_confirmed for s in LAW)
    assert LAW.consent_days == 365


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("use: look-up", "use: browse", "use: one of"),
        ("carries: [koordinationsplan]", "carries: [shared]", "citizen's consent only"),
        ("valid_from: 2007-01-01", "valid_from: soon", "valid_from"),
        ("id: sundhedsloven-42a", "id: sundhedsloven-41", "used twice"),
        ("    to_be_confirmed: true\n", "", "to_be_confirmed: is missing"),
        ("consent_days: 365", "consent_days: 900", "consent_days"),
        ("consent_days: 365", "lapses: 365", "lapses: not a key"),
        ("to: parties-of-the-document", "to: nobody", "own parties"),
        ("use: keeping", "use: keeping\n    valid_until: 1999-01-01", "valid_until"),
    ],
)
def test_a_slip_in_the_file_is_told(before: str, after: str, told: str) -> None:
    text = FILE.read_text("utf-8")
    assert before in text
    with pytest.raises(Invalid, match=told):
        read_statutes(text.replace(before, after))


def test_units_without_a_statute_for_their_kind_are_not_reached() -> None:
    assert not decide(party(KOORD_OTHER), ACTION_PLAN, "look-up", NOW).permit


def test_a_grant_ends_with_the_statute_behind_the_consent() -> None:
    last = date(2026, 9, 22)
    law = Statutes(tuple(replace(s, valid_until=last) for s in LAW))
    (grant,) = grants((consent(permit(RUS)),), party(RUS), "exchange", law)
    assert grant.until == datetime(2026, 9, 22, 22, tzinfo=UTC)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("owner", UNITS)
def test_what_is_sent_on_a_statute_unit_by_unit(kind: str, owner: str) -> None:
    """Every kind of document of every unit, to every unit, named in it or not, with a no or not."""
    carrying = [s for s in LAW if s.use == "delivery" and kind in s.carries]
    for viewer, named, refused in product(UNITS, (True, False), (True, False)):
        said = (consent(deny(viewer)),) if refused else ()
        item = Document(kind, party(owner), frozenset({viewer} if named else ()), said)
        expected = {
            s.id
            for s in carrying
            if named
            and party(owner).kind in s.from_kinds
            and (not s.to_kinds or party(viewer).kind in s.to_kinds)
            and not (refused and s.objection_beats_it)
        }
        verdict = decide(party(viewer), item, "delivery", NOW)
        assert {verdict.basis} - {""} == expected
        assert verdict.permit == bool(expected)

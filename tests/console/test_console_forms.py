"""The forms: what is written is what is recorded, and blank is never a yes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.console.approval_form import read_approval_form
from hub.console.consent_form import PURPOSES, read_consent_form
from hub.console.fields import Fields
from hub.fhir.names import SECTIONS
from hub.model.approval import read_approval
from hub.model.consent import read_consent
from tests.console.seed import KARLA, example
from tests.views import errors_in, find_party, parties

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
UNITS = list(parties().values())
IDS = [u.id for u in UNITS]
PLAN = "0b5a7c3e-1111-4222-8333-444455556666"

Values = Mapping[str, str | list[str]]


def form(values: Values) -> Fields:
    return Fields({k: tuple([v] if isinstance(v, str) else v) for k, v in values.items()})


CONSENT: dict[str, str | list[str]] = {
    "answer": "yes",
    "cpr": f"{KARLA[:6]}-{KARLA[6:]}",
    "purpose": ["make-plan", "exchange", "copy-to-gp"],
    "unit": IDS,
    "giver": "citizen",
    "mode": "written",
    "date": "2026-09-01",
    "time": "10:00",
    "evidence": "Underskrevet samtykkeerklæring, lagt på sagen i Rusmiddelcentret",
    "person": "Kontaktperson",
}
APPROVAL: dict[str, str | list[str]] = {
    "cpr": KARLA,
    "plan": "PLAN",
    "version": "1",
    "decision": "yes",
    "giver": "citizen",
    "mode": "written",
    "date": "2026-09-17",
    "time": "14:00",
}


def consent(values: Values) -> tuple[Any, dict[str, str]]:
    made, faults = read_consent_form(form(values), UNITS, NOW)
    return made, {f.field: f.word for f in faults}


def approval(values: Values) -> tuple[Any, dict[str, str]]:
    made, faults = read_approval_form(form(values), {"gp", *IDS}, NOW)
    return made, {f.field: f.word for f in faults}


def test_the_consent_is_the_published_example() -> None:
    made, faults = consent(CONSENT)
    wanted = example("consent-1.json")
    wanted["extension"][1]["valueString"] += " (registreret af Kontaktperson)"
    assert faults == {}
    assert made == wanted


def test_the_approval_is_the_published_example() -> None:
    made, faults = approval(APPROVAL)
    assert faults == {}
    assert made == example("approval-1.json")


def test_a_condition_is_as_in_the_published_example() -> None:
    made, _ = approval(
        APPROVAL | {"mode": "oral", "holds-1": "gp",
                    "condition-1": "vil se den skrevne plan, før den sendes til egen læge"}
    )  # fmt: skip
    assert made["extension"] == example("approval-2.json")["extension"]


@settings(deadline=None)  # the first check loads the definitions of R4
@given(
    st.sets(st.sampled_from(IDS), min_size=1),
    st.sets(st.sampled_from(PURPOSES), min_size=1),
    st.sets(st.sampled_from(SECTIONS)),
    st.sampled_from(["written", "oral"]),
    st.sampled_from(["citizen", "guardian"]),
    st.dates(date(2026, 1, 5), date(2026, 11, 1)),
    st.integers(min_value=0, max_value=364),
)
def test_what_is_filled_in_is_what_the_hub_understands(
    units: set[str], purposes: set[str], sections: set[str], mode: str, giver: str, day: date,
    length: int,
) -> None:  # fmt: skip
    limited = min(units)
    made, faults = consent({
        "cpr": KARLA, "purpose": sorted(purposes), "unit": sorted(units), "mode": mode,
        "answer": "yes", "ground": "future-power",
        f"section:{limited}": sorted(sections), "giver": giver, "guardian": "Værge Prøve",
        "mode-reason": "Givet på stuen", "date": day.isoformat(), "evidence": "På sagen",
        "end": (day + timedelta(days=length)).isoformat(), "person": "Sygeplejerske",
    })  # fmt: skip
    assert faults == {}
    assert errors_in(made) == []
    found, warnings = read_consent(made | {"id": "x"}, find_party)
    assert warnings == ()
    assert found.active
    assert found.purposes == purposes
    assert {r.unit for r in found.rules} == units
    assert all(r.permit for r in found.rules)
    kept = {r.section for r in found.rules if r.unit == limited}
    assert kept == (sections or {"*"})
    assert found.until - found.since <= timedelta(days=365)
    assert found.holds(datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=12))
    assert ("display" in made["performer"][0]) == (giver == "guardian")
    assert found.givers.ground == ("future-power" if giver == "guardian" else None)


@settings(deadline=None)
@given(
    st.sampled_from(["yes", "no", "undecided"]),
    st.sampled_from(["written", "oral"]),
    st.lists(st.tuples(st.sampled_from(["gp", *IDS]), st.booleans()), max_size=3),
    st.integers(min_value=1, max_value=999_999_999),
)
def test_a_decision_is_what_the_hub_understands(
    decision: str, mode: str, conditions: list[tuple[str, bool]], version: int
) -> None:
    values = APPROVAL | {
        "decision": decision, "mode": mode, "plan": PLAN, "version": str(version),
    }  # fmt: skip
    for n, (holds, met) in enumerate(conditions, start=1):
        values |= {f"condition-{n}": "vil læse den først", f"holds-{n}": holds}
        if met:
            values |= {f"met-{n}": "2026-10-01", f"met-by-{n}": "Kontaktperson"}
    made, faults = approval(values)
    assert faults == {}
    assert errors_in(made) == []
    found = read_approval(made | {"id": "x"}, digest="d", at=NOW)
    assert (found.plan_id, found.version, found.decision, found.mode) == (
        PLAN, version, decision, mode,
    )  # fmt: skip
    assert [(c.holds_back, c.met) for c in found.conditions] == conditions


def test_a_blank_consent_is_no_consent() -> None:
    made, faults = consent({})
    assert made is None
    assert set(faults) == {
        "answer", "cpr", "purpose", "unit", "giver", "mode", "date", "evidence", "person",
    }  # fmt: skip


@pytest.mark.parametrize("units", [[], IDS[:2]])
def test_a_no_is_a_refusal_to_whom_it_names_or_to_everyone(units: list[str]) -> None:
    made, faults = consent(CONSENT | {"answer": "no", "unit": units})
    assert faults == {}
    assert errors_in(made) == []
    found, _ = read_consent(made | {"id": "x"}, find_party)
    assert {(r.permit, r.unit) for r in found.rules} == {(False, u) for u in units or ["*"]}


def test_a_blank_decision_is_no_yes() -> None:
    made, faults = approval({})
    assert made is None
    assert set(faults) == {"cpr", "plan", "version", "decision", "giver", "mode", "date"}


@pytest.mark.parametrize("left_out", sorted(set(CONSENT) - {"time"}))
def test_each_field_of_the_consent_is_needed(left_out: str) -> None:
    made, faults = consent({k: v for k, v in CONSENT.items() if k != left_out})
    assert made is None
    assert list(faults) == [left_out]


@pytest.mark.parametrize("left_out", sorted(set(APPROVAL) - {"time"}))
def test_each_field_of_the_approval_is_needed(left_out: str) -> None:
    made, faults = approval({k: v for k, v in APPROVAL.items() if k != left_out})
    assert made is None
    assert list(faults) == [left_out]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"cpr": "3201609996"}, ("cpr", "fault.cpr")),
        ({"cpr": "020160999"}, ("cpr", "fault.cpr")),
        ({"cpr": "٠٢٠١٦٠٩٩٩٦"}, ("cpr", "fault.cpr")),
        ({"mode": "oral"}, ("mode-reason", "fault.mode-reason")),
        ({"giver": "guardian", "ground": "future-power"}, ("guardian", "fault.guardian")),
        ({"giver": "guardian", "guardian": "Vera"}, ("ground", "fault.ground")),
        ({"giver": "both", "guardian": "Vera", "ground": "x"}, ("ground", "fault.ground")),
        ({"answer": "maybe"}, ("answer", "fault.answer")),
        ({"date": "2026-11-03", "time": ""}, ("date", "fault.future")),
        ({"date": "2026-11-02", "time": "13:01"}, ("time", "fault.future")),
        ({"time": "klokken ti"}, ("time", "fault.time")),
        ({"date": "1. september"}, ("date", "fault.date")),
        ({"start": "2026-08-31"}, ("start", "fault.start")),
        ({"start": "2026-10-01", "end": "2026-09-30"}, ("end", "fault.end-before")),
        ({"end": "2027-09-01"}, ("end", "fault.end-late")),
        ({"unit": ["nobody-here"]}, ("unit", "fault.unit")),
        ({"purpose": ["everything"]}, ("purpose", "fault.purpose")),
    ],
)
def test_what_is_wrong_is_told_beside_its_field(change: Values, fault: tuple[str, str]) -> None:
    made, faults = consent(CONSENT | dict(change))
    assert made is None
    assert faults == dict([fault])


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"plan": "../x"}, ("plan", "fault.plan")),
        ({"version": "0"}, ("version", "fault.version")),
        ({"version": "²"}, ("version", "fault.version")),
        ({"decision": "maybe"}, ("decision", "fault.decision")),
        ({"holds-2": "gp"}, ("condition-2", "fault.condition")),
        ({"condition-1": "vent", "holds-1": "everyone"}, ("holds-1", "fault.holds")),
        ({"condition-1": "vent", "holds-1": "gp", "met-1": "2026-10-01"},
         ("met-by-1", "fault.met")),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_decision_is_told(change: Values, fault: tuple[str, str]) -> None:
    made, faults = approval(APPROVAL | dict(change))
    assert made is None
    assert faults == dict([fault])


def test_a_short_night_in_october_keeps_its_offset() -> None:
    made, _ = consent(CONSENT | {"date": "2026-10-26", "time": "08:00"})
    assert made["dateTime"] == "2026-10-26T08:00:00+01:00"
    made, _ = consent(CONSENT | {"date": "2026-10-24", "time": "08:00"})
    assert made["dateTime"] == "2026-10-24T08:00:00+02:00"

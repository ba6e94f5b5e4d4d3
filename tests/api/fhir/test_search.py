"""Search: every parameter kind, modifiers, prefixes, chains, includes, order, parts, wishes."""

from __future__ import annotations

import pytest

from hub.fhir import names
from hub.fhir.numbers import names_a_citizen
from hub.fhir.parameters import SERVED
from tests.api.fhir.client import (
    FORM,
    audited,
    bundle,
    found,
    get,
    keys,
    link,
    pages,
    post_search,
    search,
)
from tests.api.world import CPR_1, CPR_2, GP, PSYK, RUS, SOCIAL, World, problem

PLANS = f"category={names.CATEGORY}|ki-plan"
STATUS = "http://hl7.org/fhir/request-status"


def total(world: World, query: str, who: str = RUS) -> int:
    count = search(world, query, who)["total"]
    assert isinstance(count, int)
    return count


# Every parameter


@pytest.mark.parametrize("kind", SERVED)
def test_every_parameter_that_is_declared_is_understood(shared_full: World, kind: str) -> None:
    values = {
        "token": "x|y", "reference": "Patient/x", "date": "2026", "string": "å",
        "uri": "http://x.example",
    }  # fmt: skip
    everything = total(shared_full, kind)
    for parameter in SERVED[kind].parameters.values():
        query = f"{kind}?{parameter.name}={values[parameter.kind]}"
        answer = get(shared_full, query, RUS, Prefer="handling=strict")
        assert 0 <= bundle(answer, "searchset")["total"] <= everything
        missing = total(shared_full, f"{kind}?{parameter.name}:missing=true")
        there = total(shared_full, f"{kind}?{parameter.name}:missing=false")
        assert missing + there == everything, parameter.name
        problem(get(shared_full, f"{kind}?{parameter.name}:missing=x", RUS), 400)
        problem(get(shared_full, f"{kind}?{parameter.name}:above=x", RUS), 400)


# Tokens


def test_tokens(shared_full: World) -> None:
    everything = total(shared_full, "CarePlan")
    plans = total(shared_full, f"CarePlan?{PLANS}")
    assert 0 < plans < everything
    assert total(shared_full, "CarePlan?category=ki-plan") == plans
    assert total(shared_full, f"CarePlan?category={names.CATEGORY}|") == plans
    assert total(shared_full, "CarePlan?category=|ki-plan") == 0
    assert total(shared_full, "CarePlan?category=KI-PLAN") == 0
    assert total(shared_full, "CarePlan?category=nothing,ki-plan") == plans
    assert total(shared_full, "CarePlan?category=nothing&category=ki-plan") == 0
    assert total(shared_full, "CarePlan?category:not=ki-plan") == everything - plans
    assert total(shared_full, f"CarePlan?status={STATUS}|active") == everything
    assert total(shared_full, "CarePlan?status=http://wrong.example|active") == 0
    assert total(shared_full, f"CarePlan?status={STATUS}|") == everything
    assert total(shared_full, "CarePlan?status=,") == 0
    assert total(shared_full, "Patient?active=true") == total(shared_full, "Patient")


def test_identifiers(shared_full: World, plan: str) -> None:
    system = "https://rus-havneby.example/sag"
    for value in (f"{system}|RUS-2026-0001", "RUS-2026-0001", f"{system}|rus-2026-0001"):
        assert keys(search(shared_full, f"CarePlan?identifier={value}", RUS)) == [
            f"CarePlan/{plan}"
        ]
    assert total(shared_full, f"CarePlan?identifier={system}|RUS-2026-000") == 0
    unit = f"{names.SOR}|999000000203"
    assert total(shared_full, f"Organization?identifier={unit}") >= 1
    assert total(shared_full, f"PractitionerRole?organization.identifier={unit}") >= 1
    chained = total(shared_full, f"PractitionerRole?organization:Organization.identifier={unit}")
    assert chained == total(shared_full, f"PractitionerRole?organization.identifier={unit}")


# References


def test_references(shared_full: World, plan: str) -> None:
    resource = found(get(shared_full, f"CarePlan/{plan}", RUS))
    patient = resource["subject"]["reference"].split("/")[1]
    team = resource["careTeam"][0]["reference"]
    everything = total(shared_full, f"CarePlan?subject=Patient/{patient}")
    assert everything == 3
    for value in (
        f"patient={patient}",
        f"patient=Patient/{patient}",
        f"patient={shared_full.hub.base_url}/Patient/{patient}",
        f"subject:Patient={patient}",
        f"patient=Patient/{patient}/_history/1",
    ):
        assert total(shared_full, f"CarePlan?{value}") == everything, value
    for value in (
        f"patient=https://elsewhere.example/Patient/{patient}",
        f"subject:Organization={patient}",
        f"patient=Group/{patient}",
        "patient=none",
        "patient=",
    ):
        expected = total(shared_full, "CarePlan") if value == "patient=" else 0
        assert total(shared_full, f"CarePlan?{value}") == expected, value
    assert keys(search(shared_full, f"CarePlan?care-team={team}", RUS)) == [f"CarePlan/{plan}"]
    parts = search(shared_full, f"CarePlan?part-of={plan}", RUS)
    assert parts["total"] == 2
    assert total(shared_full, f"CareTeam?participant=Patient/{patient}") == 1
    assert total(shared_full, f"Consent?patient={patient}") == 2


def test_reverse_chains(shared_full: World, plan: str) -> None:
    goals = found(get(shared_full, f"CarePlan/{plan}", RUS))["goal"]
    of_plan = search(shared_full, f"Goal?_has:CarePlan:goal:_id={plan}", RUS)
    assert sorted(keys(of_plan)) == sorted(g["reference"] for g in goals)
    assert total(shared_full, "Patient?_has:Goal:patient:lifecycle-status=active") >= 1
    assert total(shared_full, "Patient?_has:Goal:patient:lifecycle-status=rejected") == 0
    for wrong in ("_has:Goal:patient", "_has:X:y:z", "_has:Goal:lifecycle-status:_id",
                  "_has:Goal:patient:_has:CarePlan:goal:_id"):  # fmt: skip
        problem(get(shared_full, f"Patient?{wrong}=1", RUS), 400)


# Dates


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ("date=2026-09-15", False),  # the plan's period has no end
        ("date=ge2026-09-15", True),
        ("date=gt2030", True),
        ("date=le2026-09-16", True),
        ("date=le2026-09-15", False),  # R4: only what begins before it, or lies inside it
        ("date=lt2026-09-15", False),
        ("date=lt2026-09-16", True),
        ("date=sa2026-09-14", True),
        ("date=sa2026-09-15", False),
        ("date=eb2030", False),
        ("date=ne2026-09-15", True),
        ("date=ge2026-09-01&date=le2026-09-30", True),
        ("date=lt2020,gt2025", True),
        ("_lastUpdated=2026-09-20", True),
        ("_lastUpdated=2026-09", True),
        ("_lastUpdated=2026-09-20T10:03:00Z", True),
        ("_lastUpdated=2026-09-20T12:03:00%2B02:00", True),
        ("_lastUpdated=gt2026-09-20T10:03:00Z", False),
        ("_lastUpdated=ge2026-09-20T10:03:00Z", True),
        ("activity-date=ge2026-10-01", True),
        ("activity-date=eb2026-01", False),
    ],
)
def test_dates(shared_full: World, plan: str, query: str, matches: bool) -> None:
    hits = keys(search(shared_full, f"CarePlan?_id={plan}&{query}", RUS))
    assert hits == ([f"CarePlan/{plan}"] if matches else [])


@pytest.mark.parametrize("value", ["x", "2026-13", "ap2026", "zz2026", "2026-02-30", "26", "ge"])
def test_what_is_no_date(shared_full: World, value: str) -> None:
    problem(get(shared_full, f"CarePlan?date={value}", RUS), 400)


# Strings and uris


def test_strings(shared_full: World) -> None:
    assert total(shared_full, "Organization?name=havneby") == total(
        shared_full, "Organization?name=HAVNEBY"
    )
    assert total(shared_full, "Organization?name=havneby") > 0
    assert total(shared_full, "Organization?name=neby") == 0
    assert total(shared_full, "Organization?name:contains=neby") > 0
    assert total(shared_full, "Organization?name:exact=Havneby Rusmiddelcenter") > 0
    assert total(shared_full, "Organization?name:exact=havneby rusmiddelcenter") == 0
    # Accents do not count, and a comma is a comma when it is escaped.
    assert total(shared_full, "Organization?name=Laegerne") == 0
    assert total(shared_full, "Organization?name=Havneby Kommune\\, Socialafdelingen") > 0
    plans = total(shared_full, f"CarePlan?{PLANS}")
    assert total(shared_full, f"CarePlan?_profile={names.KI_PLAN}") == plans


# Includes


def test_includes(shared_full: World, plan: str) -> None:
    one = search(shared_full, f"CarePlan?_id={plan}&_include=CarePlan:subject", RUS)
    assert keys(one, "match") == [f"CarePlan/{plan}"]
    assert [k.split("/")[0] for k in keys(one, "include")] == ["Patient"]
    assert one["total"] == 1
    every = search(shared_full, f"CarePlan?_id={plan}&_include=CarePlan:*", RUS)
    kinds = {k.split("/")[0] for k in keys(every, "include")}
    assert {"Patient", "CareTeam", "Goal", "Condition", "PractitionerRole"} <= kinds
    far = search(
        shared_full,
        f"CarePlan?_id={plan}&_include=CarePlan:care-team&_include:iterate=CareTeam:participant"
        "&_include:iterate=PractitionerRole:organization",
        RUS,
    )
    assert {"CareTeam", "PractitionerRole", "Organization"} <= {
        k.split("/")[0] for k in keys(far, "include")
    }
    only = search(
        shared_full,
        f"CareTeam?_include=CareTeam:participant:RelatedPerson&_has:CarePlan:care-team:_id={plan}",
        RUS,
    )
    assert {k.split("/")[0] for k in keys(only, "include")} == {"RelatedPerson"}
    back = search(shared_full, f"CarePlan?_id={plan}&_revinclude=CarePlan:part-of", RUS)
    parts = search(shared_full, f"CarePlan?part-of={plan}", RUS)
    assert sorted(keys(back, "include")) == sorted(keys(parts))
    for page in (one, every, far, only, back):
        assert len(set(keys(page))) == len(keys(page))


@pytest.mark.parametrize(
    "wrong",
    ["_include=X:y", "_include=CarePlan:status", "_include=CarePlan", "_revinclude=*",
     "_include:sometimes=CarePlan:subject", "_include=CarePlan:subject:Robot", "_sort=title",
     "_sort=x", "_summary=x", "_count=-1", "_count=x", "_total=x", "_elements=%3Cx%3E",
     "_page=x", "_page=WzFd", "_summary=text&_include=CarePlan:subject",
     "subject.status.x=1", "subject:Robot=1", "category:text=x"],
)  # fmt: skip
def test_what_no_search_can_be(shared_full: World, wrong: str) -> None:
    problem(get(shared_full, f"CarePlan?{wrong}", RUS), 400)


# Order, parts, totals


def test_order(shared_full: World) -> None:
    def moments(query: str) -> list[str]:
        entries = search(shared_full, query, PSYK)["entry"]
        return [e["resource"]["meta"]["lastUpdated"] for e in entries]

    newest_first = moments("CarePlan?_sort=-_lastUpdated")
    assert newest_first == sorted(newest_first, reverse=True)
    assert moments("CarePlan?_sort=_lastUpdated") == sorted(newest_first)
    assert moments("CarePlan") == newest_first
    ids = keys(search(shared_full, "Goal?_sort=_id", PSYK))
    assert ids == sorted(ids)
    assert keys(search(shared_full, "Goal?_sort=-_id", PSYK)) == ids[::-1]
    dated = search(shared_full, "CarePlan?_sort=date", PSYK)["entry"]
    starts = [e["resource"].get("period", {}).get("start") for e in dated]
    assert [s for s in starts if s] == sorted(s for s in starts if s)
    assert all(s is None for s in starts[len([s for s in starts if s]) :])


def test_parts_and_totals(shared_full: World, plan: str) -> None:
    counted = search(shared_full, "CarePlan?_summary=count", RUS)
    assert (counted["total"], counted.get("entry")) == (total(shared_full, "CarePlan"), None)
    assert search(shared_full, "CarePlan?_count=0", RUS).get("entry") is None
    assert "total" not in search(shared_full, "CarePlan?_total=none", RUS)
    (entry,) = search(shared_full, f"CarePlan?_id={plan}&_elements=CarePlan.title,period", RUS)[
        "entry"
    ]
    assert set(entry["resource"]) == {
        "resourceType", "id", "meta", "status", "intent", "subject", "title", "period",
    }  # fmt: skip
    for summary, there, gone in (
        ("true", "category", "activity"), ("data", "activity", "text"), ("text", "status", "title"),
    ):  # fmt: skip
        (entry,) = search(shared_full, f"CarePlan?_id={plan}&_summary={summary}", RUS)["entry"]
        assert there in entry["resource"]
        assert gone not in entry["resource"]


# What is not known


def test_an_unknown_parameter_is_left_out_or_refused(shared_full: World) -> None:
    for query in ("name=Karla", "Karla=1", "_text=Karla"):
        page = search(shared_full, f"CarePlan?{query}", RUS)
        (last,) = [e for e in page["entry"] if e["search"]["mode"] == "outcome"]
        assert page["entry"][-1] == last
        assert last["resource"]["issue"][0]["severity"] == "warning"
        assert page["total"] == total(shared_full, "CarePlan")
        assert "Karla" not in str((page["link"], last))
        refused = get(shared_full, f"CarePlan?{query}", RUS, Prefer="handling=strict")
        problem(refused, 400)
        assert "Karla" not in refused.text
    assert "outcome" not in str(search(shared_full, "CarePlan?_format=json&_pretty=true", RUS))


# Citizens' numbers


def test_a_search_by_number_goes_by_form_and_says_no_number(shared_full: World, plan: str) -> None:
    for form in (
        {"patient.identifier": f"{names.CPR}|{CPR_1}"},
        {"subject:Patient.identifier": CPR_1},
        {"_has:Goal:subject:_id:x": ""} | {"patient.identifier": f"{names.CPR}|{CPR_1}"},
    ):
        answer = post_search(shared_full, "CarePlan", form | {"_count": "1"}, RUS)
        page = bundle(answer, "searchset")
        assert page["total"] == 3
        addresses = [x["url"] for x in page["link"]]
        assert not any(names_a_citizen(a) for a in addresses)
        following = link(page, "next")
        assert following is not None
        rest = [k for p in pages(shared_full, following, RUS) for k in keys(p)]
        assert len({*keys(page), *rest}) == 3
        self = link(page, "self")
        assert self is not None
        assert keys(search(shared_full, self, RUS)) == keys(page)
    (patient,) = keys(
        bundle(post_search(shared_full, "Patient", {"identifier": CPR_1}, RUS), "searchset")
    )
    assert patient == found(get(shared_full, f"CarePlan/{plan}", RUS))["subject"]["reference"]


def test_a_number_one_may_not_know_finds_what_no_number_finds(shared_full: World) -> None:
    """The other citizen's plan is not this party's: as if there were no such citizen."""
    assert bundle(
        post_search(shared_full, "Patient", {"identifier": f"{names.CPR}|{CPR_2}"}, SOCIAL),
        "searchset",
    )["total"] in {0, 1}
    for kind in ("CarePlan", "Goal", "Consent"):
        texts = []
        for number in (CPR_2, "0000000000"):
            form = {"patient.identifier": f"{names.CPR}|{number}"}
            page = bundle(post_search(shared_full, kind, form, GP), "searchset")
            texts.append(str(page))
            assert page["total"] == 0
        assert texts[0] == texts[1]


def test_a_form_that_is_none(shared_full: World) -> None:
    for headers, status in (
        ({"Content-Type": "application/fhir+json"}, 415),
        (FORM | {"Accept": "text/csv"}, 406),
    ):
        answer = shared_full.request(
            "POST", "/fhir/CarePlan/_search", RUS, content=b"status=active", headers=headers
        )
        problem(answer, status)
    mixed = shared_full.request(
        "POST", "/fhir/CarePlan/_search?category=ki-plan", RUS, content=b"status=active",
        headers=FORM,
    )  # fmt: skip
    assert bundle(mixed, "searchset")["total"] == total(shared_full, f"CarePlan?{PLANS}")


# Audit


def test_a_search_is_audited_for_each_plan_it_discloses(full: World, plan: str) -> None:
    search(full, "CarePlan?status=active", PSYK)
    rows = audited(full, "search")
    assert len(rows) == len(set(rows)) == 2
    assert (PSYK, f"CarePlan/{plan}/_history/3") in rows
    search(full, "CarePlan?status=revoked", PSYK)
    assert audited(full, "search") == rows
    search(full, "CarePlan?_summary=count", PSYK)
    assert audited(full, "search") == rows * 2, "a number tells that they are there"

"""history of an instance and of a type: complete, ordered, paged, and no more than one may read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.demo.documents import next_version
from hub.runtime.bootstrap import close
from tests.api.conftest import Template
from tests.api.fhir.client import audited, bundle, found, get, keys, pages, publish
from tests.api.world import GP, ORDER, PSYK, RUS, SOCIAL, TREATMENT, World, problem
from tests.forms import FULL

FEW = settings(
    max_examples=25 if FULL else 3,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def versions(resource: dict[str, object]) -> list[str]:
    entries = resource["entry"]
    assert isinstance(entries, list)
    return [e["resource"]["meta"]["versionId"] for e in entries]


def test_a_plan_s_history_is_its_versions_newest_first(full: World, plan: str) -> None:
    history = bundle(get(full, f"CarePlan/{plan}/_history", RUS), "history")
    assert history["total"] == 3
    assert versions(history) == ["3", "2", "1"]
    last, _, first = history["entry"]
    assert last["request"] == {"method": "PUT", "url": f"CarePlan/{plan}"}
    assert last["response"] == {
        "status": "200",
        "etag": 'W/"3"',
        "lastModified": last["resource"]["meta"]["lastUpdated"],
    }
    assert first["request"] == {"method": "POST", "url": "CarePlan"}
    assert first["response"]["status"] == "201"
    for entry in history["entry"]:
        number = entry["resource"]["meta"]["versionId"]
        assert found(get(full, f"CarePlan/{plan}/_history/{number}", RUS)) == entry["resource"]
    # One row for each version that was shown, and one for each that was read.
    assert audited(full, "history") == [
        (RUS, f"CarePlan/{plan}/_history/{n}") for n in (1, 2, 3)
    ]  # fmt: skip


def test_since_is_from_then_on(full: World, plan: str) -> None:
    url = f"CarePlan/{plan}/_history?_since="
    assert bundle(get(full, url + "2026-09-20T10:02:00Z", RUS), "history")["total"] == 2
    assert bundle(get(full, url + "2026-09-20T12:02:00%2B02:00", RUS), "history")["total"] == 2
    assert bundle(get(full, url + "2026-09-20T12:02:00+02:00", RUS), "history")["total"] == 2
    assert bundle(get(full, url + "2026-09-20T10:03:01Z", RUS), "history")["total"] == 0
    for wrong in ("x", "2026-13-01", "1e9"):
        problem(get(full, url + wrong, RUS), 400)
    for wrong in ("0", "-1", "x", "٣"):
        problem(get(full, f"CarePlan/_history?_count={wrong}", RUS), 400)


def test_a_gated_reader_s_history_is_what_was_approved(full: World, plan: str) -> None:
    """The approval was for the first version's shared part; the later ones changed it."""
    history = bundle(get(full, f"CarePlan/{plan}/_history", GP), "history")
    assert versions(history) == ["1"]
    for number in (2, 3):
        problem(get(full, f"CarePlan/{plan}/_history/{number}", GP), 404)


def test_nobody_reads_the_history_of_what_it_may_not_read(full: World, plan: str) -> None:
    full.clock.advance(days=400)
    for who in (RUS, PSYK, SOCIAL, GP):
        problem(get(full, f"CarePlan/{plan}/_history", who), 404)
        assert bundle(get(full, "CarePlan/_history", who), "history")["total"] == 0


def test_a_type_s_history_is_everything_of_the_type(full: World) -> None:
    for kind in ("CarePlan", "CareTeam", "Consent", "Patient"):
        whole = bundle(get(full, f"{kind}/_history", PSYK), "history")
        singles = {
            (key, version)
            for key in set(keys(whole))
            for version in versions(bundle(get(full, f"{key}/_history", PSYK), "history"))
        }
        assert sorted(singles) == sorted(zip(keys(whole), versions(whole), strict=True))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_pages_hold_every_version_once_and_in_order(full: World, count: int) -> None:
    whole = bundle(get(full, "CarePlan/_history", RUS), "history")
    paged = list(pages(full, f"CarePlan/_history?_count={count}", RUS, "history"))
    assert all(len(p["entry"]) <= count for p in paged)
    assert [e for p in paged for e in p["entry"]] == whole["entry"]
    assert {p["total"] for p in paged} == {whole["total"]}


@FEW
@given(
    # The same bytes again would be a resend, and change nothing.
    titles=st.lists(
        st.sampled_from(["Første", "Anden", "Tredje", "Fjerde"]), min_size=1, unique=True
    ),
    count=st.integers(1, 4),
)
def test_history_is_complete_and_ordered_whatever_is_written_meanwhile(
    plan_template: Template, tmp_path: Path, titles: list[str], count: int
) -> None:
    folder = tmp_path / "data"
    shutil.rmtree(folder, ignore_errors=True)
    world = plan_template.copy(folder)
    try:
        for title in titles:
            publish(world, RUS, title=title)
        url = f"CarePlan/{plan_template.plan}/_history"
        written = 1 + len(titles)
        seen: list[str] = []
        world.clock.advance(minutes=1)
        for page in pages(world, f"{url}?_count={count}", RUS, "history"):
            seen += versions(page)
            # What is written while one pages is of the next history, not of this one.
            publish(world, RUS, title=f"Imens {len(seen)}")
        assert seen == [str(n) for n in range(written, 0, -1)]
        moments = [
            e["resource"]["meta"]["lastUpdated"]
            for e in bundle(get(world, url, RUS), "history")["entry"]
        ]
        assert moments == sorted(moments, reverse=True)
        assert len(moments) > written
    finally:
        close(world.hub)


WRITERS = ("lead", "region", "municipality")


def write(world: World, who: str, number: int) -> None:
    """Another version from one of the three who write in a plan."""
    if who == "lead":
        publish(world, RUS, title=f"Titel {number}")
        return
    world.clock.advance(minutes=1)
    if who == "region":
        answer = world.post("/documents/behandlingsplan", PSYK, next_version(TREATMENT, number))
    else:
        order = json.loads(ORDER)
        order["id"] = f"order-{number}"
        order["entry"][0]["resource"]["id"] = f"header-{number}"
        answer = world.post("/documents/vum", SOCIAL, json.dumps(order).encode())
    assert answer.status_code == 200, answer.text


@FEW
@given(who=st.lists(st.sampled_from(WRITERS), min_size=2, max_size=5), count=st.integers(3, 40))
def test_whoever_writes_every_history_is_complete_and_ordered(
    plan_template: Template, tmp_path: Path, who: list[str], count: int
) -> None:
    folder = tmp_path / "data"
    shutil.rmtree(folder, ignore_errors=True)
    world = plan_template.copy(folder)
    try:
        for number, writer in enumerate(who):
            write(world, writer, number)
        for kind in ("CarePlan", "Goal", "Condition", "Observation"):
            url = f"{kind}/_history?_count={count}"
            told = [e for p in pages(world, url, RUS, "history") for e in p.get("entry", ())]
            moments = [e["resource"]["meta"]["lastUpdated"] for e in told]
            assert moments == sorted(moments, reverse=True)
            known: dict[str, list[int]] = {}
            for entry in told:
                resource = entry["resource"]
                number = int(resource["meta"]["versionId"])
                known.setdefault(f"{kind}/{resource['id']}", []).append(number)
            for key, numbers in known.items():
                newest = max(numbers)
                assert numbers == list(range(newest, newest - len(numbers), -1)), key
            for entry in bundle(get(world, f"{kind}?_count=200", RUS), "searchset")["entry"]:
                resource = entry["resource"]
                number = int(resource["meta"]["versionId"])
                assert known[f"{kind}/{resource['id']}"][0] == number
        assert len(pages_of(world, f"CarePlan/{plan_template.plan}/_history")) >= 1 + who.count(
            "lead"
        )
    finally:
        close(world.hub)


def pages_of(world: World, url: str) -> list[str]:
    return [v for p in pages(world, url, RUS, "history") for v in versions(p)]

"""What holds for every write: put is got, histories are whole, XML and JSON are one resource."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hub.fhir.codec import parse_json
from hub.fhir.xml import from_xml, to_xml
from hub.runtime.bootstrap import close
from tests.api.conftest import Template
from tests.api.fhir.client import get
from tests.api.fhir.writing import one_of, put, read
from tests.api.world import RUS, World
from tests.forms import FULL

pytestmark = pytest.mark.timeout(1800 if FULL else 280)
SLOW = settings(
    max_examples=100 if FULL else 5,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    # An example is some requests: making a found one smaller would take its minutes.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)


@pytest.fixture
def led(plan_template: Template, tmp_path: Path) -> Iterator[World]:
    world = plan_template.copy(tmp_path / "data")
    yield world
    close(world.hub)


def goal_name(world: World) -> str:
    plan = one_of(world, "CarePlan?identifier=RUS-2026-0001")
    return str(plan["goal"][0]["reference"])


class Number:
    """A decimal as it is written."""

    def __init__(self, text: str) -> None:
        self.text = text


_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="￾￿"),
    min_size=1,
    max_size=40,
).filter(lambda t: t.strip() == t)
_NUMBER = st.from_regex(
    r"-?(0|[1-9][0-9]{0,8})(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?", fullmatch=True
)
_DATE = st.from_regex(r"20[0-9]{2}(-(0[1-9]|1[0-2])(-(0[1-9]|1[0-9]|2[0-8]))?)?", fullmatch=True)
_MOMENT = st.from_regex(
    r"20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(\.[0-9]{1,9})?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9])",
    fullmatch=True,
)
_EXTENSION = st.fixed_dictionaries(
    {"url": st.just("https://rus-havneby.example/StructureDefinition/egen")}
).flatmap(
    lambda e: st.one_of(
        st.builds(lambda v: e | {"valueDecimal": Number(v)}, _NUMBER),
        st.builds(lambda v: e | {"valueDateTime": v}, _MOMENT),
        st.builds(lambda v: e | {"valueString": v}, _TEXT),
        st.builds(lambda v: e | {"valueBoolean": v}, st.booleans()),
    )
)
_TARGET = st.fixed_dictionaries(
    {
        "measure": st.builds(lambda t: {"text": t}, _TEXT),
        "detailQuantity": st.builds(lambda n, u: {"value": Number(n), "unit": u}, _NUMBER, _TEXT),
    },
    optional={"dueDate": _DATE},
)
GOALS = st.fixed_dictionaries(
    {
        "lifecycleStatus": st.sampled_from(["proposed", "planned", "active", "completed"]),
        "description": st.builds(lambda t: {"text": t}, _TEXT),
    },
    optional={
        "startDate": _DATE,
        "target": st.lists(_TARGET, min_size=1, max_size=3),
        "extension": st.lists(_EXTENSION, min_size=1, max_size=3),
        "note": st.lists(
            st.builds(lambda t, m: {"time": m, "text": t}, _TEXT, _MOMENT), min_size=1, max_size=2
        ),
    },
)


def written(value: Any) -> str:
    """JSON whose decimals are exactly the given texts."""
    if isinstance(value, Number):
        return value.text
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(written(v) for v in value) + "]"
    return json.dumps(value)


def lexemes(text: str | bytes) -> Any:
    """JSON with every number as the text it is."""
    found = json.loads(text, parse_float=lambda n: f"number {n}", parse_int=lambda n: f"number {n}")
    found["meta"] = {
        k: v for k, v in found["meta"].items() if k not in {"versionId", "lastUpdated"}
    }
    return found


@SLOW
@given(changes=GOALS)
def test_what_is_put_is_what_is_got(led: World, changes: dict[str, Any]) -> None:
    name = goal_name(led)
    before, version = read(led, name)
    kept = {k: before[k] for k in ("resourceType", "id", "meta", "subject")}
    sent = written(kept | changes)
    headers = {"If-Match": f'W/"{version}"'}
    answer = led.request("PUT", f"/fhir/{name}", RUS, content=sent.encode(), headers=headers)
    assert answer.status_code == 200, answer.text
    assert lexemes(answer.content) == lexemes(sent)
    assert lexemes(get(led, name, RUS).content) == lexemes(sent)
    as_xml = get(led, name, RUS, Accept="application/fhir+xml").content
    assert from_xml(as_xml) == parse_json(answer.content)
    # The same in XML is the same resource: no new version.
    now = answer.headers["ETag"]
    xml = {"If-Match": now, "Content-Type": "application/fhir+xml"}
    body = to_xml(parse_json(sent.encode()))
    again = led.request("PUT", f"/fhir/{name}", RUS, content=body, headers=xml)
    assert (again.status_code, again.headers["ETag"]) == (200, now)


STEPS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(["change", "same", "stale", "wrong"]),
        st.integers(0, 10**6),
    ),
    min_size=1,
    max_size=8,
)


@settings(SLOW, max_examples=40 if FULL else 3)
@given(steps=STEPS)
def test_a_history_is_whole_and_in_order(
    plan_template: Template, tmp_path_factory: pytest.TempPathFactory, steps: list[Any]
) -> None:
    led = plan_template.copy(tmp_path_factory.mktemp("history") / "data")
    plan = one_of(led, "CarePlan?identifier=RUS-2026-0001")
    names = [f"CarePlan/{plan['id']}", *(g["reference"] for g in plan["goal"][:3])]
    expected = {name: [read(led, name)[0]] for name in names}
    for which, what, number in steps:
        led.clock.advance(seconds=1)
        name = names[1 + which]
        before, version = read(led, name)
        text = f"Mål {number}" if what == "change" else before["description"]["text"]
        status = "maybe" if what == "wrong" else before["lifecycleStatus"]
        sent = before | {"description": {"text": text}, "lifecycleStatus": status}
        match = str(int(version) + 1) if what == "stale" else version
        answer = put(led, sent, match)
        assert answer.status_code == {"stale": 412, "wrong": 422}.get(what, 200)
        for changed in names:
            now = read(led, changed)[0]
            if now != expected[changed][0]:
                expected[changed].insert(0, now)
    for name, versions in expected.items():
        entries = get(led, f"{name}/_history?_count=200", RUS).json()["entry"]
        assert [e["resource"] for e in entries] == versions
        numbers = [int(v["meta"]["versionId"]) for v in versions]
        assert numbers == list(range(len(versions), 0, -1))
        moments = [v["meta"]["lastUpdated"] for v in versions]
        assert moments == sorted(moments, reverse=True)
    close(led.hub)

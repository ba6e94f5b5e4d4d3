"""Paging: each match exactly once while others write; tokens of this server's own making only."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hub.fhir.paging import Token, ordered, page_of, read_token
from hub.runtime.bootstrap import close
from tests.api.conftest import Template
from tests.api.fhir.client import get, keys, link, pages, publish, search
from tests.api.world import PSYK, RUS, SOCIAL, START, TREATMENT, World, problem
from tests.forms import FULL

FEW = settings(
    max_examples=25 if FULL else 3,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.mark.parametrize("count", [1, 4, 49, 200])
@pytest.mark.parametrize("order", ["", "&_sort=_id", "&_sort=-_lastUpdated", "&_sort=-start-date"])
def test_pages_together_are_the_whole(shared_full: World, count: int, order: str) -> None:
    whole = search(shared_full, f"Goal?_count=200{order}", PSYK)
    paged = list(pages(shared_full, f"Goal?_count={count}{order}", PSYK))
    assert [k for p in paged for k in keys(p)] == keys(whole)
    assert {p["total"] for p in paged} == {whole["total"]}
    assert all(len(keys(p)) <= count for p in paged)
    assert link(paged[-1], "next") is None
    assert all(link(p, "first") == link(paged[0], "self") for p in paged)


def test_a_page_can_be_asked_for_again(shared_full: World) -> None:
    first = search(shared_full, "Goal?_count=3", PSYK)
    following = link(first, "next")
    assert following is not None
    second = search(shared_full, following, PSYK)
    assert search(shared_full, following, PSYK) == second
    self = link(second, "self")
    assert self is not None
    assert keys(search(shared_full, self, PSYK)) == keys(second)


@FEW
@example(count=1, writes=["change"] * 4, kind="CarePlan", order="")
@example(count=1, writes=["change"] * 4, kind="CarePlan", order="&_sort=_lastUpdated")
@given(
    count=st.integers(1, 9),
    writes=st.lists(st.sampled_from(["change", "sector", "consent"]), min_size=1, max_size=4),
    kind=st.sampled_from(["CarePlan", "Goal", "Organization"]),
    order=st.sampled_from(["", "&_sort=_id", "&_sort=_lastUpdated"]),
)
def test_each_match_comes_once_while_others_write(
    plan_template: Template, tmp_path: Path, count: int, writes: list[str], kind: str, order: str
) -> None:
    folder = tmp_path / "data"
    shutil.rmtree(folder, ignore_errors=True)
    world = plan_template.copy(folder)
    try:
        world.clock.advance(minutes=1)
        expected = keys(search(world, f"{kind}?_count=200{order}", SOCIAL))
        seen: list[str] = []
        todo = list(writes)
        world.clock.advance(minutes=1)
        for page in pages(world, f"{kind}?_count={count}{order}", SOCIAL):
            seen += keys(page)
            world.clock.advance(minutes=1)
            if todo:
                write(world, todo.pop(), len(seen))
        assert seen == expected
    finally:
        close(world.hub)


def write(world: World, what: str, number: int) -> None:
    """Something that changes what a new search would find or how it would be ordered."""
    if what == "change":
        publish(world, RUS, title=f"Ændret {number}")
    elif what == "consent":
        assert world.consent().status_code in {200, 201}
    else:
        later = TREATMENT.replace(b"bp-2026-000117-3", f"bp-2026-000117-{number}9".encode())
        later = later.replace("Gøres op ved".encode(), f"Drøftes {number} gange ved".encode())
        assert world.post("/documents/behandlingsplan", PSYK, later).status_code == 200


def test_what_one_loses_the_right_to_is_on_no_later_page(full: World) -> None:
    first = search(full, "Goal?_count=1", SOCIAL)
    full.clock.advance(days=400)
    following = link(first, "next")
    assert following is not None
    rest = search(full, following, SOCIAL)
    assert (rest["total"], keys(rest)) == (0, [])


# Tokens


def forged(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


WHEN = START.isoformat()


@pytest.mark.parametrize(
    "token",
    [
        "x", "", "====", "A" * 20_000, forged(1), forged([]), forged({"a": 1}),
        forged(["Goal", [], "yesterday", []]), forged(["Goal", [], "2026-01-01T00:00:00", []]),
        forged(["Goal", [], WHEN, [1]]), forged(["Goal", [["a"]], WHEN, []]),
        forged(["CarePlan", [], WHEN, []]), forged(["Goal", [], WHEN, ["a"]]),
        forged(["Goal", [["_count", "x"]], WHEN, []]), forged([["Goal"], [], WHEN, []]),
    ],
)  # fmt: skip
def test_a_token_that_is_none(shared_full: World, token: str) -> None:
    if token:
        problem(get(shared_full, f"Goal?_page={token}", PSYK), 400)


def test_a_token_grants_nothing(shared_full: World, plan: str) -> None:
    page = forged(["CarePlan", [["_id", plan]], "2099-01-01T00:00:00+00:00", []])
    assert keys(search(shared_full, f"CarePlan?_page={page}", RUS)) == [f"CarePlan/{plan}"]
    with_number = forged(["CarePlan", [["identifier", "0201609996"]], WHEN, []])
    problem(get(shared_full, f"CarePlan?_page={with_number}", RUS), 422)


@given(
    pairs=st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), max_size=4),
    after=st.lists(st.none() | st.text(max_size=9), max_size=4),
    until=st.datetimes(timezones=st.just(START.tzinfo)),
)
def test_tokens_read_as_they_were_written(pairs, after, until) -> None:  # type: ignore[no-untyped-def]
    token = Token("Goal", tuple(pairs), until, tuple(after))
    assert read_token(token.write(), "Goal") == token


@given(
    items=st.lists(st.tuples(st.none() | st.sampled_from("abc"), st.sampled_from("xyz"))),
    count=st.integers(1, 5),
    down=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    gone=st.sets(st.integers(0, 20)),
)
def test_keyset_pages_hold_each_item_once_even_if_the_last_one_leaves(
    items: list[tuple[str | None, str]], count: int, down: tuple[bool, ...], gone: set[int]
) -> None:
    keyed = [(a, b, f"{i:03d}") for i, (a, b) in enumerate(items)]

    def key(item: tuple[str | None, ...]) -> tuple[str | None, ...]:
        return item

    whole = ordered(keyed, key, down)
    there = list(whole)
    seen = []
    after = None
    step = 0
    while step <= len(items):
        page, after = page_of(there, key, down, after, count)
        seen += page
        if after is None:
            break
        if step in gone:
            there.remove(page[-1])
        step += 1
    assert seen == whole
    nothings = [item[0] is None for item in whole]
    assert nothings == sorted(nothings)

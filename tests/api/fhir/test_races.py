"""Two writers on one version: exactly one wins, in one process and in two, on both databases."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from hub.contract import Resource
from hub.errors import Issue
from hub.ports import Validator
from hub.runtime.bootstrap import close
from hub.services.accept import accept
from hub.services.hub import CANONICAL
from hub.services.process import process
from tests.api.fhir.client import search
from tests.api.fhir.writing import create, one_of, put, read, versions
from tests.api.papers import consent_of
from tests.api.world import RUS, World, founded
from tests.views import ROOT

ROUNDS = 4


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'hub.db'}"
    found: str = request.getfixturevalue("database_url")
    return found


@pytest.fixture
def led(url: str, tmp_path: Path) -> Iterator[World]:
    """A hub on that database with the published plan."""
    world = founded(tmp_path / "data", database_url=url, static_credentials=True)
    world.consent()
    world.publish_plan()
    yield world
    close(world.hub)


def at_once(*calls: Any) -> list[Any]:
    """Each in a thread, all let go at one moment."""
    gate = Barrier(len(calls))

    def go(call: Any) -> Any:
        gate.wait(30)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(go, calls))


def goal(world: World) -> tuple[dict[str, Any], str]:
    plan = one_of(world, "CarePlan")
    return read(world, plan["goal"][0]["reference"])


def said(resource: dict[str, Any], text: str) -> dict[str, Any]:
    return resource | {"description": {"text": text}}


def test_of_two_threads_one_wins(led: World) -> None:
    for number in range(ROUNDS):
        before, version = goal(led)
        forms = [said(before, f"{who} {number}") for who in "ab"]
        answers = at_once(*(partial(put, led, form, version) for form in forms))
        assert sorted(a.status_code for a in answers) == [200, 412]
        (won,) = [a for a in answers if a.status_code == 200]
        assert goal(led)[0] == won.json()
    assert len(versions(led, f"Goal/{before['id']}")) == ROUNDS + 1


def test_of_two_processes_one_wins(led: World, url: str, tmp_path: Path) -> None:
    arguments = [str(tmp_path / "data"), url, json.dumps(dict(led.secrets)), RUS]
    command = [sys.executable, "-m", "tests.api.fhir.racing", *arguments]
    pipe = subprocess.PIPE
    writers = [
        subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
        for _ in range(2)
    ]
    try:
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"ready\n"
        for number in range(ROUNDS):
            before, version = goal(led)
            for name, writer in enumerate(writers):
                assert writer.stdin is not None
                line = json.dumps([said(before, f"{name} {number}"), version])
                writer.stdin.write(line.encode() + b"\n")
                writer.stdin.flush()
            answers = [int(w.stdout.readline()) for w in writers if w.stdout is not None]
            assert sorted(answers) == [200, 412]
            assert goal(led)[1] == str(number + 2)
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()


def test_writers_of_different_members_do_not_undo_each_other(led: World) -> None:
    """Both are on the same plan version; each names its own resource's."""
    plan, _ = read(led, f"CarePlan/{one_of(led, 'CarePlan')['id']}")
    goals = [read(led, g["reference"])[0] for g in plan["goal"]]
    answers = at_once(*(partial(put, led, said(g, "Skrevet om"), "1") for g in goals))
    assert [a.status_code for a in answers] == [200] * len(goals)
    now = [read(led, g["reference"])[0]["description"]["text"] for g in plan["goal"]]
    assert now == ["Skrevet om"] * len(goals)
    assert read(led, f"CarePlan/{plan['id']}")[1] == str(len(goals) + 1)


def test_of_two_writers_of_a_consent_one_wins(led: World) -> None:
    (consent,) = [e["resource"] for e in search(led, "Consent", RUS)["entry"]]
    period = [{"start": "2026-09-15", "end": f"2026-12-{day}"} for day in (30, 31)]
    forms = [consent | {"provision": consent["provision"] | {"period": p}} for p in period]
    answers = at_once(*(partial(put, led, form, "1") for form in forms))
    assert sorted(a.status_code for a in answers) == [200, 412]


def test_of_two_conditional_creates_one_creates(led: World) -> None:
    own = "https://rus-havneby.example/samtykke"
    forms = [
        json.loads(consent_of(f"samtykke-{n}", identifier=[{"system": own, "value": "S-1"}]))
        for n in range(2)
    ]
    condition = {"If_None_Exist": f"identifier={own}|S-1"}
    answers = at_once(*(partial(create, led, form, **condition) for form in forms))
    assert sorted(a.status_code for a in answers) == [200, 201]
    assert search(led, f"Consent?identifier={own}|S-1", RUS)["total"] == 1


def test_one_message_sent_twice_at_once_is_done_once(led: World) -> None:
    before, version = goal(led)
    again = partial(put, led, said(before, "Skrevet om"), version, Message_Id="put-1")
    answers = at_once(again, again, again)
    assert [a.status_code for a in answers] == [200] * 3
    assert len({a.content for a in answers}) == 1
    assert goal(led)[1] == "2"


@dataclass
class Slow:
    """Judges through the real validator, after others have gone on."""

    real: Validator
    meanwhile: list[Callable[[], Any]]

    def check(self, resources: Iterable[Resource]) -> list[Issue]:
        while self.meanwhile:
            self.meanwhile.pop()()
        return self.real.check(resources)


def test_a_worker_that_is_slow_and_not_dead_does_nothing_twice(planned: World) -> None:
    """Its lease is over, another has done it: the version it was written on is gone for it."""
    hub = planned.hub
    plan = one_of(planned, "CarePlan?identifier=RUS-2026-0001")
    before, _ = read(planned, plan["goal"][0]["reference"])
    line = {"method": "PUT", "url": f"Goal/{before['id']}", "ifMatch": 'W/"1"'}
    with hub.store.reading() as work:
        sender = work.parties.get(RUS)
    assert sender is not None
    body = json.dumps(said(before, "Skrevet om")).encode()
    kept = accept(
        hub, sender.party, CANONICAL, body, "application/fhir+json", message_id="m", request=line
    )

    def another() -> None:
        planned.clock.advance(minutes=5)
        assert process(hub, kept.item.id).status == 200

    slow = replace(hub, validator=Slow(hub.validator, [another]))
    found = process(slow, kept.item.id)
    assert (found.state, found.status) == ("applied", 200)
    assert versions(planned, f"Goal/{before['id']}") == ["2", "1"]

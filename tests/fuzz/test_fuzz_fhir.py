"""A confused client cannot break the server, nor get anything but FHIR out of it."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

from hub.fhir.codec import parse_json
from hub.fhir.parameters import SERVED
from tests.fuzz.judge import Judge
from tests.fuzz.mutation import CANARY
from tests.fuzz.requests import VALID, Known, Sent, sent
from tests.fuzz.wire import exchange
from tests.servers.hub import LEAD, LiveHub

FULL = os.environ.get("KI_HUB_TEST_FULL") == "1"
pytestmark = pytest.mark.timeout(1800 if FULL else 280)
EACH = 400
SEEDS = range(20) if FULL else range(1)
GROWTH = 64 * 1024
"""KB that the process may grow by, once it has served ``EACH`` requests of every kind."""


@pytest.fixture(scope="module")
def known(hub: LiveHub) -> Known:
    """Every resource that the lead may read."""
    keys, resources = [], []
    with hub.client(LEAD) as client:
        for kind in SERVED:
            bundle = parse_json(client.get(f"/fhir/{kind}?_count=20").content)
            for entry in bundle.get("entry", ()):
                resources.append(entry["resource"])
                keys.append(f"{kind}/{entry['resource']['id']}")
    return Known(hub.secrets[LEAD], tuple(keys), (*VALID, *resources))


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge()


def memory(pid: int) -> int:
    """Resident KB of a process."""
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    return int(next(x for x in status.splitlines() if x.startswith("VmRSS")).split()[1])


Failed = tuple[Sent, list[str]]


def fuzz(hub: LiveHub, known: Known, judge: Judge, seed: int) -> list[Failed]:
    """Requests that were answered wrongly, with what is wrong."""
    chance = Random(seed)
    failed = []
    for _ in range(EACH):
        one = sent(chance, known)
        problems = judge.problems(one, exchange(hub.deployment.base, one))
        if problems:
            failed.append((one, problems))
    return failed


@pytest.fixture(scope="module")
def first_round(hub: LiveHub, known: Known, judge: Judge) -> list[Failed]:
    """What every test here comes after."""
    return [failed for seed in SEEDS for failed in fuzz(hub, known, judge, seed)]


def test_every_answer_is_fhir_and_none_a_failure(judge: Judge, first_round: list[Failed]) -> None:
    assert first_round == []
    assert len(judge.statuses) > 5, "the requests reach more than one branch"


def test_the_server_keeps_its_size(
    hub: LiveHub, known: Known, judge: Judge, first_round: list[Failed]
) -> None:
    before = memory(hub.pid)
    assert fuzz(hub, known, judge, 1000) == []
    assert memory(hub.pid) - before < GROWTH


def test_the_log_tells_nothing_of_a_document(
    hub: LiveHub, known: Known, first_round: list[Failed]
) -> None:
    """Whatever was asked until now."""
    log = hub.log()
    assert "Traceback" not in log
    people = {
        text
        for r in known.resources
        for name in r.get("name", ())
        if isinstance(r.get("name"), list)
        for text in (name.get("family"), *name.get("given", ()))
        if text
    }
    assert people
    texts = {r["description"]["text"] for r in known.resources if r["resourceType"] == "Goal"}
    secrets = {hub.citizen.number, CANARY, hub.secrets[LEAD], *people, *texts}
    assert sorted(word for word in secrets if word in log) == []

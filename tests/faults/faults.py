"""The faults. Each does its harm, waits, ends it, and returns when its cause ended: from there on
the recovery is measured (of a kill, from the kill itself: starting again is part of it)."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from tests.faults import inputs
from tests.faults.cases import PSYK, RUS, SOCIAL
from tests.faults.receiving import Mood, Receiver
from tests.faults.site import HEARTBEAT, Site
from tests.faults.workload import Desk


@dataclass
class Field:
    """Where harm can be done."""

    site: Site
    desk: Desk
    receivers: Mapping[str, Receiver]
    chance: random.Random


Fault = Callable[[Field], float]
CLOCK = "clock step"
"""How the kinds begin for which the processes' clocks must be such as can be set."""


def _worker(field: Field) -> str:
    return field.chance.choice(("worker-1", "worker-2"))


def _kill(who: str, field: Field) -> float:
    name = _worker(field) if who == "worker" else who
    since = time.monotonic()
    field.site.kill(name)
    time.sleep(field.chance.uniform(0, 1))
    field.site.start(name)
    return since


def _stop(who: str, field: Field) -> float:
    """SIGSTOP for longer than the heartbeats: others take it for dead, then it goes on."""
    name = _worker(field) if who == "worker" else who
    field.site.signal(name, signal.SIGSTOP)
    try:
        time.sleep(HEARTBEAT * field.chance.uniform(2.2, 4))
    finally:
        field.site.signal(name, signal.SIGCONT)
    return time.monotonic()


def _ended(who: str, field: Field) -> float:
    """SIGTERM, as a service manager restarts what it is told to."""
    name = _worker(field) if who == "worker" else who
    since = time.monotonic()
    field.site.end(name)
    field.site.start(name)
    return since


def _clock(who: str, field: Field) -> float:
    """Set hours ahead or back under a running process, and set right again."""
    name = _worker(field) if who == "worker" else who
    clocks = field.site.clocks
    assert clocks is not None, "the processes were not started so that their clocks can be set"
    hours = field.chance.choice((-1, 1)) * field.chance.uniform(1, 30)
    with clocks.off(name, round(hours * 3600)):
        time.sleep(field.chance.uniform(4, 8))
    return time.monotonic()


def _alarm(what: Literal["memory", "disk"], field: Field) -> float:
    """The broker holds its publishers back."""
    with field.site.rabbitmq.alarm(what):
        time.sleep(field.chance.uniform(2, 6))
    return time.monotonic()


def _read_only(field: Field) -> float:
    """The database takes no changes, as after a switch to a standby."""
    with field.site.read_only():
        time.sleep(field.chance.uniform(2, 6))
    return time.monotonic()


def _queue_deleted(field: Field) -> float:
    party = field.chance.choice((RUS, PSYK, SOCIAL))
    names = (f"party.{party}.deliveries", f"party.{party}.answers", "ki.inbound", "ki.receipts")
    field.site.delete_queue(field.chance.choice(names))
    return time.monotonic()


def _cut_commit(field: Field) -> float:
    """The database's connection ends in the middle of the next commit."""
    proxy = field.site.proxies["database"]
    before, end = proxy.cuts, time.monotonic() + 10
    proxy.cut_at = b"COMMIT"
    while proxy.cuts == before and time.monotonic() < end:
        time.sleep(0.02)
    proxy.cut_at = b""
    return time.monotonic()


def _late(where: str, field: Field) -> float:
    proxy = field.site.proxies[where]
    proxy.delay = field.chance.uniform(0.1, 0.5)
    time.sleep(field.chance.uniform(2, 5))
    proxy.delay = 0.0
    return time.monotonic()


def _hole(where: str, field: Field) -> float:
    """Nothing passes; then everything does, or the connections turn out to be gone."""
    proxy = field.site.proxies[where]
    proxy.hole = True
    time.sleep(HEARTBEAT * field.chance.uniform(2.2, 4))
    if field.chance.random() < 0.5:
        proxy.reset()
    proxy.hole = False
    return time.monotonic()


def _reset(where: str, field: Field) -> float:
    field.site.proxies[where].reset()
    return time.monotonic()


def _disk_full(field: Field) -> float:
    disk = field.site.disk
    assert disk is not None, "a shared server's disk is never filled"
    disk.fill()
    try:
        time.sleep(field.chance.uniform(3, 6))
    finally:
        disk.empty()
    return time.monotonic()


def _mood(mood: Mood, field: Field) -> float:
    receiver = field.chance.choice([r for _, r in sorted(field.receivers.items())])
    receiver.mood = mood
    time.sleep(field.chance.uniform(3, 6))
    receiver.mood = "well"
    return time.monotonic()


def _again(field: Field) -> float:
    inputs.again(field.desk, field.chance)
    return time.monotonic()


def _reordered(field: Field) -> float:
    inputs.reordered(field.desk, field.chance)
    return time.monotonic()


def _kinds() -> dict[str, tuple[Fault, int]]:
    """Name to the fault, and how many of a round it is."""
    found: dict[str, tuple[Fault, int]] = {}
    for who in ("serve", "worker", "postgres", "rabbitmq"):
        found[f"kill -9 {who}"] = (partial(_kill, who), 7)
        found[f"stopped {who}"] = (partial(_stop, who), 4)
    for where in ("database", "broker", "api"):
        found[f"late {where}"] = (partial(_late, where), 2)
        found[f"black hole {where}"] = (partial(_hole, where), 3)
        found[f"reset {where}"] = (partial(_reset, where), 3)
    for ours in ("serve", "worker"):
        found[f"ended {ours}"] = (partial(_ended, ours), 3)
        found[f"{CLOCK} {ours}"] = (partial(_clock, ours), 2)
    alarms: tuple[Literal["memory", "disk"], ...] = ("memory", "disk")
    for what in alarms:
        found[f"broker's {what} alarm"] = (partial(_alarm, what), 2)
    found["read-only database"] = (_read_only, 2)
    found["queue deleted"] = (_queue_deleted, 6)
    found["commit cut"] = (_cut_commit, 8)
    found["disk full"] = (_disk_full, 4)
    found["duplicate input"] = (_again, 4)
    found["reordered input"] = (_reordered, 4)
    moods: tuple[Mood, ...] = ("slow", "failing", "lying")
    for mood in moods:
        found[f"{mood} receiver"] = (partial(_mood, mood), 4)
    return found


KINDS = _kinds()


def schedule(
    chance: random.Random, count: int, *, disk: bool, only: Sequence[str] = ()
) -> list[str]:
    """That many (``only`` of those kinds, if any are named), each as often as it is its share;
    shuffled a round at a time."""
    kinds = only or [*KINDS]
    bag = [kind for kind in kinds for _ in range(KINDS[kind][1])]
    if not disk:
        bag = [kind for kind in bag if kind != "disk full"]
    found: list[str] = []
    while len(found) < count:
        found += chance.sample(bag, len(bag))
    return found[:count]

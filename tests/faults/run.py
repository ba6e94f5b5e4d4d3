"""One run: a deployment, the sectors at work, faults one after the other, and the judgement."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psycopg

from tests.faults import recorder as recorded
from tests.faults.aftermath import acknowledged, aftermath, waiting
from tests.faults.cases import COORDINATOR, GP, OTHER, PSYK, RUS, SOCIAL, Case
from tests.faults.checker import KINDS as VIOLATIONS
from tests.faults.checker import Violation, check
from tests.faults.faults import CLOCK, KINDS, Field, schedule
from tests.faults.receiving import (
    AmqpReceiver,
    HookReceiver,
    MailboxReceiver,
    Receiver,
    started,
)
from tests.faults.recorder import Recorder
from tests.faults.records import History
from tests.faults.site import OURS, Site
from tests.faults.workload import Desk, threads
from tests.servers.postgres import PostgresServer
from tests.servers.rabbitmq import RabbitServer

BOUND = 180.0
"""Seconds within which the hub must be well again."""
REST = 240.0
"""Seconds within which everything that is under way must come to rest, at the end."""
Say = Callable[[str], None]


@dataclass
class Outcome:
    """What a run showed."""

    seed: int
    recoveries: dict[str, list[float]] = field(default_factory=dict)
    """Kind of fault to the seconds of each recovery."""
    acknowledged: int = 0
    violations: list[Violation] = field(default_factory=list)
    folder: Path = Path()

    def line(self) -> dict[str, Any]:
        """The last line that is printed."""
        counts = Counter(v.kind for v in self.violations)
        times = [s for found in self.recoveries.values() for s in found]
        return {
            "faults": len(times),
            "acknowledged": self.acknowledged,
            **{kind: counts[kind] for kind in VIOLATIONS},
            "longest_recovery_s": round(max(times, default=0.0), 1),
            "seed": self.seed,
            "recovery_s": {k: [round(s, 1) for s in v] for k, v in self.recoveries.items()},
        }


class Trial:
    """A context manager around everything that runs."""

    def __init__(self, site: Site, seed: int, folder: Path, *, pace: float = 0.6) -> None:
        self.site = site
        self.chance = random.Random(seed)
        self.recorder = Recorder(folder)
        self.outcome = Outcome(seed, folder=folder)
        self._seed = seed
        self._working, self._receiving = Event(), Event()
        self.desk = Desk(site, self.recorder, self._working, pace=pace)
        self.receivers = self._receivers()
        self._threads: list[Thread] = []

    def begin(self, *processes: str) -> None:
        """The hub, the receivers, and the citizen whose plan shows that all is well."""
        self.site.start(*(processes or OURS))
        self.site.wait_ready()
        self._receiver_threads = [started(r) for r in self.receivers.values()]
        self.lead = self.desk.http(RUS)
        self.canary = self.new_case()

    def new_case(self) -> Case:
        """One more citizen with a plan."""
        others = [(p, self.desk.http(p).document) for p in (PSYK, SOCIAL)]
        return self.desk.open_case(self.chance, self.lead, *others)

    def work(self, citizens: int, most: int) -> None:
        """The first citizens; then everybody is at work."""
        self.desk.known += [self.new_case() for _ in range(citizens)]
        self._threads = threads(self.desk, self._seed, most)
        for thread in self._threads:
            thread.start()

    def suffer(self, kind: str) -> float:
        """One fault; returns the seconds until the hub was well again."""
        field_ = Field(self.site, self.desk, self.receivers, self.chance)
        self.recorder.fault(fault=kind, is_="begun")
        since = KINDS[kind][0](field_)
        took = self.well_again(since, kind)
        self.outcome.recoveries.setdefault(kind, []).append(took)
        self.recorder.fault(fault=kind, is_="recovered", seconds=took)
        return took

    def well_again(self, since: float, kind: str) -> float:
        """Until a change that begins now is acknowledged and is at its receiver."""
        end = time.monotonic() + BOUND
        while time.monotonic() < end:
            self.site.tend()
            token = self._probe()
            while token and time.monotonic() < end:
                if self.recorder.has(RUS, token):
                    return time.monotonic() - since
                self.site.tend()
                time.sleep(0.05)
            time.sleep(0.2)
        text = f"not well {BOUND:.0f} s after: {kind}"
        self.outcome.violations.append(Violation("limbo", text))
        return time.monotonic() - since

    def _probe(self) -> str:
        """The token of a change that was just acknowledged; empty if it was not."""
        told: list[str] = []

        def ask() -> None:
            told.append(self.desk.probe(self.canary, self.lead, self.chance))

        asking = Thread(target=ask, daemon=True)
        asking.start()
        while asking.is_alive():
            # The servers are looked after meanwhile: one may have ended by itself.
            self.site.tend()
            asking.join(0.5)
        return told[0] if told else ""

    def finish(self, rest: float = REST) -> None:
        """Everybody goes home; what is under way comes to rest; then it is judged."""
        self._working.set()
        for thread in self._threads:
            thread.join()
        if self.desk.broken:
            raise self.desk.broken[0]
        end = time.monotonic() + rest
        with self.site.postgres.connect(self.site.database) as connection:
            while waiting(connection) and time.monotonic() < end:
                self.site.tend()
                time.sleep(0.5)
            self.outcome.acknowledged = acknowledged(connection)
        for case in [self.canary, *self.desk.known]:
            if case.permits:
                self.desk.read(case, self.lead)
        self._receiving.set()
        for thread in self._receiver_threads:
            thread.join()
        with self.site.postgres.connect(self.site.database) as connection:
            self.history = self._history(connection)
        self.recorder.keep(self.history.after)
        self.outcome.violations += check(self.history)
        audit = self.site.ask("audit", "verify")
        if audit.returncode != 0:
            said = (audit.stdout + audit.stderr).decode().strip()
            self.outcome.violations.append(Violation("lost", f"the audit trail: {said}"))
        compared = self.site.ask("reconcile", "--json")
        if compared.returncode != 0:
            said = (compared.stdout + compared.stderr).decode().strip()
            self.outcome.violations.append(Violation("limbo", f"strays: {said}"))

    def close(self) -> None:
        """Everybody stops, judged or not."""
        self._working.set()
        self._receiving.set()
        self.desk.close()
        self.recorder.close()

    def _history(self, connection: psycopg.Connection[tuple[Any, ...]]) -> History:
        folder = self.recorder.folder
        return History(
            ops=recorded.operations(folder),
            arrivals=recorded.arrivals(folder),
            after=aftermath(connection),
            every_version=frozenset({RUS}),
            on_approval=frozenset({GP}),
            renewed=frozenset({"medcom-carecommunication"}),
        )

    def _receivers(self) -> dict[str, Receiver]:
        site, about = self.site, (self.recorder, self._receiving)
        found: list[Receiver] = [
            AmqpReceiver(p, *about, broker=self.desk.broker(p)) for p in (RUS, PSYK, SOCIAL)
        ]
        found += [MailboxReceiver(p, *about, http=self.desk.http(p)) for p in (COORDINATOR, GP)]
        found.append(HookReceiver(OTHER, *about, port=site.hook_port))
        return {r.party: r for r in found}


def run(
    folder: Path,
    kinds: Sequence[str] | int,
    seed: int,
    say: Say,
    *,
    servers: tuple[PostgresServer, RabbitServer] | None = None,
    only: Sequence[str] = (),
    citizens: int = 3,
    most: int = 30,
    pace: float = 1.2,
) -> Outcome:
    """These faults (or that many, by their shares, ``only`` of some kinds) on a deployment of its
    own.

    ``citizens`` at the start and ``most`` of them in all; ``pace``: seconds between one person's
    acts, on average.
    """
    chance = random.Random(seed)
    may_come = (only or [*KINDS]) if isinstance(kinds, int) else kinds
    clocks = any(kind.startswith(CLOCK) for kind in may_come)
    with Site(folder, servers=servers, clocks=clocks) as site:
        trial = Trial(site, seed, folder / "history", pace=pace)
        with closing(trial):
            trial.begin()
            trial.work(citizens, most)
            _suffer(trial, kinds, chance, say, only)
            trial.finish()
    return trial.outcome


def _suffer(
    trial: Trial,
    kinds: Sequence[str] | int,
    chance: random.Random,
    say: Say,
    only: Sequence[str],
) -> None:
    found = kinds
    if isinstance(found, int):
        disk = trial.site.disk
        found = schedule(chance, found, disk=disk is not None and disk.own, only=only)
    for number, kind in enumerate(found, 1):
        time.sleep(chance.uniform(0.2, 1.5))
        took = trial.suffer(kind)
        say(f"{number}/{len(found)}  {kind}: well again after {took:.1f} s")

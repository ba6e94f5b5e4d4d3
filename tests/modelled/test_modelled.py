"""The hub beside a model of what is allowed: never more, and never less.

Hypothesis plays citizens who consent, deny, narrow and withdraw, answers on versions, updates,
deliveries with and without receipts, reads by REST, search and mailbox, time that passes, and
processes that end. After each step what a unit can get is compared with the reference model
(tests/modelled/reference.py), which knows nothing of the hub. With ``KI_HUB_TEST_FULL`` in the
environment ``KI_HUB_TEST_STEPS`` (100,000 in all) says how many steps are played.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hub.fhir import names
from hub.model.records import Delivery
from tests.api.papers import approval_of, consent_of
from tests.api.world import PLAN_1
from tests.modelled.deployment import BROKER, Embedded, Production, Running, marks
from tests.modelled.reference import (
    GOALS,
    LEAD,
    OWN,
    RELATIVE,
    SECTIONS,
    UNITS,
    Citizen,
    Said,
    mark,
)
from tests.servers.postgres import PostgresServer
from tests.servers.rabbitmq import RabbitServer

FULL = bool(os.environ.get("KI_HUB_TEST_FULL"))
STEPS = int(os.environ.get("KI_HUB_TEST_STEPS", "50000"))
"""Of each deployment, in the full form."""
LONG = 50
START = datetime(2026, 9, 20, 10, 0, tzinfo=UTC)
pytestmark = pytest.mark.timeout(40_000 if FULL else 280)

purposes = st.sets(
    st.sampled_from(("make-plan", "exchange", "copy-to-gp", "relatives")), min_size=1
)
units = st.lists(st.sampled_from(UNITS), min_size=1, unique=True)
labels = st.lists(st.sampled_from(SECTIONS[:4]), max_size=3, unique=True)


class Machine(RuleBasedStateMachine):
    """One citizen, one plan, six units."""

    place: ClassVar[Embedded | Production]
    steps: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self.run: Running = self._stack.enter_context(self.place.running())
        self.model = Citizen(START)
        self.plan = ""
        self.names = 0
        self.held: dict[str, dict[int, tuple[int, frozenset[str]]]] = {u: {} for u in UNITS}
        """Of each version the copy with the greatest number, as docs/interfaces.md has receivers
        tell a copy that comes once more from a later one: its number, its marks."""
        self.owed: set[str] = set()
        """Units that had a copy and are to be told that the consent is gone."""

    def teardown(self) -> None:
        self._stack.close()

    @initialize()
    def begins(self) -> None:
        """Everyone may have everything, and there is a plan."""
        self._consent(self._name(), list(UNITS), "permit", {}, None, {"make-plan", "exchange"})
        self._consent(self._name(), list(UNITS), "permit", {}, None, {"copy-to-gp"})
        self._publish()

    # What the citizen says

    @rule(who=units, kind=st.sampled_from(("permit", "permit", "deny")), what=purposes,
          narrow=labels, days=st.none() | st.integers(1, 9), later=st.booleans())  # fmt: skip
    def says(
        self,
        who: list[str],
        kind: str,
        what: set[str],
        narrow: list[str],
        days: int | None,
        later: bool,
    ) -> None:
        """A new consent; the lead is permitted or denied as a whole."""
        limited = {u: tuple(narrow) for u in who if u != LEAD} if narrow else {}
        period = None if days is None else (self.model.now, days, later)
        self._consent(self._name(), who, kind, limited, period, what)

    @rule(data=st.data(), narrow=labels)
    def says_it_anew(self, data: st.DataObject, narrow: list[str]) -> None:
        """The same consent, of other units and sections."""
        name = data.draw(st.sampled_from(sorted(self.model.consents)))
        who = data.draw(units)
        limited = {u: tuple(narrow) for u in who if u != LEAD} if narrow else {}
        old = self.model.consents[name]
        self._consent(name, who, old.rules[0][0], limited, None, set(old.purposes))

    @rule(data=st.data())
    def withdraws(self, data: st.DataObject) -> None:
        """One consent, whole."""
        name = data.draw(st.sampled_from(sorted(self.model.consents)))
        old = self.model.consents[name]
        self._consent(name, list(UNITS[:1]), "permit", {}, None, set(old.purposes), active=False)

    @rule()
    def withdraws_all(self) -> None:
        """Every consent there is."""
        for name, old in sorted(self.model.consents.items()):
            if old.active and old.rules[0][0] == "permit":
                self._consent(name, [LEAD], "permit", {}, None, set(old.purposes), active=False)

    @rule()
    def permits_all(self) -> None:
        """Nothing that was said before stands in the way: most of what can happen needs that."""
        for name, old in sorted(self.model.consents.items()):
            if old.active and old.rules[0][0] == "deny":
                self._consent(name, [LEAD], "permit", {}, None, set(old.purposes), active=False)
        everything = {"make-plan", "exchange", "copy-to-gp", "relatives"}
        self._consent(self._name(), list(UNITS), "permit", {}, None, everything)

    def _consent(
        self,
        name: str,
        who: list[str],
        kind: str,
        limited: dict[str, tuple[str, ...]],
        period: tuple[datetime, int, bool] | None,
        what: set[str],
        *,
        active: bool = True,
    ) -> None:
        self._tick()
        now = self.model.now
        start = now + timedelta(days=1) if period is not None and period[2] else None
        end = now + timedelta(days=period[1] + 1) if period is not None else None
        body = json.loads(
            consent_of(name, tuple(who), kind=kind, sections=limited, purposes=tuple(sorted(what)))
        )
        body["dateTime"] = now.isoformat()
        body["status"] = "active" if active else "inactive"
        limits = {"start": start, "end": end}
        body["provision"]["period"] = {k: v.isoformat() for k, v in limits.items() if v}
        if not body["provision"]["period"]:
            del body["provision"]["period"]
        before = {u: self.model.sections(u) for u in UNITS}
        assert self.run.send(LEAD, json.dumps(body).encode()) in {200, 201}
        rules = [(kind, u, s) for u in who for s in limited.get(u) or (None,)]
        self.model.consents[name] = Said(now, start, end, frozenset(what), tuple(rules), active)
        self._changed()
        for unit in UNITS:
            lost = before[unit] and not self.model.sections(unit)
            if lost and self.held[unit]:
                self.owed.add(unit)
        if self.run.vhost is not None:
            # What lies on the broker is taken back by the worker.
            self.run.work()

    def _changed(self) -> None:
        self.owed -= {unit for unit in UNITS if self.model.sections(unit)}

    @precondition(lambda self: self.model.versions)
    @rule(back=st.integers(0, 2), answer=st.sampled_from(("yes", "yes", "no", "undecided")))
    def answers(self, back: int, answer: str) -> None:
        """On the newest version, or one before it."""
        self._read_the_queues()
        self._tick()
        version = max(1, self.model.versions - back)
        body = json.loads(approval_of(self.plan, version, answer))
        body["dateTime"] = self.model.now.isoformat()
        status = self.run.send(LEAD, json.dumps(body).encode())
        if self.model.newest(LEAD) is None:
            assert status not in {200, 201}, "the lead may know of no plan now"
            return
        assert status in {200, 201}
        self.model.answers[version] = answer

    # What the lead and the coordinators do

    @rule()
    def publishes(self) -> None:
        """The next version."""
        self._publish()

    def _publish(self) -> None:
        self._tick()
        permitted = self.model.may_publish()
        number = self.model.versions + 1
        status = self.run.send(LEAD, plan_of(number))
        assert (status == 200) == permitted, f"{status}, permitted: {permitted}"
        if not permitted:
            return
        self.model.versions = number
        if not self.plan:
            with self.run.hub.store.reading() as work:
                (self.plan,) = [p.id for p in work.plans.listing(_system(), self.model.now)]

    @rule()
    def forwards(self) -> None:
        """The own coordinator, to the other organisation's."""
        key = self.run.waiting_to_be_forwarded(self.plan)
        if key is None:
            return
        if self.run.forward(OWN, key):
            assert self.model.newest(OWN) is not None
            assert self.held[OWN], "handed on by who never had it"
            self.model.forwarded = True

    # Deliveries

    @rule()
    def works(self) -> None:
        """Sent, and not fetched yet."""
        self.run.work()

    @rule()
    def looks_into_the_mailboxes(self) -> None:
        """Fetched, and not receipted."""
        for unit in UNITS:
            if self.run.vhost is None or unit not in BROKER:
                for key, body in self.run.letters(unit):
                    self._permitted(unit, key, body)

    @rule()
    def delivers(self) -> None:
        """Until nothing is left to do; then everyone has what it may have."""
        self.run.maintain()
        for _ in range(30):
            self.run.work()
            if not self._fetch_all():
                break
        else:
            raise AssertionError("deliveries do not come to an end")
        for unit in UNITS:
            self._has_it_all(unit)
        assert self.owed == set(), "had a copy, and was not told that the consent is gone"
        # Of a consent that ends by itself nobody is told.
        assert [s for s in self.run.strays() if not s.endswith(" keeps")] == []

    @precondition(lambda self: self.model.versions)
    @rule(unit=st.sampled_from(UNITS), latest=st.booleans())
    def asks_for_what_it_missed(self, unit: str, latest: bool) -> None:
        """It gets what it may have, and nothing tells it of a plan that it may not know of."""
        answered = self.run.ask(unit, self.plan, latest=latest)
        knows = self.model.newest(unit) is not None
        assert answered or not knows, f"{unit} asks for what it may have"
        assert knows or not answered or unit in self.run.attempted(self.plan)

    def _fetch_all(self) -> int:
        return sum(self._fetch(unit) for unit in UNITS)

    def _fetch(self, unit: str) -> int:
        letters = self.run.letters(unit)
        for key, body in letters:
            self._received(unit, key, body)
        return len(letters)

    def _received(self, unit: str, key: str, body: bytes) -> None:
        row = self._permitted(unit, key, body)
        self.run.receipt(unit, key)
        if row.about.endswith("consent-withdrawn"):
            self.owed.discard(unit)
        elif not row.about:
            assert row.sequence is not None
            copy = (row.sequence, marks(body))
            known = self.held[unit].get(row.version, copy)
            assert known[0] != copy[0] or known == copy, "two different copies under one number"
            self.held[unit][row.version] = max(copy, known, key=itemgetter(0))

    def _permitted(self, unit: str, key: str, body: bytes) -> Delivery:
        row = self.run.row(key)
        if row.about:
            assert marks(body) == frozenset(), "a notice holds nothing of the plan"
            assert unit in self.run.attempted(self.plan), "told, and had never been sent anything"
            return row
        assert self.model.may_have(unit, row.version), f"{unit} was sent version {row.version}"
        allowed = self.model.marks(unit, row.version)
        assert marks(body) <= allowed, f"{unit} was sent more than it may"
        return row

    def _has_it_all(self, unit: str) -> None:
        newest = self.model.newest(unit)
        if newest is None:
            return
        assert newest in self.held[unit], f"{unit} was not sent version {newest}"
        may, (_, has) = self.model.marks(unit, newest), self.held[unit][newest]
        assert has <= may, f"{unit} was not sent a smaller copy"
        assert has == may, f"{unit} was not sent a fuller copy"

    # Reads

    @rule(unit=st.sampled_from(UNITS))
    def reads(self, unit: str) -> None:
        """Over REST, everything and by search: exactly what is allowed at this moment."""
        newest = self.model.newest(unit)
        found = self.run.reads(unit, self.plan)
        wanted = self.model.shown(unit)
        assert found == (None if newest is None else wanted), f"{unit} reads"
        goals = self.model.goals(unit, newest) if newest is not None else frozenset()
        assert self.run.finds(unit) == goals, f"{unit} searches"

    # Time and processes

    @rule(hours=st.sampled_from((1, 5, 24, 48, 200, 24 * 190)))
    def time_passes(self, hours: int) -> None:
        """Consents begin and end by themselves."""
        self._read_the_queues()
        self.model.now += timedelta(hours=hours)
        self.run.clock.now = self.model.now
        self._changed()

    @rule()
    def maintains(self) -> None:
        """The worker follows the time."""
        self.run.maintain()

    @rule()
    def restarts(self) -> None:
        """The process ends; another goes on with what is in the store."""
        self.run.restart()

    def _read_the_queues(self) -> None:
        """What was sent when it was permitted is the receiver's; a broker looks at no consent."""
        if self.run.vhost is not None:
            for unit in sorted(BROKER):
                self._fetch(unit)

    def _tick(self) -> None:
        self.model.now += timedelta(seconds=1)
        self.run.clock.now = self.model.now

    def _name(self) -> str:
        self.names += 1
        return f"samtykke-{self.names}"

    def check_invariants(self, *arguments: Any, **more: Any) -> None:
        """Called once after each step: it is counted."""
        type(self).steps += 1
        super().check_invariants(*arguments, **more)


def _system() -> Any:
    from hub.model.party import SYSTEM  # noqa: PLC0415

    return SYSTEM


def plan_of(number: int) -> bytes:
    """The lead's plan, its goals and a relative marked as that version's."""
    bundle = json.loads(PLAN_1)
    resources = [e["resource"] for e in bundle["entry"]]
    goals = [r for r in resources if r["resourceType"] == "Goal"]
    relative = next(r for r in resources if r["resourceType"] == "RelatedPerson" and "name" in r)
    relative["name"] = [{"text": mark(number, RELATIVE)}]
    for place, (goal, sections) in enumerate(zip(goals, GOALS, strict=True)):
        goal["description"]["text"] = mark(number, place)
        goal["extension"] = [{"url": names.extension("section"), "valueCode": s} for s in sections]
        if not sections:
            del goal["extension"]
    return json.dumps(bundle).encode()


def play(place: Embedded | Production, examples: int, steps: int) -> int:
    """Play it; how many steps that were."""
    machine = type("Played", (Machine,), {"place": place, "steps": 0})
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=not FULL,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=chosen)
    found: int = machine.steps  # type: ignore[attr-defined]
    return found


@pytest.fixture(params=["embedded", "production"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Embedded | Production]:
    """Each deployment, in this process."""
    if request.param == "embedded":
        yield Embedded(tmp_path, START)
        return
    postgres: PostgresServer = request.getfixturevalue("postgres_server")
    rabbit: RabbitServer = request.getfixturevalue("rabbitmq_server")
    production = Production(tmp_path, START, postgres, rabbit)
    yield production
    production.close()


def test_never_more_and_never_less_than_the_model(
    place: Embedded | Production, capsys: pytest.CaptureFixture[str]
) -> None:
    done = 0
    while done == 0 or (FULL and done < STEPS):
        done += play(place, examples=50 if FULL else 3, steps=LONG if FULL else 20)
    with capsys.disabled():
        sys.stdout.write(f"\n{type(place).__name__}: {done} steps\n")
    assert done > (STEPS if FULL else 20)

"""What is measured: documents in, decisions, deliveries out, receipts in."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from hub.contract import Identifier, Party, Receipt
from hub.demo import documents
from hub.demo.documents import Citizen
from hub.fhir import names
from hub.model.delivery import State
from hub.model.party import CITIZEN, SYSTEM
from hub.services.accept import accept
from hub.services.hub import CANONICAL, Hub
from hub.services.process import process
from hub.services.senders import Senders
from hub.services.settle import receipt_for
from hub.services.worker import work_once
from tests.bench.counting import Counted, counting

LEAD = "rus-havneby"
JSON = "application/fhir+json"
ENOUGH = 10_000


@dataclass(frozen=True)
class Run:
    """Citizens with consents, and the hub they are in."""

    hub: Hub
    lead: Party
    citizens: Sequence[Citizen]


def begun(hub: Hub, number: int, seed: int = 1) -> Run:
    """A number of citizens of whom nothing is known yet."""
    chance = random.Random(seed)
    made: dict[str, Citizen] = {}
    while len(made) < number:
        citizen = documents.fresh(documents.KARLA, chance)
        made.setdefault(citizen.number, citizen)
    with hub.store.reading() as work:
        registered = work.parties.get(LEAD)
    assert registered is not None
    return Run(hub, registered.party, tuple(made.values()))


def measured(run: Run) -> Mapping[str, Counted]:
    """Each kind of act, for every citizen, in the order in which they happen."""
    steps: dict[str, Callable[[Run], int]] = {
        "consent, no plan": lambda r: _consents(r, "a"),
        "document": _plans,
        "approval": _approvals,
        "consent, plan of six": lambda r: _consents(r, "b"),
        "delivery": _deliveries,
        "receipt": _receipts,
    }
    found: dict[str, Counted] = {}
    for name, step in steps.items():
        with counting(run.hub.store.database.engine) as counted:
            counted.acts = step(run)
        found[name] = counted
    return found


def plan_of(citizen: Citizen) -> bytes:
    """The lead's document after the meeting."""
    return json.dumps(documents.shared_plan("plan-1.json", citizen)).encode()


def _sent(run: Run, body: bytes) -> str:
    """A document, kept and then understood, as it comes in by any door; where it went."""
    accepted = accept(run.hub, run.lead, CANONICAL, body, JSON)
    item = process(run.hub, accepted.item.id)
    assert item.state == "applied", item.answer
    return item.plan_id or ""


def _consents(run: Run, name: str) -> int:
    now = datetime.now(UTC)
    for citizen in run.citizens:
        resource = documents.consent("consent-1.json", citizen, now)
        _sent(run, json.dumps(resource | {"id": f"{name}-{citizen.run}"}).encode())
    return len(run.citizens)


def _plans(run: Run) -> int:
    for body in [plan_of(c) for c in run.citizens]:
        _sent(run, body)
    return len(run.citizens)


def _approvals(run: Run) -> int:
    now = datetime.now(UTC)
    with run.hub.store.reading() as work:
        plans = {
            c.run: work.plans.plan_ids_of_citizen(found)
            for c in run.citizens
            if (found := work.plans.citizen(_numbers(c)))
        }
    for citizen in run.citizens:
        (plan,) = plans[citizen.run]
        resource = documents.approval("approval-1.json", citizen, plan, 1, now)
        _sent(run, json.dumps(resource | {"id": f"yes-{citizen.run}"}).encode())
    return len(run.citizens)


def _deliveries(run: Run) -> int:
    """By the worker's own rounds, as fast as it goes."""
    senders = Senders(run.hub)
    before = _in(run, State.SENT)
    idle = False
    while not idle:
        run.hub.wake.clear()
        nothing_out = senders.wait(0)
        begun = work_once(run.hub, senders)
        idle = nothing_out and not begun
        if not begun and not idle:
            run.hub.wake.wait(0.1)
    senders.close(10)
    return _in(run, State.SENT) - before


def _receipts(run: Run) -> int:
    with run.hub.store.reading() as work:
        rows = work.deliveries.listing(SYSTEM, state=State.SENT.value, limit=ENOUGH)
        parties = {p.party.id: p.party for p in work.parties.all()}
    mine = [r for r in rows if r.receiver != CITIZEN]
    for row in mine:
        receipt_for(run.hub, parties[row.receiver], Receipt(of=row.id, outcome="ok", text=""))
    return len(mine)


def _in(run: Run, state: State) -> int:
    with run.hub.store.reading() as work:
        return sum(states.get(state.value, 0) for states in work.deliveries.counts().values())


def _numbers(citizen: Citizen) -> list[Identifier]:
    return [Identifier(names.CPR, citizen.number)]

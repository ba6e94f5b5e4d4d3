"""``/``: the whole flow at a glance, live."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from fastapi import APIRouter, Response

from hub.console.flow import Side, flow, grouped
from hub.console.page import Page
from hub.console.visit import OperatorDep, Visit, Visitor
from hub.console.words import known, word
from hub.model.party import CITIZEN, RegisteredParty
from hub.services import overview, queries, received
from hub.services.operate import dead_letters

ROUTER = APIRouter(route_class=Page, include_in_schema=False)
_OPERATOR = "operator"


@ROUTER.get("/")
def show(visit: Visitor, viewer: OperatorDep) -> Response:
    """The overview page."""
    hub = visit.hub
    parties = overview.parties(hub, viewer)
    deliveries = overview.delivery_counts(hub, viewer)
    documents = received.received_counts(hub, viewer)
    states: Counter[str] = Counter()
    for counted in deliveries.values():
        states.update(counted)
    tasks = queries.tasks(hub, viewer)
    picture = flow(_sectors(visit, parties, documents), _receivers(visit, parties, deliveries))
    return visit.page(
        "overview.html",
        at=hub.clock(),
        picture=picture,
        parties=parties,
        deliveries=deliveries,
        documents=documents,
        states=states,
        received=_summed(documents),
        plans=len(queries.plans(hub, viewer)),
        tasks=[t for t in tasks if t.party == _OPERATOR],
        others=len([t for t in tasks if t.party != _OPERATOR]),
        dead_letters=len(dead_letters.letters(hub, viewer)),
        queues=overview.queue_depths(hub),
        ready=overview.readiness(hub),
    )


def _summed(counts: Mapping[str, Mapping[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for counted in counts.values():
        total.update(counted)
    return total


def _sectors(
    visit: Visit, parties: Sequence[RegisteredParty], documents: Mapping[str, Mapping[str, int]]
) -> list[Side]:
    """One box a kind of party, with what came from it; in the order of the register."""
    found: dict[str, Counter[str]] = {}
    for p in parties:
        counts = found.setdefault(p.party.kind, Counter())
        for state, number in documents.get(p.party.id, {}).items():
            trouble = state in {"refused", "sealed", "set-aside"}
            counts["turned-away" if trouble else "received"] += number
    return [
        Side(known(visit.language, f"kind.{kind}", kind), dict(sorted(counts.items())))
        for kind, counts in found.items()
    ]


def _receivers(
    visit: Visit, parties: Sequence[RegisteredParty], deliveries: Mapping[str, Mapping[str, int]]
) -> list[Side]:
    citizen = Side(word(visit.language, "receiver.citizen"), grouped(deliveries.get(CITIZEN, {})))
    units = [Side(p.party.name, grouped(deliveries.get(p.party.id, {})), p.paused) for p in parties]
    return [citizen, *units]

"""What is compared: a plan, whose parties follow from consent; or a document that stands alone,
whose parties follow from its statute. Each says what is kept of it and what should be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from hub.model.alone import KINDS
from hub.model.party import CITIZEN, SYSTEM
from hub.model.records import Delivery, Task
from hub.model.routing import route
from hub.model.strays import Wanted
from hub.model.withdrawal import PURPOSES, sections_of
from hub.services.attempts import ACTOR
from hub.services.copies import as_got, current
from hub.services.document_route import due, follow_document
from hub.services.hub import Hub
from hub.services.route import reconcile, subscription_for
from hub.services.state import PlanState, plan_state
from hub.store.work import UnitOfWork

_CHUNK: Final = 100


class Compares(Protocol):
    """One of them."""

    @property
    def id(self) -> str:
        """The hub's own."""

    @property
    def plan(self) -> str:
        """The same if it is a plan, else empty."""

    @property
    def document(self) -> str:
        """The same if it is a document, else empty."""

    def lock(self, work: UnitOfWork) -> None:
        """Let nobody else decide on it until the transaction ends."""

    def deliveries(self, work: UnitOfWork) -> list[Delivery]:
        """All of it, and of notices about it."""

    def tasks(self, work: UnitOfWork) -> list[Task]:
        """Open ones about it."""

    def should(
        self, hub: Hub, work: UnitOfWork, kept: Iterable[Delivery]
    ) -> tuple[tuple[Wanted, ...], frozenset[str]]:
        """What each receiver should hold now; and who may have nothing of it and must be told."""

    def route_anew(self, hub: Hub, work: UnitOfWork) -> None:
        """Make the rows follow what is permitted now."""


def plans_from(work: UnitOfWork, after: str) -> list[Compares]:
    """The next plans that anything was ever due of, by their ids."""
    return [ComparedPlan(own) for own in work.standing.plans(after, _CHUNK)]


def documents_from(work: UnitOfWork, after: str) -> list[Compares]:
    """The next documents that stand alone, whether or not anything was ever due of them."""
    return [ComparedDocument(own) for own in work.standing.documents(KINDS, after, _CHUNK)]


@dataclass(frozen=True)
class ComparedPlan:
    """Implements :class:`Compares`."""

    id: str
    document: str = ""

    @property
    def plan(self) -> str:
        """Its id."""
        return self.id

    def lock(self, work: UnitOfWork) -> None:
        """By its row."""
        work.plans.lock(self.id)

    def deliveries(self, work: UnitOfWork) -> list[Delivery]:
        """Copies and notices."""
        return [*work.deliveries.of_plan(self.id), *work.deliveries.notices_of(self.id)]

    def tasks(self, work: UnitOfWork) -> list[Task]:
        """By the plan."""
        return work.journal.open_of(plan_id=self.id)

    def should(
        self, hub: Hub, work: UnitOfWork, kept: Iterable[Delivery]
    ) -> tuple[tuple[Wanted, ...], frozenset[str]]:
        """As routing says; where no format can be made, a person has a task already."""
        now = hub.clock()
        plan = work.plans.get(self.id, SYSTEM, now)
        assert plan is not None
        state = plan_state(work, plan, work.parties.directory(), now)
        had_at = {d.receiver: d.updated_at for d in sorted(kept, key=lambda d: d.updated_at)}
        denied = {r for r, at in had_at.items() if _denied(state, r, now) and _denied(state, r, at)}
        return tuple(_routed(hub, work, state)), frozenset(denied)

    def route_anew(self, hub: Hub, work: UnitOfWork) -> None:
        """As after every change."""
        reconcile(hub, work, self.id, work.parties.directory(), actor=ACTOR)


@dataclass(frozen=True)
class ComparedDocument:
    """Implements :class:`Compares`."""

    id: str
    plan: str = ""

    @property
    def document(self) -> str:
        """Its id."""
        return self.id

    def lock(self, work: UnitOfWork) -> None:
        """By its row."""
        work.documents.lock(self.id)

    def deliveries(self, work: UnitOfWork) -> list[Delivery]:
        """There are no notices about one."""
        return work.documents.sent(self.id)

    def tasks(self, work: UnitOfWork) -> list[Task]:
        """By the document, or by a delivery of it."""
        return work.journal.open_of(document=self.id)

    def should(
        self, hub: Hub, work: UnitOfWork, kept: Iterable[Delivery]
    ) -> tuple[tuple[Wanted, ...], frozenset[str]]:
        """What the statute lets reach whom, where the party has a subscription; without one the
        operator has a task already. What was got under it is rightly kept by who is named no more,
        and nobody is told: of one in error the newest version says so."""
        part = work.documents.get(self.id)
        assert part is not None
        rows = list(kept)
        version, permitted = due(work, part, work.parties.directory(), rows, hub.clock())
        wanted = []
        for party in sorted(permitted):
            registered = work.parties.get(party)
            subscription = registered.subscription(content=part.kind) if registered else None
            if subscription is not None:
                wanted.append(Wanted(party, subscription.format, version.number))
        return tuple(wanted), frozenset()

    def route_anew(self, hub: Hub, work: UnitOfWork) -> None:
        """As after every change."""
        part = work.documents.get(self.id)
        assert part is not None
        follow_document(hub, work, part, work.parties.directory(), actor=ACTOR)


def _routed(hub: Hub, work: UnitOfWork, state: PlanState) -> Iterator[Wanted]:
    for found in () if state.plan.in_error else route(state.facts):
        if found.verdict != "send" or found.receiver == CITIZEN:
            continue
        subscription = subscription_for(hub, work, state, found.receiver)
        if subscription is None:
            continue
        mine = [d for d in state.deliveries if d.receiver == found.receiver]
        got = as_got(subscription, mine, found.version)
        known, _ = current(work, state, found, got.format, mine)
        yield Wanted(found.receiver, subscription.format, found.version, anew=known is None)


def _denied(state: PlanState, party: str, at: datetime) -> bool:
    """By what the citizen says today it may have nothing of the plan then, for any purpose.

    Asked of now, and of when it last got something: a consent that has only run out is nobody's
    fault, and what was got under it is rightly kept.
    """
    consents = state.facts.consents
    return state.plan.in_error or not any(sections_of(consents, party, p, at) for p in PURPOSES)

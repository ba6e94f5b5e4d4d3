"""A receiver asks for what it missed of a plan: what was made for it, by its numbers.

It gets the same bytes under the same id and number, or with ``latest`` the current document. Each
is decided anew at that moment, and once more when it leaves; what may not be had now is answered
as if it were not there. The rows of what goes once more are committed, with the audit, before
anything is answered; the worker sends them, one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hub.contract import Party
from hub.errors import Invalid, NotFound
from hub.model.delivery import State
from hub.model.party import SYSTEM, Viewer
from hub.model.plan import Member, chief_role
from hub.model.records import Delivery
from hub.model.routing import PlanFacts, basis_for
from hub.ports import deliveries_queue
from hub.services.again import once_more
from hub.services.attempts import ACTOR
from hub.services.disclose import disclose
from hub.services.documents import why_not_document
from hub.services.entries import Disclosure
from hub.services.gate import beside, is_notice, refused_of
from hub.services.hub import Hub
from hub.services.quota import within_quota
from hub.services.route import reconcile
from hub.services.sight import Sight
from hub.services.state import plan_state
from hub.store.work import UnitOfWork

MOST: Final = 100
"""So many are listed, or sent once more, at one request."""
_KEPT: Final = frozenset(
    {State.SENDING, State.SENT, State.RETRY_AT, State.DELIVERED, State.DEAD}
)  # fmt: skip
_NO_PLAN: Final = "No such plan"


@dataclass(frozen=True)
class Wish:
    """What a receiver asks for."""

    plan: str
    """A plan's id, or that of a document that stands alone."""
    format: str | None = None
    """None: in every format it gets the plan in; each has numbers of its own."""
    after: int = 0
    """The last number it has before the gap."""
    latest: bool = False
    """The current document in place of everything since."""


def read_wish(asked: object) -> Wish:
    """``{"plan": id, "format": …, "after": number, "latest": true | false}``; all but the plan
    may be left out."""
    wish = asked if isinstance(asked, dict) else {}
    plan, format, after = wish.get("plan"), wish.get("format"), wish.get("after", 0)
    latest = wish.get("latest", False)
    well = isinstance(plan, str) and isinstance(format, str | None) and isinstance(latest, bool)
    if not isinstance(plan, str) or not well or type(after) is not int or after < 0:
        raise Invalid("What was missed is named by its plan, format and the number it comes after")
    return Wish(plan, format, after, latest)


@dataclass(frozen=True)
class _Found:
    """What may be had now."""

    facts: PlanFacts | None
    """Of the plan; None for a document that stands alone."""
    rows: tuple[Delivery, ...]

    def basis(self, row: Delivery) -> str:
        """The legal basis now; a notice has its own."""
        member = self._member(row.receiver)
        if is_notice(row) or member is None or self.facts is None:
            return row.basis
        return basis_for(self.facts.consents, member, self.facts.now).basis

    def role(self, party: str) -> str | None:
        member = self._member(party)
        return chief_role(member.roles) if member else None

    def _member(self, party: str) -> Member | None:
        members = self.facts.members if self.facts is not None else ()
        return next((m for m in members if m.party.id == party), None)


def made_for(hub: Hub, party: Party, wish: Wish) -> list[Delivery]:
    """What was made for it after that number and may be had now, by format and number; audited.

    Raises NotFound for a plan that it may not know of.
    """

    def look(sight: Sight, work: UnitOfWork) -> tuple[list[Delivery], list[Disclosure]]:
        found = _had(work, party, wish, hub.clock())
        known = sight.knows(wish.plan)
        rows = list(found.rows[:MOST]) if found else []
        if not rows and known is None:
            raise NotFound(_NO_PLAN)
        return rows, [known] if known else [_told_of(found, r) for r in rows if found]

    return disclose(hub, Viewer.of(party), "events", look)


def ask_for_missed(hub: Hub, party: Party, wish: Wish) -> list[Delivery]:
    """Put it on its way to the receiver once more; what is on its way already, or lies in the
    receiver's mailbox, is left there. Returns both, as they were found, the first hundred.

    Raises NotFound as :func:`made_for`, OverQuota when it has asked too often.
    """
    with hub.store.writing() as work:
        plan = work.plans.lock(wish.plan)
        if plan is None and work.documents.lock(wish.plan) is None:
            raise NotFound(_NO_PLAN)
        if wish.latest and plan is not None:
            # What is current and was not yet due is so now; it is newer than all that was made.
            reconcile(hub, work, wish.plan, work.parties.directory(), actor=ACTOR)
        now = hub.clock()
        found = _had(work, party, wish, now)
        known = Sight(work, Viewer.of(party), now).knows(wish.plan)
        if found is None or (not found.rows and known is None):
            raise NotFound(_NO_PLAN)
        chosen = _latest(work, found, party) if wish.latest else found.rows[:MOST]
        again = [r for c in chosen if (r := _resting(work, c)) is not None]
        within_quota(hub, work, party.id, sum(work.standing.size(r.id) for r in again))
        for row in again:
            _on_its_way(work, found, row, party.id, now)
        work.commit()
    hub.wake.set()
    return list(chosen)


def _had(work: UnitOfWork, party: Party, wish: Wish, now: datetime) -> _Found | None:
    plan = work.plans.get(wish.plan, SYSTEM, now)
    facts = plan_state(work, plan, work.parties.directory(), now).facts if plan else None
    ids = work.standing.frozen(wish.plan, party.id, wish.format, wish.after)
    rows = [r for i in ids if (r := work.deliveries.get(i, Viewer.of(party))) is not None]
    if plan is None and not rows:
        return None

    def refused(row: Delivery) -> str:
        if plan is None or facts is None:
            return why_not_document(work, row, now)
        return refused_of(work, plan, facts, row)

    return _Found(facts, tuple(r for r in rows if r.state in _KEPT and not refused(r)))


def _told_of(found: _Found, row: Delivery) -> Disclosure:
    """Of a notice to a unit that may know of nothing else."""
    return Disclosure(row.place, found.basis(row))


def _latest(work: UnitOfWork, found: _Found, party: Party) -> tuple[Delivery, ...]:
    """The newest copy, unless a newer one is due: that is on its way."""
    copies = [r for r in found.rows if not is_notice(r)]
    newest = max(copies, key=lambda r: (r.version, r.sequence or 0), default=None)
    rows = beside(work, newest) if newest is not None else []
    due = max((r.version for r in rows if r.state is State.DUE), default=0)
    return () if newest is None or newest.version < due else (newest,)


def _resting(work: UnitOfWork, row: Delivery) -> Delivery | None:
    """As it is now, for writing, if nothing brings it to its receiver unless it is sent once
    more."""
    now = work.deliveries.lock(row.id)
    if now is None:
        return None
    if now.state is State.SENT:
        lies = work.queues.holds(deliveries_queue(now.receiver), now.id)
        return None if lies else now
    return now if now.state in {State.DELIVERED, State.DEAD} else None


def _on_its_way(work: UnitOfWork, found: _Found, row: Delivery, asker: str, now: datetime) -> None:
    once_more(work, row, "Its receiver asks for it once more", asker, now)
    work.journal.close_tasks(asker, now, delivery_id=row.id)
    work.journal.audit(
        now, asker, "disclose", row.place, party=row.receiver, basis=found.basis(row),
        detail=f"delivery/{row.id}", role=found.role(row.receiver),
        reason="The receiver asked for what it missed",
    )  # fmt: skip

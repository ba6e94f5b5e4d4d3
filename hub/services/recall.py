"""A party's queue on the broker is taken back, and filled anew with what is still permitted.

While that is open nothing new goes to the party. What is taken out of the queue is a row before
it is gone from there; then each message is decided on anew, and those that may still be had are
published once more, in the queue's order and from the hub's own rows: same bytes, same delivery
id, same sequence number. A crash at any step, and it is done again from the start: a message may
come twice, none is lost, and the receiver can tell by the delivery id.

Who takes longer than its lease stops, before anything more leaves the queue or comes on it: another
worker has begun anew, and would not know of it.

It is done more than once (:data:`hub.model.withdrawal.LOOKS`): what somebody's connection holds
unacknowledged comes back to the queue when that ends, and must not be handed out then.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import structlog

from hub.errors import BusUnavailable
from hub.model.delivery import FINAL, State
from hub.model.party import SYSTEM
from hub.model.records import Delivery
from hub.model.withdrawal import Recall
from hub.ports import Waits, on_broker
from hub.sending import Outgoing
from hub.services.attempts import ACTOR, outgoing
from hub.services.gate import hold, refused_now
from hub.services.hub import Hub
from hub.services.move_on import move_on
from hub.store.work import UnitOfWork

LOG = structlog.get_logger()
CALLED_BACK: Final = "Taken back from the broker's queue; it may not be had any more"
SEEN_BEFORE: Final = "Taken back from the broker's queue, after it had been handed out once"


class _PassedOn(Exception):
    """It took longer than its lease, and somebody else has it now."""


def recall_due(hub: Hub) -> int:
    """Do what is open of it; returns how many queues were done."""
    with hub.store.writing() as work:
        mine = work.withdrawals.claim_recalls(hub.clock(), hub.limits.send_lease)
        if mine:
            work.commit()
    return sum(_recalled(hub, recall) for recall in mine)


def _recalled(hub: Hub, recall: Recall) -> bool:
    log, held = LOG.bind(party=recall.party), _Held(hub, recall)
    try:
        done = _carried_out(hub, held)
    except BusUnavailable as e:
        # Nothing leaves from there meanwhile either; it is tried again.
        log.warning("recall.waits", number=e.number)
        done = False
    except _PassedOn:
        log.warning("recall.passed_on")
        return False
    if not done:
        with hub.store.writing() as work:
            work.withdrawals.release_recall(held.recall)
            work.commit()
    return done


class _Held:
    """A recall in this worker's hands, for as long as it goes on with it."""

    def __init__(self, hub: Hub, recall: Recall) -> None:
        self._hub = hub
        self.recall = recall

    def note(self, found: Sequence[Waits]) -> None:
        """What is about to be taken out of the queue; raises _PassedOn, so that it stays there."""
        with self._hub.store.writing() as work:
            self._renew(work)
            work.withdrawals.taken(self.recall.party, [(w.key, w.seen) for w in found])
            work.commit()

    def keep(self) -> None:
        """Before anything is put on the queue; raises _PassedOn."""
        with self._hub.store.writing() as work:
            self._renew(work)
            work.commit()

    def _renew(self, work: UnitOfWork) -> None:
        until = self._hub.clock() + self._hub.limits.send_lease
        renewed = work.withdrawals.renew_recall(self.recall, until)
        if renewed is None:
            raise _PassedOn
        self.recall = renewed


def _carried_out(hub: Hub, held: _Held) -> bool:
    recall = held.recall
    with hub.store.reading() as work:
        registered = work.parties.get(recall.party)
        running = work.deliveries.running(recall.party, hub.clock())
    if running:
        # It would come after all else was taken.
        return False
    if registered is not None and on_broker(hub.transports.get(registered.endpoint.transport)):
        queue = registered.endpoint.address
        hub.bus.take_back(queue, held.note)
        again = [m for m in _permitted(hub, recall.party) if m is not None]
        held.keep()
        confirms = hub.bus.publish_many([(queue, m) for m in again])
        if not all(c.accepted for c in confirms):
            LOG.warning("recall.refused", party=recall.party)
            return False
        LOG.info("recall.done", party=recall.party, again=len(again))
    with hub.store.writing() as work:
        done = work.withdrawals.close_recall(held.recall, recall.look_again_at(hub.clock()))
        work.commit()
    hub.wake.set()
    return done


def _permitted(hub: Hub, party: str) -> list[Outgoing | None]:
    with hub.store.reading() as work:
        recall = work.withdrawals.recalled(party)
    assert recall is not None
    return [_decided(hub, key, seen=seen) for key, seen in recall.taken]


def _decided(hub: Hub, key: str, *, seen: bool) -> Outgoing | None:
    """What is to be published again; None for what may not be had, or is settled."""
    now = hub.clock()
    with hub.store.writing() as work:
        found = work.deliveries.get(key, SYSTEM, body=True)
        if found is None:
            LOG.warning("recall.unknown", message=key)
            return None
        hold(work, found)
        delivery = work.deliveries.lock(key)
        assert delivery is not None
        refused = refused_now(work, delivery, now)
        if refused:
            _taken(work, delivery, now, seen=seen)
            work.commit()
            return None
    given_up = delivery.state in FINAL and delivery.state is not State.DELIVERED
    waits_anyway = delivery.state in {State.RETRY_AT, State.SENDING}
    if given_up or waits_anyway or delivery.outcome is not None:
        return None
    return outgoing(found)


def _taken(work: UnitOfWork, delivery: Delivery, now: datetime, *, seen: bool) -> None:
    reason = SEEN_BEFORE if seen else CALLED_BACK
    if delivery.state not in FINAL:
        move_on(work, delivery, State.CANCELLED, reason, ACTOR, now)
    elif delivery.outcome is None and delivery.reason != reason:
        work.deliveries.restate(delivery, reason, ACTOR, now)

"""Who sends what beside each other: a slow or dead receiver holds up nobody else.

Claimed is only what can be begun at once. What goes to the hub's own queues goes a batch at a
time: made and frozen beside each other, published with their confirms awaited together, then
settled together, or each by itself where that cannot be. Everything else has a thread of its own
while it is on its way, few to one endpoint; waiting for an answer keeps nobody from making and
settling others. While a delivery is in hand its lease is renewed; a worker that dies leaves it to
the next one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from threading import Condition, Event, Semaphore, Thread
from time import monotonic

import structlog

from hub.errors import StoreUnavailable
from hub.model.lanes import Candidate, Room
from hub.sending import Batching
from hub.services.breakers import let_through, not_tried
from hub.services.deliver import guarded, prepare
from hub.services.hub import Hub
from hub.services.parcels import Parcel, hand_over
from hub.services.settling import settle_together

LOG = structlog.get_logger()


@dataclass(frozen=True)
class _Job:
    """A claimed delivery."""

    one: Candidate
    lane: str
    token: str
    probe: bool
    since: float


class Senders:
    """The deliveries in one process's hands."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._own = frozenset(n for n, t in hub.transports.items() if isinstance(t, Batching))
        self._makers = ThreadPoolExecutor(hub.limits.senders, "maker")
        """Of batches; the same threads each time, for each keeps memory of its own."""
        self._working = Semaphore(hub.limits.senders)
        """Held while a delivery is made or settled, and not while it is on its way."""
        self._changed = Condition()
        self._held: dict[str, _Job] = {}
        self._making: set[str] = set()
        """Of what goes outside: not yet on its way."""
        self._stopping = Event()
        self._keeper: Thread | None = None

    def begin(self) -> int:
        """Claim and begin what there is room for; returns how much, and waits for nothing."""
        if self._ending:
            return 0
        jobs = self._claim(self._hub.hand.token())
        with self._changed:
            self._held |= {j.one.id: j for j in jobs}
            self._making |= {j.one.id for j in jobs if j.one.transport not in self._own}
        if jobs:
            self._keep()
        lanes: dict[str, list[_Job]] = {}
        for job in jobs:
            if job.one.transport in self._own:
                lanes.setdefault(job.lane, []).append(job)
            else:
                self._start(partial(self._alone, job), [job])
        for batch in lanes.values():
            self._start(partial(self._together, batch), batch)
        return len(jobs)

    def wait(self, seconds: float | None = None) -> bool:
        """Until nothing is in hand; False if something still is after that time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._held, seconds)

    def close(self, seconds: float) -> None:
        """Begin nothing more, give back what is not begun, and wait for the rest, that long. What
        is still on its way then is sent again when its lease is over, under its own id."""
        self._stopping.set()
        if self.wait(seconds):
            self._makers.shutdown()
            return
        with self._changed:
            LOG.warning("senders.left", deliveries=sorted(self._held))
            self._held.clear()

    @property
    def _ending(self) -> bool:
        return self._stopping.is_set() or self._hub.hand.ending.is_set()

    # Claiming

    def _room(self) -> Room:
        limits = self._hub.limits
        with self._changed:
            outside = sum(j.one.transport not in self._own for j in self._held.values())
            making = len(self._making)
            held = Counter(j.lane for j in self._held.values())
        others = min(limits.senders - making, limits.outside_senders - outside)
        return Room(self._own, limits.batch, limits.endpoint_senders, others, held)

    def _claim(self, token: str) -> list[_Job]:
        room, now, limits = self._room(), self._hub.clock(), self._hub.limits
        jobs: list[_Job] = []
        with self._hub.store.writing() as work:
            while found := work.deliveries.claimable(now, limits.batch, room.full):
                picked, probes = let_through(work, room.pick(found), now, limits.send_lease)
                work.deliveries.take([c.id for c in picked], now + limits.send_lease, token)
                jobs += [_Job(c, room.lane(c), token, c.id in probes, monotonic()) for c in picked]
                room = room.after(picked)
                if not picked or len(picked) == len(found) < limits.batch:
                    break
            if jobs:
                work.commit()
        return jobs

    # Sending

    def _start(self, job: Callable[[], None], held: Sequence[_Job]) -> None:
        # A daemon, so that a receiver that never answers cannot keep a process from ending.
        Thread(target=self._ended, args=(job, held), name="sender", daemon=True).start()

    def _ended(self, job: Callable[[], None], held: Sequence[_Job]) -> None:
        try:
            job()
        except Exception as e:
            # Whatever it was, its row has a lease; nobody may wait for this thread.
            LOG.error("sender.broke", error=type(e).__name__)
        finally:
            with self._changed:
                for one in held:
                    # One that took too long may be in other hands of this process already.
                    if self._held.get(one.one.id) is one:
                        del self._held[one.one.id]
                        self._making.discard(one.one.id)
                self._changed.notify_all()
            self._hub.wake.set()

    def _alone(self, job: _Job) -> None:
        parcel = self._prepared(job)
        with self._changed:
            self._making.discard(job.one.id)
        if parcel is not None:
            # There is room for another one to be made.
            self._hub.wake.set()
            self._sent([job], [parcel])

    def _together(self, batch: Sequence[_Job]) -> None:
        made = list(self._makers.map(self._prepared, batch))
        ready = [(j, p) for j, p in zip(batch, made, strict=True) if p is not None]
        if ready:
            jobs, parcels = zip(*ready, strict=True)
            self._sent(jobs, parcels)

    def _prepared(self, job: _Job) -> Parcel | None:
        hub, one = self._hub, job.one
        with self._working:
            if self._ending:
                parcel = None
                self._give_back(job)
            else:
                parcel = guarded(hub, one.id, job.token, partial(prepare, hub, one.id, job.token))
            if parcel is None and job.probe and one.endpoint:
                not_tried(hub, one.id, one.endpoint)
        return parcel

    def _sent(self, jobs: Sequence[_Job], parcels: Sequence[Parcel]) -> None:
        hub, first = self._hub, jobs[0]
        confirms = guarded(hub, first.one.id, first.token, partial(hand_over, hub, parcels))
        if confirms is None:
            return
        left = [*zip(parcels, confirms, strict=True)]
        if len(left) > 1:
            with self._working:
                left = settle_together(hub, left)
        by_key = {j.one.id: j for j in jobs}
        steps = [
            partial(self._settled, by_key[p.message.key], partial(p.settle, c)) for p, c in left
        ]
        if len(steps) == 1:
            steps[0]()
            return
        for done in [self._makers.submit(s) for s in steps]:
            done.result()

    def _settled(self, job: _Job, step: Callable[[], None]) -> None:
        with self._working:
            guarded(self._hub, job.one.id, job.token, step)

    # Keeping

    def _give_back(self, job: _Job) -> None:
        with self._hub.store.writing() as work:
            if work.deliveries.holds_claim(job.one.id, job.token):
                work.deliveries.release(job.one.id)
                work.commit()

    def _keep(self) -> None:
        with self._changed:
            if self._keeper is None:
                self._keeper = Thread(target=self._renew, name="lease keeper", daemon=True)
                self._keeper.start()

    def _renew(self) -> None:
        """Until nothing is in hand: a third of a lease is time enough to be late twice."""
        hub, limits = self._hub, self._hub.limits
        pause = limits.send_lease.total_seconds() / 3
        while True:
            with self._changed:
                if self._changed.wait_for(lambda: not self._held, pause):
                    self._keeper = None
                    return
                longest = monotonic() - limits.longest_send.total_seconds()
                mine = {j.one.id: j.token for j in self._held.values() if j.since > longest}
            try:
                with hub.store.writing() as work:
                    work.deliveries.keep(mine, hub.clock() + limits.send_lease)
                    work.commit()
            except StoreUnavailable as e:
                LOG.warning("leases.not.renewed", number=e.number)


def deliver_due(hub: Hub) -> int:
    """Begin what can be begun now and wait for its end; returns how much it was."""
    senders = Senders(hub)
    begun = senders.begin()
    senders.wait()
    senders.close(0)
    return begun

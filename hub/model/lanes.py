"""What a worker may begin to send now, so that nobody who is slow holds up anybody else. Pure.

The hub's own queues take a batch at a time, one batch after the other, each transport by itself.
Everything else is sent one by one: a few at a time to one endpoint, and as many endpoints beside
each other as there are; only making and settling is bounded by how much work a process can do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

BY_HAND: Final = "hand"
"""The transport of what a person hands over."""


@dataclass(frozen=True)
class Candidate:
    """A delivery that may be worked on, and where it goes."""

    id: str
    transport: str
    endpoint: str | None
    """None: to a person's hand, or written by a version that did not know."""


@dataclass(frozen=True)
class Full:
    """Where nothing more may be begun now."""

    own: frozenset[str] = frozenset()
    """Transports that take a batch at a time."""
    transports: frozenset[str] = frozenset()
    """Those of them with a batch in hand."""
    endpoints: frozenset[str] = frozenset()
    outside: bool = False
    """To no other transport at all."""


NOT_FULL: Final = Full()


@dataclass(frozen=True)
class Room:
    """How much more may be begun."""

    own: frozenset[str]
    """Transports that take a batch at a time."""
    batch: int
    each: int
    """At once to one endpoint."""
    others: int
    """To all endpoints together, still."""
    held: Mapping[str, int] = field(default_factory=dict)
    """Lane to what is in hand."""
    begun: frozenset[str] = frozenset()
    """Transports that a batch is put together for now."""

    def lane(self, one: Candidate) -> str:
        """What it shares its room with."""
        return one.transport if one.transport in self.own else one.endpoint or one.transport

    @property
    def full(self) -> Full:
        """For the next look at what there is."""
        return Full(
            self.own,
            frozenset(t for t in self.own if self._left(t) <= 0),
            frozenset(lane for lane in self.held if self._left(lane) <= 0) - self.own,
            self.others <= 0,
        )

    def pick(self, found: Iterable[Candidate]) -> list[Candidate]:
        """Of these in their order, those there is room for."""
        more: Counter[str] = Counter()
        picked, others = [], self.others
        for one in found:
            lane, own = self.lane(one), one.transport in self.own
            if more[lane] >= self._left(lane) or (not own and others <= 0):
                continue
            more[lane] += 1
            others -= not own
            picked.append(one)
        return picked

    def after(self, picked: Iterable[Candidate]) -> Room:
        """What is left when these are begun."""
        taken = list(picked)
        held = Counter(self.held) + Counter(self.lane(one) for one in taken)
        own = {one.transport for one in taken if one.transport in self.own}
        others = self.others - sum(one.transport not in self.own for one in taken)
        return replace(self, held=held, begun=self.begun | own, others=others)

    def _left(self, lane: str) -> int:
        if lane not in self.own:
            return self.each - self.held.get(lane, 0)
        # A batch that is on its way is waited for; one that is put together may grow.
        busy = self.held.get(lane, 0) and lane not in self.begun
        return 0 if busy else self.batch - self.held.get(lane, 0)

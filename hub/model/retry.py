"""How a temporary failure is tried again: how often, how far apart, and how long in all. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from hub.model.delivery import FINAL, State
from hub.model.records import DeliveryEvent

_MOST: Final = timedelta(days=3650)
"""No wait is longer, whatever the numbers; more would overflow a date."""


class Spent(StrEnum):
    """Why there is no further attempt; as it stands in the delivery's history."""

    ATTEMPTS = "every attempt is spent"
    TIME = "the time for it is over"


@dataclass(frozen=True)
class RetryPolicy:
    """One subscription's, with nothing left open."""

    attempts: int = 8
    """Sends in all."""
    first: timedelta = timedelta(seconds=2)
    """Wait after the first failure."""
    longest: timedelta = timedelta(minutes=30)
    """No wait is longer, but for the jitter."""
    factor: float = 2.0
    """Each wait is so many times the one before."""
    jitter: float = 0.25
    """A wait is shorter or longer by up to this share of itself."""
    within: timedelta | None = None
    """From the first send; after that it is given up. None: attempts alone decide."""

    def wait(self, failed: int) -> timedelta:
        """After that many failed sends, without jitter; never less than after fewer."""
        first, longest = self.first.total_seconds(), self.longest.total_seconds()
        try:
            grown = first * self.factor ** max(0, failed - 1)
        except OverflowError:
            grown = longest
        return timedelta(seconds=min(grown, longest, _MOST.total_seconds()))

    def once_more(self, failed: int, now: datetime, random: float) -> datetime:
        """When to try again after ``failed`` sends, whatever is spent."""
        return now + self.wait(failed) * (1 - self.jitter + 2 * self.jitter * random)

    def after_failure(
        self, failed: int, now: datetime, random: float, began: datetime | None = None
    ) -> datetime | Spent:
        """When to try again after ``failed`` sends, or why it is given up.

        ``random`` in [0, 1) spreads receivers that failed together; ``began`` is the first send.
        The last attempt is no later than the end of the time for it.
        """
        if failed >= self.attempts:
            return Spent.ATTEMPTS
        at = self.once_more(failed, now, random)
        if self.within is None or began is None:
            return at
        # A clock that was set back makes it no longer than from now.
        end = min(began, now) + self.within
        return min(at, end) if now < end else Spent.TIME


@dataclass(frozen=True)
class RetryWish:
    """What the parties file says of it; what it leaves open is as it is without it."""

    attempts: int | None = None
    first: timedelta | None = None
    longest: timedelta | None = None
    factor: float | None = None
    jitter: float | None = None
    within: timedelta | None = None

    def over(self, policy: RetryPolicy) -> RetryPolicy:
        """The policy with what is wished in the place of what it says; a first wait that is
        longer than the policy's longest makes that longer, unless that is wished too."""
        said = {k: v for k, v in asdict(self).items() if v is not None}
        if self.first is not None:
            said.setdefault("longest", max(policy.longest, self.first))
        return replace(policy, **said)

    def written(self) -> dict[str, float]:
        """For the store: times in seconds; empty if nothing is wished."""
        said = {k: v for k, v in asdict(self).items() if v is not None}
        return {k: v.total_seconds() if isinstance(v, timedelta) else v for k, v in said.items()}

    @classmethod
    def read(cls, written: Mapping[str, Any] | None) -> RetryWish:
        """What :meth:`written` gave; a key that another version wrote is left out."""
        known = {f.name for f in fields(cls)}
        said = {k: v for k, v in (written or {}).items() if k in known}
        times = {"first", "longest", "within"} & said.keys()
        return cls(**(said | {k: timedelta(seconds=said[k]) for k in times}))


def began(history: Iterable[DeliveryEvent]) -> datetime | None:
    """The first send, by the delivery's history; of one that had ended and was begun anew, since
    then."""
    first = None
    for step in history:
        if step.state in FINAL:
            first = None
        elif step.state is State.SENDING and first is None:
            first = step.at
    return first

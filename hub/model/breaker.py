"""A circuit breaker: an endpoint that fails again and again is left alone for a while. Pure.

::

    closed ──N failures in a row──▶ open ──its pause is over: one delivery──▶ half-open
      ▲                             ▲  ◀──────────────the probe failed──────────────┘ │
      └──────any success, or a person──┴───────────────────────────────────────────────┘

An endpoint is a server (scheme, host and port), a folder or a queue, not a party: parties behind
one share its state. What a failure is: the endpoint could not be reached, or asked to wait. That it
refuses a document is an answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


class Circuit(StrEnum):
    """Where one endpoint stands."""

    CLOSED = "closed"
    """It is sent to."""
    OPEN = "open"
    """It is not, until its pause is over."""
    HALF_OPEN = "half-open"
    """One delivery is on its way to see whether it works again."""


@dataclass(frozen=True)
class BreakerPolicy:
    """When an endpoint is left alone, and for how long."""

    failures: int = 5
    """In a row; 0: never."""
    pause: timedelta = timedelta(seconds=15)
    """Before the first probe; doubles with each that fails."""
    longest: timedelta = timedelta(minutes=15)

    def pause_after(self, probes: int) -> timedelta:
        """The pause after so many failed probes."""
        # Doubled thirty times, any pause is the longest; more often, and timedelta overflows.
        doubled: int = 2 ** min(probes, 30)
        return min(self.pause * doubled, self.longest)


@dataclass(frozen=True)
class Breaker:
    """One endpoint's state, as the store keeps it."""

    endpoint: str
    state: Circuit = Circuit.CLOSED
    failures: int = 0
    """In a row."""
    probes: int = 0
    """That failed since it was opened."""
    since: datetime | None = None
    """In this state; None while it never failed."""
    until: datetime | None = None
    """Nothing is sent before that: the end of the pause, or of the wait for the probe's answer."""
    probe: str | None = None
    """The delivery that is on its way to see."""
    reason: str = ""
    """What it said last when it failed."""

    @property
    def at_rest(self) -> bool:
        """Nothing is held against it."""
        return self.state is Circuit.CLOSED and self.failures == 0

    def lets(self, now: datetime) -> bool:
        """Something may be sent: anything while closed, otherwise one probe."""
        return self.state is Circuit.CLOSED or self.until is None or self.until <= now

    def probing(self, delivery: str, now: datetime, wait: timedelta) -> Breaker:
        """That delivery is the probe; if nothing is heard of it for ``wait``, another may go."""
        return replace(self, state=Circuit.HALF_OPEN, since=now, until=now + wait, probe=delivery)

    def worked(self, now: datetime) -> Breaker:
        """The endpoint took something, or answered that it will not: it is there."""
        return self if self.at_rest else Breaker(self.endpoint, since=now)

    def failed(self, delivery: str, reason: str, now: datetime, policy: BreakerPolicy) -> Breaker:
        """It did not take that delivery. What was on its way when it opened changes nothing."""
        match self.state:
            case Circuit.CLOSED:
                one_more = replace(self, failures=self.failures + 1, reason=reason)
                if self.since is None:
                    one_more = replace(one_more, since=now)
                due = 0 < policy.failures <= one_more.failures
                return one_more._open(now, policy) if due else one_more
            case Circuit.HALF_OPEN if delivery == self.probe:
                again = replace(
                    self, failures=self.failures + 1, probes=self.probes + 1, reason=reason
                )
                return again._open(now, policy)
            case _:
                return self

    def not_tried(self, delivery: str, now: datetime) -> Breaker:
        """The probe was not sent after all; another may go at once."""
        if self.state is not Circuit.HALF_OPEN or delivery != self.probe:
            return self
        return replace(self, state=Circuit.OPEN, since=now, until=now, probe=None)

    def _open(self, now: datetime, policy: BreakerPolicy) -> Breaker:
        pause = policy.pause_after(self.probes)
        return replace(self, state=Circuit.OPEN, since=now, until=now + pause, probe=None)


def endpoint_of(transport: str, address: str) -> str:
    """The endpoint of an address: what fails together. No path and no query: they may hold a
    secret, and one server is one endpoint."""
    url = urlsplit(address)
    if url.scheme in _PORTS and url.hostname:
        try:
            port = url.port or _PORTS[url.scheme]
        except ValueError:
            port = _PORTS[url.scheme]
        host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
        return f"{url.scheme}://{host}:{port}"
    return f"{transport}:{address}"

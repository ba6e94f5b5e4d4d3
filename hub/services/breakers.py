"""Circuit breakers at work: what each send said of its endpoint, and what operators see and do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog

from hub.errors import NotFound
from hub.model.breaker import Breaker, Circuit, endpoint_of
from hub.model.lanes import Candidate
from hub.sending import Confirm, Endpoint
from hub.services.attempts import is_ours
from hub.services.hub import Hub
from hub.services.lapse import ACTOR
from hub.store.work import UnitOfWork

LOG = structlog.get_logger()


def heard(hub: Hub, work: UnitOfWork, endpoint: Endpoint, delivery: str, confirm: Confirm) -> None:
    """What the endpoint said to one delivery; the last thing of a transaction that locks.

    A refusal is an answer: the endpoint is there. The hub's own broker being away says nothing of
    the queues on it.
    """
    name, now = endpoint_of(endpoint.transport, endpoint.address), hub.clock()
    working = confirm.accepted or confirm.permanent
    if is_ours(confirm) or (working and work.breakers.get(name).at_rest):
        return
    before = work.breakers.lock(name)
    if working:
        after = before.worked(now)
    else:
        after = before.failed(delivery, confirm.reason, now, hub.breaker)
    _save(work, before, after, now, ACTOR)


def not_tried(hub: Hub, delivery: str, endpoint: str) -> None:
    """A probe did not get as far as its endpoint: another one may go at once."""
    with hub.store.writing() as work:
        before = work.breakers.lock(endpoint)
        after = before.not_tried(delivery, hub.clock())
        if after != before:
            work.breakers.save(after)
            work.commit()


def let_through(
    work: UnitOfWork, picked: Sequence[Candidate], now: datetime, wait: timedelta
) -> tuple[list[Candidate], frozenset[str]]:
    """Those that may go, and which of them are probes: of an endpoint whose pause is over one."""
    shut = work.breakers.lock_shut({c.endpoint for c in picked if c.endpoint})
    going, probes = [], set()
    for one in picked:
        breaker = shut.get(one.endpoint or "")
        if breaker is None:
            going.append(one)
        elif breaker.lets(now):
            shut[breaker.endpoint] = breaker.probing(one.id, now, wait)
            work.breakers.save(shut[breaker.endpoint])
            LOG.info("endpoint.probed", endpoint=breaker.endpoint, delivery=one.id)
            going.append(one)
            probes.add(one.id)
    return going, frozenset(probes)


def reset(hub: Hub, endpoint: str, *, by: str, reason: str) -> None:
    """A person says that the endpoint works again: it is sent to at once."""
    with hub.store.writing() as work:
        if work.breakers.get(endpoint).at_rest:
            raise NotFound("Nothing is held against that endpoint")
        before, now = work.breakers.lock(endpoint), hub.clock()
        _save(work, before, before.worked(now), now, by, reason)
        work.commit()
    hub.wake.set()


def failing(hub: Hub) -> list[tuple[Breaker, list[str]]]:
    """Every endpoint that failed and has not worked since, with the parties that are behind it."""
    with hub.store.reading() as work:
        behind = work.breakers.behind()
        return [(b, behind.get(b.endpoint, [])) for b in work.breakers.listing()]


def endpoint_rows(hub: Hub) -> list[dict[str, Any]]:
    """The same, for the API and the command."""
    return [_row(breaker, parties) for breaker, parties in failing(hub)]


def _row(breaker: Breaker, parties: Iterable[str]) -> dict[str, Any]:
    return {
        "endpoint": breaker.endpoint,
        "state": breaker.state.value,
        "failures": breaker.failures,
        "reason": breaker.reason,
        "since": breaker.since.isoformat() if breaker.since else None,
        "until": breaker.until.isoformat() if breaker.until else None,
        "probes": breaker.probes,
        "parties": list(parties),
    }


def _save(
    work: UnitOfWork, before: Breaker, after: Breaker, now: datetime, by: str, reason: str = ""
) -> None:
    """The new state; opened, opened again and closed are told in the log and the audit trail."""
    if after == before:
        return
    work.breakers.save(after)
    if after.state is before.state:
        return
    opened = after.state is Circuit.OPEN
    LOG.warning(
        "endpoint.opened" if opened else "endpoint.closed",
        endpoint=after.endpoint, failures=after.failures, by=by, why=reason or after.reason,
    )  # fmt: skip
    work.journal.audit(
        now, by, "endpoint-open" if opened else "endpoint-close", f"endpoint/{after.endpoint}",
        outcome="success", reason=reason or after.reason or None,
    )  # fmt: skip

"""Received documents as people look them up: states and answers, nothing of what they hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from hub.errors import Issue, NotFound
from hub.fhir.codec import parse_json
from hub.fhir.outcome import translation
from hub.model.party import Viewer
from hub.model.records import InboxItem, InboxState
from hub.services.hub import Hub
from hub.services.overview import for_operators

INBOX_STATES: Final[tuple[InboxState, ...]] = (
    "received", "set-aside", "sealed", "refused", "unattached", "applied",
)  # fmt: skip
"""Every state of a received document; those that need a person's eye come first."""


@dataclass(frozen=True)
class Received:
    """A received document as an operator sees it: no bytes, and of a sealed one no format."""

    id: str
    sender: str
    state: InboxState
    channel: str
    received_at: datetime
    format: str | None
    status: int | None
    plan_id: str | None
    plan_version: int | None
    issues: tuple[Issue, ...]
    """The answer, read from its OperationOutcome."""


def received(hub: Hub, viewer: Viewer, state: InboxState | None = None) -> list[Received]:
    """Received documents, newest first; all states, or one. A party sees its own."""
    wanted = (state,) if state else INBOX_STATES
    with hub.store.reading() as work:
        return [_received(i) for i in work.inbox.listing(viewer, wanted)]


def received_one(hub: Hub, viewer: Viewer, item_id: str) -> Received:
    """One received document; NotFound also for another party's."""
    with hub.store.reading() as work:
        item = work.inbox.get(item_id, viewer)
    if item is None:
        raise NotFound("No such message is known to you")
    return _received(item)


def _received(item: InboxItem) -> Received:
    sealed = item.state == "sealed"
    return Received(
        item.id, item.sender, item.state, item.channel, item.received_at,
        None if sealed else item.format, item.status, item.plan_id, item.plan_version,
        issues_of(item.answer),
    )  # fmt: skip


def issues_of(answer: str | None) -> tuple[Issue, ...]:
    """The issues of a stored answer; none while there is none."""
    stored: Mapping[str, Any] = parse_json(answer.encode()) if answer else {}
    results = (e["response"].get("outcome", {}) for e in stored.get("entry", ()))
    return tuple(i for outcome in (stored, *results) for i in _issues(outcome))


def _issues(outcome: Mapping[str, Any]) -> tuple[Issue, ...]:
    return tuple(
        Issue(i["severity"], i["code"], i.get("details", {}).get("text", ""),
              next(iter(i.get("expression") or i.get("location") or ()), None),
              translation(i.get("details", {})))
        for i in outcome.get("issue", ())
    )  # fmt: skip


def received_counts(hub: Hub, viewer: Viewer) -> dict[str, dict[str, int]]:
    """Sender to state to number of received documents."""
    for_operators(viewer)
    with hub.store.reading() as work:
        return work.inbox.counts()

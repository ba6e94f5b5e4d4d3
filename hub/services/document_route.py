"""What is sent of a document that stands alone: a delivery to each of its parties that subscribes.

Made to follow in the transaction that changes the document, its parties, or what the citizen has
said. Can be done at any time, and changes nothing when nothing changed: a new version is made only
where what others are shown is another.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hub.law import statutes
from hub.model.alone import is_alone
from hub.model.delivery import UNDER_WAY, WAITING, State
from hub.model.party import Directory, Subscription
from hub.model.records import Delivery, Part, Task
from hub.ports import deliveries_queue
from hub.services.documents import (
    as_sent,
    digest_of,
    follow_access,
    in_error,
    reached,
    why_not_document,
)
from hub.services.frozen import TAKEN_BACK
from hub.services.hub import Hub, repeatable
from hub.services.move_on import move_on
from hub.services.withdrawal import call_back
from hub.store.journal import OPERATOR
from hub.store.work import UnitOfWork

_DUE: Final = "The document names it as a party"
_NOT_NOW: Final = "It is not to be sent to this unit any more"
_HAS_LEFT: Final = UNDER_WAY | {State.DELIVERED}


@dataclass(frozen=True)
class Version:
    """The document as others are to have it now."""

    part: Part
    number: int
    digest: str


def due(
    work: UnitOfWork, part: Part, directory: Directory, rows: Iterable[Delivery], now: datetime
) -> tuple[Version, dict[str, str]]:
    """The version that is to be had now, and who is to have it, each with the statute. ``rows``:
    what was made of the document."""
    kept = list(rows)
    content = as_sent(work, part)
    permitted = reached(work, part, directory, now) if content else {}
    if in_error(work, part):
        # Only who had something of it is told that it is wrong.
        had = {r.receiver for r in kept if r.attempts}
        permitted = {party: basis for party, basis in permitted.items() if party in had}
    return _version(part, digest_of(content), kept), permitted


def follow_documents(
    hub: Hub, work: UnitOfWork, directory: Directory, citizen: str | None = None, *, actor: str
) -> None:
    """All documents of a citizen, or all there are: a unit may have become a party."""
    for part in work.documents.of_kinds(_kinds(), citizen):
        follow_document(hub, work, part, directory, actor=actor)


def hold_documents(work: UnitOfWork, citizen: str) -> None:
    """Let nobody else decide on the citizen's documents that stand alone: before one of them is
    written, and in the order in which :func:`follow_documents` comes to them."""
    for part in work.documents.of_kinds(_kinds(), citizen):
        if is_alone(part.kind):
            work.documents.lock(part.id)


def _kinds() -> frozenset[str]:
    """What a statute lets others look up, or be sent."""
    known = (s for s in statutes() if s.use in {"delivery", "look-up"})
    return frozenset(kind for statute in known for kind in statute.carries)


def follow_document(
    hub: Hub, work: UnitOfWork, part: Part, directory: Directory, *, actor: str
) -> None:
    """Make one document's rows, of looking it up and of sending it, say what the law, its owner
    and the citizen say of it."""
    follow_access(work, part, directory)
    # What may be part of a shared plan goes with that.
    if not is_alone(part.kind) or work.documents.lock(part.id) is None:
        return
    now = hub.clock()
    _take_back(hub, work, work.documents.sent(part.id), actor, now)
    rows = work.documents.sent(part.id)
    version, permitted = due(work, part, directory, rows, now)
    for party, basis in sorted(permitted.items()):
        mine = [r for r in rows if r.receiver == party]
        _follow(work, version, party, basis, mine, actor, now)
    _cancel(work, (r for r in rows if r.receiver not in permitted), actor, now)
    for party in {r.receiver for r in rows} | set(permitted):
        if party not in permitted:
            work.journal.close_tasks(actor, now, task_id=_task_id(part, party))
    hub.wake.set()


def _version(part: Part, digest: str, rows: list[Delivery]) -> Version:
    newest = max(rows, key=lambda r: r.version, default=None)
    if newest is None:
        return Version(part, 1, digest)
    number = newest.version if newest.digest == digest else newest.version + 1
    return Version(part, number, digest)


def _follow(
    work: UnitOfWork,
    version: Version,
    party: str,
    basis: str,
    rows: list[Delivery],
    actor: str,
    now: datetime,
) -> None:
    registered = work.parties.get(party)
    subscription = registered.subscription(content=version.part.kind) if registered else None
    task_id = _task_id(version.part, party)
    if subscription is None:
        # Of no plan in which the operator would see whom it is about.
        text = (
            f"A koordinationsplan names {party}, which has no subscription for it; add one to "
            "the parties file"
        )
        about = version.part.id
        work.journal.open_task(
            Task(task_id, "subscription", OPERATOR, text, None, None, None, now, document=about)
        )
        return
    work.journal.close_tasks(actor, now, task_id=task_id)
    same = [r for r in rows if r.version == version.number and r.ruling != "anew"]
    if not any(r.state in _HAS_LEFT for r in same):
        # What a receiver has got it does not get again because its format changed.
        _made(work, version, party, basis, subscription, rows, actor, now)
    for other in rows:
        older = subscription.versions == "latest" and other.version < version.number
        again = other.version == version.number and other.format != subscription.format
        if other.state in WAITING and (older or again):
            reason = f"Version {version.number} took its place"
            move_on(work, other, State.SUPERSEDED, reason, actor, now)


def _made(
    work: UnitOfWork,
    version: Version,
    party: str,
    basis: str,
    subscription: Subscription,
    rows: list[Delivery],
    actor: str,
    now: datetime,
) -> None:
    """The row of this receiver, version and format, if it is not there."""
    row_id = repeatable(
        "document", version.part.id, party, str(version.number), subscription.format
    )
    by_id = {r.id: r for r in rows}
    while (known := by_id.get(row_id)) is not None and _is_history(known):
        row_id = repeatable(row_id, "again")
    if known is not None:
        return
    made = Delivery(
        id=row_id,
        plan_id="",
        document=version.part.id,
        about=version.part.kind,
        receiver=party,
        format=subscription.format,
        version=version.number,
        digest=version.digest,
        state=State.DUE,
        reason=_DUE,
        basis=basis,
        created_at=now,
        updated_at=now,
    )
    work.deliveries.add(made, actor)


def _is_history(known: Delivery) -> bool:
    """It came to nothing, or an operator had it made anew; what an operator stopped stays so."""
    if known.ruling is not None:
        return known.ruling == "anew"
    return known.state in {State.CANCELLED, State.SUPERSEDED}


def _take_back(
    hub: Hub, work: UnitOfWork, rows: Iterable[Delivery], actor: str, now: datetime
) -> None:
    """Bytes that may not leave any more are taken out of the hub's own mailboxes and not sent
    again; what lies on the broker is taken back by the worker."""
    gone = [(r, why) for r in rows if r.state in UNDER_WAY
            and (why := why_not_document(work, r, now))]  # fmt: skip
    for row, why in gone:
        queue = deliveries_queue(row.receiver)
        lies = row.state is State.SENT and work.queues.holds(queue, row.id)
        if row.state is State.RETRY_AT or lies:
            work.queues.settle(queue, row.id, now)
            reason = TAKEN_BACK if lies else why
            move_on(work, row, State.CANCELLED, reason, actor, now)
    sent = [row for row, _ in gone]
    for receiver in sorted({r.receiver for r in sent}):
        call_back(hub, work, sent, receiver, now)


def _cancel(work: UnitOfWork, rows: Iterable[Delivery], actor: str, now: datetime) -> None:
    """What waits for units that are to have it no more."""
    for row in rows:
        if row.state in WAITING:
            reason = why_not_document(work, row, now) or _NOT_NOW
            move_on(work, row, State.CANCELLED, reason, actor, now)


def _task_id(part: Part, party: str) -> str:
    return repeatable("task", "subscription", repeatable(part.id, party))

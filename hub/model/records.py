"""What the store keeps, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal

from hub.contract import Resource
from hub.model.delivery import State
from hub.model.plan import Key

InboxState = Literal["received", "applied", "unattached", "refused", "sealed", "set-aside"]


@dataclass(frozen=True)
class InboxItem:
    """A received document and the hub's answer to it."""

    id: str
    sender: str
    message_id: str
    format: str
    media_type: str
    channel: str
    """``http`` or ``amqp``."""
    body: bytes | None
    """None once deleted, and for an operator when sealed."""
    body_hash: str
    state: InboxState
    received_at: datetime
    turn: int = 0
    """The order in which one sender's messages came, whatever the clocks said; the store gives
    it."""
    status: int | None = None
    """The HTTP status of the answer."""
    answer: str | None = None
    """JSON: an OperationOutcome; of what was written over REST, a Bundle of its results."""
    plan_id: str | None = None
    plan_version: int | None = None
    attempts: int = 0
    request: Mapping[str, str] | None = None
    """What came over REST: ``method``, ``url`` below the FHIR base, ``ifMatch`` and
    ``ifNoneExist`` as in Bundle.entry.request; None for a whole document."""


ENDED: Final = frozenset({"completed", "revoked", "entered-in-error"})
"""Of CarePlan.status: nothing more happens with it."""


@dataclass(frozen=True)
class Plan:
    """One KI-plan."""

    id: str
    citizen_id: str
    lead: str
    status: str
    """CarePlan.status of the shared part (R4 request-status)."""
    head: int
    consent_epoch: int

    @property
    def in_error(self) -> bool:
        """It was published in error: it is nobody's any more."""
        return self.status == "entered-in-error"

    @property
    def open(self) -> bool:
        """It has not ended: a sector's document may join it."""
        return self.status not in ENDED


@dataclass(frozen=True)
class Part:
    """One owner's part of a plan, or of a citizen who has no plan yet."""

    id: str
    citizen_id: str
    plan_id: str | None
    owner: str
    kind: str
    case_id: str
    members: tuple[Key, ...]
    """The CarePlan first."""
    source_inbox: str | None
    """The message that wrote it last."""
    document_inbox: str | None = None
    """The owner's own last whole document: what is re-issued to it."""


@dataclass(frozen=True)
class PlanVersion:
    """A manifest of resource versions; immutable."""

    plan_id: str
    number: int
    manifest: Mapping[str, tuple[Key, ...]]
    """Part id to its members."""
    digest: str
    """The shared part's content."""
    written_by: str
    created_at: datetime
    written_on: int | None = None
    """The older version that its writer had, where that is not all of this one; None: it wrote
    what stands here."""


ProposalKind = Literal["proposal", "conflict"]
ProposalState = Literal["open", "accepted", "rejected", "replaced", "superseded"]


@dataclass(frozen=True)
class Proposal:
    """A change of one piece that waits for a person, or waited."""

    id: str
    plan_id: str
    part_id: str
    """Of the plan's shared part, or of another owner's."""
    piece: str
    kind: ProposalKind
    """By one who does not own it; or by one who does, of what another had changed meanwhile."""
    author: str
    """The unit that wrote it."""
    decider: str
    """The unit whose people decide."""
    version: int
    """The plan's newest version when it came."""
    base: Any
    """What its author had; None: nothing."""
    theirs: Any
    """What its author wants it to say; None: it is to go."""
    state: ProposalState
    created_at: datetime
    actor: str | None = None
    """The unit whose own words the piece is."""
    inbox_id: str | None = None
    base_version: int | None = None
    """The version that its author had."""
    carried: Mapping[str, Resource] = field(default_factory=dict)
    """``Type/id`` to the people and units that the new text names."""
    reason: str = ""
    decided_by: str | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True)
class Delivery:
    """One plan version for one receiver, one document that stands alone, or one notification of a
    FHIR Subscription."""

    id: str
    plan_id: str
    """Empty: of no plan (a handshake, a heartbeat, a consent of a citizen without a plan; a
    document that stands alone)."""
    receiver: str
    format: str
    version: int
    """Of the plan; of a notification: of what it is about; of a document that stands alone: it
    counts what others are shown of it."""
    digest: str
    state: State
    reason: str
    basis: str
    created_at: datetime
    updated_at: datetime
    attempts: int = 0
    retry_at: datetime | None = None
    consent_epoch: int | None = None
    sequence: int | None = None
    message_id: str | None = None
    media_type: str | None = None
    subscription: str = ""
    """The FHIR Subscription this is a notification of; empty for the plan itself."""
    about: str = ""
    """Of a notification: ``CarePlan/<id>``, ``Consent/<id>``, ``handshake`` or ``heartbeat``; of a
    document that stands alone: its kind."""
    event: int | None = None
    """Of a notification: its number in the subscription, once it has one."""
    body: bytes | None = None
    """Frozen bytes; only loaded where they are sent or fetched."""
    sections: frozenset[str] | None = None
    """What the receiver might have items about when the bytes were frozen; None: not frozen, or
    before that was written down."""
    outcome: Literal["ok", "transient", "permanent"] | None = None
    """The receiver's last receipt; None while there is none."""
    ruling: Literal["stop", "anew"] | None = None
    """An operator's: it is not made again until one says so, or another one was made for it."""
    document: str = ""
    """The id of the document that stands alone (a :class:`Part`) which this is; else empty."""

    @property
    def content(self) -> str:
        """Which subscriptions of its receiver it follows."""
        return self.about if self.document else "plan"

    @property
    def place(self) -> str:
        """What it is of, as the audit trail names it."""
        if self.document:
            return f"CarePlan/{self.document}"
        if self.plan_id:
            return f"CarePlan/{self.plan_id}/_history/{self.version}"
        return f"delivery/{self.id}"


@dataclass(frozen=True)
class DeliveryEvent:
    """One step in a delivery's history."""

    at: datetime
    state: State
    reason: str
    actor: str


@dataclass(frozen=True)
class Task:
    """Something a named person must do."""

    id: str
    kind: str
    party: str
    """The unit whose person it is; ``operator`` for the hub's own."""
    text: str
    plan_id: str | None
    delivery_id: str | None
    inbox_id: str | None
    created_at: datetime
    done_at: datetime | None = None
    done_by: str | None = None
    document: str | None = None
    """The document that stands alone that it is about; for the hub's own use."""


@dataclass(frozen=True)
class LossRow:
    """A loss with what it belongs to."""

    delivery_id: str | None
    inbox_id: str | None
    path: str
    kind: str
    reason: str


@dataclass(frozen=True)
class Hop:
    """The plan on its way from the lead to its coordinator, and on to the other one."""

    plan_id: str
    from_party: str
    to_party: str
    person: str
    """Who handed it on; empty for the hub's own delivery to the lead's coordinator."""
    at: datetime


@dataclass(frozen=True)
class Thread:
    """What has been said to one receiver of a plan in one thread, so that it may be repeated."""

    state: Mapping[str, Any]
    """The adapter's own."""
    key: str | None
    """What an answer names the thread by."""
    delivery_id: str | None
    """The hub's last message in it."""
    versions: tuple[int, ...]
    """Of the plan, that the thread told of."""
    sections: frozenset[str]
    """What the receiver might have items about, when they were told."""
    shown: frozenset[str]
    """Paths of the items that were told, as in a Loss."""

    def continued_by(self, state: Mapping[str, Any]) -> Thread:
        """The same thread after the receiver wrote in it."""
        return replace(self, state=state)


@dataclass(frozen=True)
class Letter:
    """What a person at a receiver wrote about a plan."""

    id: str
    """Of the received message."""
    plan_id: str
    sender: str
    addressee: str
    """The unit that led the plan when it came."""
    kind: Literal["new", "reply", "forward"]
    text: str
    at: datetime

    def without_text(self) -> Letter:
        """That it came, and no more."""
        return replace(self, text="")

"""What is known of a run: what the clients did and saw, and what the database holds afterwards.

Times are seconds of this machine's clock, the database's commit times included.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

CITIZEN = "citizen"
"""The receiver that a person hands its copy to."""
Status = Literal["ok", "refused", "stale", "unknown"]
OpKind = Literal["write", "swap", "read", "decide", "approve", "again"]


@dataclass(frozen=True)
class Op:
    """One thing that a sector's system asked for, however often it had to ask."""

    kind: OpKind
    """``write`` puts a document in its part whatever is there; ``swap`` does so only on the
    version it names; ``decide`` is a consent or its withdrawal; ``again`` is a document that was
    answered before."""
    by: str
    case: str
    """The citizen, by a name of this run."""
    begin: float
    end: float | None
    """When the hub's answer was there; None if none ever came."""
    status: Status
    """``stale``: refused because the version that it named was not the newest."""
    plan: str = ""
    part: str = ""
    token: str = ""
    """What a write leaves behind, nowhere else to be found."""
    base: int = 0
    version: int = 0
    """The plan's version that the answer names."""
    message: str = ""
    seen: Mapping[str, str] = field(default_factory=dict)
    """A read's tokens by part; of a write, what else came into the plan with it."""
    permits: frozenset[str] = frozenset()
    """The units that may receive from this decision on."""
    why: str = ""
    """What the hub said where it refused."""

    def __hash__(self) -> int:
        return id(self)


@dataclass(frozen=True)
class Arrival:
    """A message at its receiver, written down before it was receipted."""

    receiver: str
    delivery: str
    sequence: int
    digest: str
    begin: float
    """When it was asked for; the same as ``at`` where it was brought."""
    at: float
    fetched: bool = False
    """Over HTTP from the mailbox, where fetching is the disclosure."""


@dataclass(frozen=True)
class DeliveryRow:
    """A delivery as it stands at the end."""

    id: str
    plan: str
    receiver: str
    version: int
    state: str
    format: str = "fhir"
    scheduled: bool = False
    """It has a time at which it is tried again."""
    task: bool = False
    """An open task is about it."""
    audited: bool = True
    """The audit trail has its disclosure."""
    notice: bool = False
    """It says something about the plan, and is not the plan."""


@dataclass(frozen=True)
class Sending:
    """``sending`` was committed: from here on the bytes may have left."""

    delivery: str
    committed: float


@dataclass(frozen=True)
class VersionRow:
    """A version of a plan, and the message that made it."""

    plan: str
    number: int
    sender: str
    message: str
    tokens: Mapping[str, str]
    """By part."""


@dataclass(frozen=True)
class InboxRow:
    """A received message as it stands at the end."""

    sender: str
    message: str
    state: str


@dataclass(frozen=True)
class Aftermath:
    """The database when everything has come to rest."""

    deliveries: tuple[DeliveryRow, ...] = ()
    sendings: tuple[Sending, ...] = ()
    versions: tuple[VersionRow, ...] = ()
    inbox: tuple[InboxRow, ...] = ()
    unsettled: int = 0
    """Withdrawals that are not carried out to the end."""


@dataclass(frozen=True)
class History:
    """Everything that is judged."""

    ops: tuple[Op, ...]
    arrivals: tuple[Arrival, ...]
    after: Aftermath
    every_version: frozenset[str] = frozenset()
    """Receivers that get each version; the others get the newest."""
    on_approval: frozenset[str] = frozenset()
    """Receivers that get what the citizen has approved."""
    renewed: frozenset[str] = frozenset()
    """Formats that are sent again in a new envelope."""

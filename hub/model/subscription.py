"""FHIR Subscriptions (Subscriptions R5 Backport 1.1.0 for R4): how a party is told, never that.

What a party is told of is decided by the gate that decides what it may read. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from hub.fhir import names

BACKPORT: Final = "http://hl7.org/fhir/uv/subscriptions-backport"
PROFILE: Final = f"{BACKPORT}/StructureDefinition/backport-subscription"
PLAN_CHANGE: Final = f"{names.BASE}/SubscriptionTopic/plan-change"
CONSENT_CHANGE: Final = f"{names.BASE}/SubscriptionTopic/consent-change"
TOPICS: Final[Mapping[str, str]] = {PLAN_CHANGE: "CarePlan", CONSENT_CHANGE: "Consent"}
"""Topic to the type of what its events are about."""
FORMAT: Final = "notification"
"""Stands where a delivery of a plan has its format."""
HOOK: Final = "hook"
"""The transport of notifications."""
HANDSHAKE: Final = "handshake"
HEARTBEAT: Final = "heartbeat"
KEEPALIVE: Final = (HANDSHAKE, HEARTBEAT)
"""What a notification is about that tells of no event."""

Status = Literal["requested", "active", "error", "off"]
Content = Literal["empty", "id-only", "full-resource"]
CONTENTS: Final[tuple[Content, ...]] = ("empty", "id-only", "full-resource")
ChannelType = Literal["rest-hook", "message"]


@dataclass(frozen=True)
class Wish:
    """What the resource asks for."""

    topic: str
    channel: ChannelType
    endpoint: str
    payload: str
    """Media type of the notifications."""
    content: Content
    headers: tuple[tuple[str, str], ...]
    """The party's own; shown to nobody else."""
    patients: frozenset[str] | None
    """Only about these citizens, by the hub's Patient ids; None: about all."""
    ids: frozenset[str] | None
    """Only about the plans (or consents) with these ids."""
    heartbeat: int | None
    timeout: float | None
    """Seconds."""
    ends_at: datetime | None

    @property
    def kind(self) -> str:
        """The type of what its events are about."""
        return TOPICS[self.topic]

    def wants(self, about: str, citizen: str) -> bool:
        """The filters let it through: ``about`` is ``Type/id``."""
        own = self.patients is None or citizen in self.patients
        return own and (self.ids is None or about.partition("/")[2] in self.ids)


@dataclass(frozen=True)
class FhirSubscription:
    """Where one stands."""

    id: str
    party: str
    wish: Wish
    status: Status
    error: str | None
    """Why it is not active, for the party and the operator."""
    version: int
    """Of its resource."""
    events: int
    """The last number given to an event."""
    told_at: datetime | None
    """When its endpoint last took a notification."""
    suspended_by: str | None
    suspended_reason: str | None
    created_at: datetime
    deleted_at: datetime | None = None

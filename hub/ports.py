"""What the services need from outside, as protocols with their promises."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event
from typing import Any, Literal, Protocol

from hub.contract import Adapter, Audience, Party, Resource
from hub.errors import Issue
from hub.model.client import Grant
from hub.sending import PartyQueues, Transport


class Clock(Protocol):
    """The time, aware and in UTC."""

    def __call__(self) -> datetime:
        """Now."""
        ...


class Adapters(Protocol):
    """The formats this installation knows."""

    def adapter(self, format: str) -> Adapter:
        """The adapter of a format; raises Unsupported naming the known formats."""
        ...

    def inbound(self) -> tuple[str, ...]:
        """The formats that documents come in, in order of name."""
        ...

    def for_event(self, event: str) -> Adapter:
        """The adapter of a FHIR message event (``system|code``); raises Unsupported."""
        ...

    def for_notices(self) -> Adapter:
        """The adapter that makes notices and nothing else; raises Unsupported."""
        ...


class Validator(Protocol):
    """Checks resources against R4 4.0.1, profiles, and the rules in code of other makers' profiles.

    Promises: it changes nothing and keeps nothing; a resource with an ``error`` or ``fatal`` issue
    is not valid, one without is; every issue has an R4 issue type and a FHIRPath from the resource
    given; no value of a resource stands in any issue; equal input gives equal issues. It may be
    shared between threads. Whatever JSON object it is given, it raises nothing but a Temporary
    error where the validator itself cannot be reached.
    """

    def check(self, resources: Iterable[Resource], *, profile: str | None = None) -> list[Issue]:
        """All issues of these resources at once; references between them are followed.

        Each is held to ``profile`` if one is given (an unknown one is an error), else to what
        it declares in ``meta.profile`` (an unknown one is told, as information). The second
        resource of one type is ``Goal[1]`` in the issues' paths, the third ``Goal[2]``.
        """
        ...


def reissues(adapter: Adapter) -> bool:
    """It makes nothing but the receiver's own last document again (attribute ``reissues``)."""
    found: bool = getattr(adapter, "reissues", False)
    return found


def carries_notices(adapter: Adapter) -> bool:
    """It makes a document of a Notice (attribute ``notices``)."""
    found: bool = getattr(adapter, "notices", False)
    return found


def carries_alone(adapter: Adapter) -> bool:
    """It makes a sector plan that stands alone a document of itself, for others than its owner
    too, and nothing that looks like a part of a shared plan (attribute ``alone``)."""
    found: bool = getattr(adapter, "alone", False)
    return found


def on_broker(transport: Transport | None) -> bool:
    """What it sent waits on the broker, outside the hub's database (attribute ``on_broker``)."""
    found: bool = getattr(transport, "on_broker", False)
    return found


def audiences_of(adapter: Adapter) -> tuple[Audience, ...]:
    """For whom the adapter renders; parties alone, unless it says otherwise."""
    found: tuple[Audience, ...] = getattr(adapter, "audiences", ("party",))
    return found


@dataclass(frozen=True)
class PartyAccess:
    """A party as the broker must know it."""

    party: Party
    secret: str | None = field(default=None, repr=False)
    """The plain credential where it was just made; None leaves the broker's user as it is."""


@dataclass(frozen=True)
class InboundMessage:
    """A message from one of the hub's own inbound queues."""

    kind: Literal["document", "receipt", "dead"]
    user: str
    """The party id, validated by the broker (``user_id``)."""
    format: str
    """The routing key of a document; empty otherwise."""
    message_id: str | None
    media_type: str
    body: bytes
    reason: str = ""
    """Why a dead letter died, and in which queue."""


InboundHandler = Callable[[InboundMessage], None]
"""Returns when the message is committed (it is then acknowledged); a Temporary error puts it
back after a pause; any other error counts towards the delivery limit."""


@dataclass(frozen=True)
class QueueDepth:
    """One queue as an operator sees it."""

    name: str
    ready: int
    unacknowledged: int
    consumers: int


@dataclass(frozen=True)
class Waits:
    """A message in a queue."""

    key: str
    seen: bool
    """It was handed out before and came back: its receiver may have read it."""


class Bus(PartyQueues, Protocol):
    """The message broker, or durable queues in the hub's database.

    ``publish`` and ``publish_many`` return when the message is kept durably (accepted) or known
    not to be (not accepted: unroutable, refused); they raise BusUnavailable when nobody knows,
    and may then be called again with the same key. Order per queue is the order of the calls.
    Success does not mean that the receiver has fetched it.
    """

    def take_back(self, queue: str, note: Callable[[Sequence[Waits]], None]) -> None:
        """Take out of the queue whatever waits there and is in nobody's hands.

        ``note`` gets what will be taken, in the queue's order, before it is gone; it may be
        called several times. If it raises, or the process ends, what was not yet noted is there
        still, and what was noted may be.
        """
        ...

    def provision(self, parties: Sequence[PartyAccess]) -> None:
        """Declare the topology and every party's queues and rights; can be repeated."""
        ...

    def listen(
        self, handler: InboundHandler, stop: Event, ready: Callable[[], None] = lambda: None
    ) -> None:
        """Consume the hub's inbound queues until ``stop``; reconnects by itself.

        Nothing new is taken while ``ready`` raises Temporary.
        """
        ...

    def ready(self, queue: str) -> int:
        """Messages that lie in the queue and are in nobody's hands; 0 where there is no such
        queue. Raises BusUnavailable when nobody knows."""
        ...

    def depths(self) -> list[QueueDepth]:
        """Every queue of the topology."""
        ...

    def check(self) -> None:
        """Really ask; raises BusUnavailable, and BusAlarm while it holds publishers back."""
        ...

    def expect_room(self) -> None:
        """Raises BusAlarm while the broker is short of memory or disk; a second old at most.

        Not when it cannot be reached: what comes in is rows then, and waits.
        """
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


def deliveries_queue(party: str) -> str:
    """Where a party's plan copies and notices wait."""
    return f"party.{party}.deliveries"


def answers_queue(party: str) -> str:
    """Where the hub's answers to a party's own messages wait."""
    return f"party.{party}.answers"


class TokenRefused(Exception):
    """A token request was refused, in OAuth's words (RFC 6749, 5.2)."""

    def __init__(self, error: str, text: str = "", *, why: str = "") -> None:
        super().__init__(error)
        self.error = error
        self.text = text or "The client is not known by this assertion"
        self.why = why or error
        """For log and audit; nothing of what was sent."""
        self.known = False
        """The client is on the register, and has its audit row."""


class Tokens(Protocol):
    """Who gives machine clients their tokens, and what a token shows."""

    issuer: str

    @property
    def token_endpoint(self) -> str | None:
        """Where tokens are given."""
        ...

    @property
    def jwks_uri(self) -> str:
        """Where the issuer's keys are."""
        ...

    def jwks(self) -> Mapping[str, Any] | None:
        """The keys, if the hub itself is the issuer."""
        ...

    def issue(self, form: Mapping[str, str], certificate: str | None) -> Mapping[str, Any]:
        """A token for the form of a token request; raises TokenRefused."""
        ...

    def grant(self, token: str, certificate: str | None) -> Grant:
        """What the token shows now; raises Unauthenticated, or Temporary if nobody can say.

        ``certificate``: SHA-256 of the connection's client certificate, base64url.
        """
        ...


@dataclass(frozen=True)
class Person:
    """Someone who logged in at an OpenID provider."""

    subject: str
    """The provider's own id of the person."""
    name: str
    """As it stands in the audit trail and on the page."""
    roles: frozenset[str]
    unit: str | None
    """The id of the party whose staff it is."""


@dataclass(frozen=True)
class Begun:
    """A login on its way; kept here until the provider sends the person back."""

    url: str
    """Where to log in."""
    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    """Of PKCE; sent with the code."""


class People(Protocol):
    """An OpenID provider: the authorisation code flow with PKCE."""

    def begin(self) -> Begun:
        """A new login; raises Temporary if the provider does not answer."""
        ...

    def finish(self, begun: Begun, code: str) -> Person:
        """Who it was; raises Unauthenticated, or Temporary."""
        ...

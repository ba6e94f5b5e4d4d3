"""What adapters see of the hub. Standard library only.

An adapter turns one outside format into plan content and back; it is pure: no clock, no
network, no database; ids, times and the printer come in a :class:`Context`. Adapters are found by
entry points (``ki_hub.adapters``), so nothing in ``hub`` names a format. How bytes leave:
:mod:`hub.sending`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, runtime_checkable

from hub.codes import LocalCodes
from hub.errors import Issue
from hub.others import SaidOfOther

Resource = dict[str, Any]
"""A FHIR R4 resource as plain JSON values; references inside the hub are ``Type/id``."""

Check = Callable[[Resource], Sequence[Issue]]
"""All issues of one resource at once, each with a FHIRPath from it; never raises."""


@dataclass(frozen=True)
class Identifier:
    """An identifier as FHIR has it."""

    system: str
    value: str


@dataclass(frozen=True)
class Party:
    """An organisational unit (aktør): the unit of consent, ownership, access and audit."""

    id: str
    """The hub's own name for it, from the parties file: lower case, digits, hyphens."""
    name: str
    kind: str
    """``psychiatry``, ``social-services``, ``substance-treatment``, ``gp``, ``coordination``, …"""
    organisation: str
    """The organisation the unit is in, such as the region or the municipality."""
    identifiers: tuple[Identifier, ...] = ()
    phone: str | None = None
    """The unit's own telephone number; never a person's."""

    def identifier(self, system: str) -> str | None:
        """The first identifier of that system, or None."""
        return next((i.value for i in self.identifiers if i.system == system), None)


@dataclass(frozen=True)
class RawMessage:
    """A document as received; ``sender`` is the channel's identity, never the document's claim."""

    sender: Party
    format: str
    body: bytes
    media_type: str
    message_id: str
    received_at: datetime


LossKind = Literal["dropped", "coarsened", "defaulted", "reordered"]


@dataclass(frozen=True)
class Loss:
    """What a translation could not carry, by its path in the source; never the value itself."""

    path: str
    kind: LossKind
    reason: str


@dataclass(frozen=True)
class CitizenRef:
    """Who the document is about."""

    identifiers: tuple[Identifier, ...]


@dataclass(frozen=True)
class PlanUpdate:
    """A document understood: one part of a plan, as plain FHIR resources with hub ids."""

    part: str
    """``shared`` for the plan's shared part, else the kind of sector plan, such as ``vum``."""
    citizen: CitizenRef
    resources: tuple[Resource, ...]
    """One CarePlan first, then all it refers to. Ids are repeatable (:attr:`Context.id_for`)."""
    case: str | None = None
    """The sender's own case id; finds the plan next time."""
    plan_id: str | None = None
    """The hub's plan id where the document names it."""
    base_version: int | None = None
    """The plan version the sender wrote on, where the document says so."""
    complete: bool = False
    """What the sender was shown and the document does not name is to go. Otherwise it stays."""
    ordered: bool = False
    """The format carries the lists' order. Otherwise the hub keeps its own, new items last."""
    claimed_sender: tuple[Identifier, ...] = ()
    """Who the document says sent it; the hub compares it with the channel."""
    claimed_at: str | None = None
    """Where the document says so: an element path, as an :class:`hub.errors.Issue` has it."""
    issues: tuple[Issue, ...] = ()
    """Warnings for the sender; the document is accepted all the same."""
    validated: bool = False
    """It was FHIR, held to its profiles as it came (:attr:`Context.check`); else the hub does."""
    losses: tuple[Loss, ...] = ()
    not_shared: tuple[Loss, ...] = ()
    """Source paths that the mapping declares as not to be shared, with the reason."""
    said_of_others: tuple[SaidOfOther, ...] = ()
    """What it says of parts that are not its sender's, beside its own; never applied."""
    places: Mapping[str, str] = field(default_factory=dict)
    """Where a resource stands in the document, by ``Type/id``, and where a format does not have
    it in one piece, its elements, by ``Type/id#element``; as far as the format can say."""


@dataclass(frozen=True)
class Receipt:
    """A receiver's answer to one delivery."""

    of: str
    """The id of the message it answers: a delivery id, or the envelope's message id."""
    outcome: Literal["ok", "transient", "permanent"]
    text: str = ""
    issues: tuple[Issue, ...] = ()
    claimed_sender: tuple[Identifier, ...] = ()
    claimed_at: str | None = None


@dataclass(frozen=True)
class Correspondence:
    """A message from a person to a person about a plan, such as a GP's reply."""

    in_reply_to: str | None
    """The key of the thread it answers (see :attr:`Rendered.thread_key`)."""
    text: str
    claimed_sender: tuple[Identifier, ...] = ()
    claimed_at: str | None = None
    kind: Literal["new", "reply", "forward"] = "new"
    citizen: CitizenRef | None = None
    thread: Mapping[str, Any] | None = None
    """What is new in the state of the thread it answers; what is not named stays as it was."""


@dataclass(frozen=True)
class Decision:
    """A citizen's decision: a KiConsent or a KiApproval resource (FHIR Consent)."""

    resource: Resource
    citizen: CitizenRef | None


Parsed = PlanUpdate | Receipt | Correspondence | Decision


@dataclass(frozen=True)
class SourceDocument:
    """A party's own last document, byte for byte."""

    format: str
    body: bytes
    media_type: str


Audience = Literal["party", "citizen"]


@dataclass(frozen=True)
class PlanView:
    """One plan version, already reduced to what this receiver may see."""

    plan_id: str
    version: int
    resources: Mapping[str, Resource]
    """``Type/id`` to resource; every reference between them resolves."""
    approved: bool
    """The citizen has approved this shared part, and no condition holds it back."""
    lead: Party | None
    own: SourceDocument | None = None
    """The receiver's own last document in its own format, if it sent one."""
    own_part: str | None = None
    """``Type/id`` of the receiver's own sector plan."""
    audience: Audience = "party"
    approval: Resource | None = None
    """The citizen's newest decision on this shared part as registered (KiApproval), with its
    conditions; None if there is none."""


@dataclass(frozen=True)
class Notice:
    """A message about a plan without its content, such as a withdrawn consent."""

    plan_id: str
    kind: str
    text: str


@dataclass(frozen=True)
class Rendered:
    """A document ready to be sent."""

    body: bytes
    media_type: str
    message_id: str | None = None
    """The id that the receiver's acknowledgement will name, if the format has one of its own."""
    losses: tuple[Loss, ...] = ()
    thread: Mapping[str, Any] | None = None
    """The new state of this (plan, receiver) thread; opaque to the hub."""
    thread_key: str | None = None
    """What an answer in this thread names it by."""
    repeats: bool = False
    """It repeats what earlier messages of the thread said; else it begins a thread."""


class Printer(Protocol):
    """Prints a plan on paper's terms."""

    def plan(self, view: PlanView, *, now: datetime) -> bytes:
        """A tagged PDF in Danish; the view's audience decides which version."""
        ...


@dataclass(frozen=True)
class Context:
    """Everything impure an adapter needs, given as values and pure functions."""

    now: datetime
    id_for: Callable[[str], str]
    """A repeatable UUID for a key: the same (sender or delivery, key) gives the same id."""
    find_party: Callable[[tuple[Identifier, ...]], Party | None]
    sender: Party
    """In: who published. Out: on whose behalf the hub sends (the lead's unit)."""
    base_url: str
    """The canonical base, without a trailing slash."""
    check: Check
    """The hub's validator, for a format that is FHIR itself."""
    printer: Printer | None = None
    thread: Mapping[str, Any] | None = None
    may_repeat: bool = False
    """All that the thread has said the receiver acknowledged, and may still have."""
    options: Mapping[str, str] = field(default_factory=dict)
    """The subscription's own options for this format."""
    local: LocalCodes | None = None
    """In: the sender's own codes in this format. Out: the receiver's."""


@runtime_checkable
class Adapter(Protocol):
    """One outside format.

    Promises: ``parse`` and ``render`` are pure and repeatable; every source field is mapped, or
    is a Loss, or is declared not shared; an unknown code is refused, never guessed; a render
    never makes a document of a kind that only its owner may make.

    An adapter that has a version for the citizen too says so: ``audiences = ("party", "citizen")``.
    """

    format: str
    media_types: tuple[str, ...]
    """Accepted on the way in, the first is what ``render`` makes; empty: nothing comes in, and
    ``parse`` raises Unsupported."""
    events: tuple[str, ...]
    """FHIR message events (``system|code``) that this adapter parses; mostly empty."""

    def fingerprint(self, message: RawMessage) -> str:
        """Equal for two messages with the same id exactly if the second is only a resend."""
        ...

    def parse(self, message: RawMessage, context: Context) -> Parsed:
        """Understand a document, or raise Malformed, UnknownCode, Unsupported or Invalid."""
        ...

    def render(
        self, content: PlanView | Notice | Receipt, receiver: Party, context: Context
    ) -> Rendered:
        """Make the receiver's document, or raise CannotRender."""
        ...

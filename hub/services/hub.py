"""Everything the steps need, chosen once at start-up."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from threading import Event

from hub.codes import LocalCodes, LocalCodesOf, no_local_codes
from hub.contract import Context, Party, Printer
from hub.model.breaker import BreakerPolicy
from hub.model.client import Quota
from hub.model.party import Directory
from hub.model.reach import Reach
from hub.model.refusals import Refusals
from hub.model.retry import RetryPolicy
from hub.ports import Adapters, Bus, Clock, Validator
from hub.sending import Transport
from hub.services.door import Door
from hub.services.in_hand import InHand
from hub.store.work import Store

CANONICAL = "fhir"
"""The standard's own name; the canonical format is the only one the core speaks."""

IDS_KEY = "ids.secret"
"""In the table ``meta``."""
_NAMESPACE = uuid.UUID("6f0a1f0e-7f4b-5d52-9c6e-0a6b8a5a4c11")


@dataclass(frozen=True)
class Limits:
    """How much and how long."""

    body_bytes: int = 32 * 1024 * 1024
    """A larger document is refused before it is read further."""
    quota: Quota = field(default_factory=Quota)
    """What a party may send that has no limits of its own."""
    seal_days: int = 30
    """Bytes without a legal basis are deleted after that."""
    refused_days: int = 90
    """Bytes that could not be understood are deleted that long after they came."""
    audit_days: int = 1826
    """Whole segments of the audit trail are deleted after that; 0, here and below: never."""
    inbox_days: int = 1826
    """Bytes of documents that were understood, and are nobody's newest."""
    delivery_days: int = 365
    """Bytes of deliveries that have ended."""
    task_days: int = 365
    """Tasks that are done."""
    process_lease: timedelta = timedelta(seconds=60)
    """How long a crashed worker keeps a message from the next one."""
    send_lease: timedelta = timedelta(seconds=60)
    """The same for a delivery."""
    process_attempts: int = 5
    """Then a message that breaks the hub itself is set aside."""
    process_claims: int = 20
    """So often it is taken up at all: one that ends the process leaves no other trace."""
    receipt_wait: timedelta = timedelta(hours=1)
    """So long a sent message may go without its receipt before it is looked for."""
    compare_every: timedelta = timedelta(hours=1)
    """So often is what each party should hold compared with what it was sent; zero: never."""
    silent_hours: int = 72
    """So long may something wait for a receiver that fetches and answers nothing; 0: for ever."""
    batch: int = 20
    """Deliveries claimed at once for each kind of the hub's own queues."""
    senders: int = 4
    """Deliveries made and settled beside each other, in one worker."""
    endpoint_senders: int = 2
    """Deliveries on their way to one endpoint, from one worker."""
    outside_senders: int = 64
    """And to all endpoints together."""
    longest_send: timedelta = timedelta(minutes=5)
    """A delivery that is in hand for longer is not kept from another worker any more."""
    stop_wait: timedelta = timedelta(seconds=20)
    """So long a worker that stops waits for what is on its way."""


@dataclass(frozen=True)
class Hub:
    """The hub's parts. Steps are functions of it."""

    store: Store
    adapters: Adapters
    transports: Mapping[str, Transport]
    bus: Bus
    validator: Validator
    """Of what is accepted, and of FHIR that is sent, before it is."""
    clock: Clock
    printer: Printer
    base_url: str
    random: Callable[[], float]
    """Jitter, in [0, 1)."""
    probes: Mapping[str, Callable[[], None]] = field(default_factory=dict)
    """What else must answer for the hub to be ready, by name; each raises a HubError."""
    limits: Limits = field(default_factory=Limits)
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    """For whoever has no other in the parties file."""
    breaker: BreakerPolicy = field(default_factory=BreakerPolicy)
    reach: Reach = field(default_factory=Reach)
    """Where subscribers' hooks may go."""
    door: Door = field(default_factory=Door)
    """Who is let in, and by what."""
    local: LocalCodesOf = no_local_codes
    """The parties' own codes."""
    refusals: Refusals = field(default_factory=Refusals)
    """Credentials that nobody has, counted."""
    hand: InHand = field(default_factory=InHand)
    """What this process has claimed."""
    wake: Event = field(default_factory=Event)
    """Set when there is new work for this process's worker."""

    @cached_property
    def ids_secret(self) -> str:
        """What ids are made with beside what documents say, which may be a citizen's number alone:
        nobody who sees an id can try all numbers. Empty in a database from before there was one.
        """
        with self.store.reading() as work:
            return work.journal.meta(IDS_KEY) or ""

    def context(
        self,
        directory: Directory,
        sender: Party,
        seed: str,
        *,
        thread: Mapping[str, object] | None = None,
        may_repeat: bool = False,
        options: Mapping[str, str] | None = None,
        local: LocalCodes | None = None,
    ) -> Context:
        """What an adapter gets; ids are repeatable for the seed, in this database alone."""
        own = (self.ids_secret, seed) if self.ids_secret else (seed,)
        return Context(
            now=self.clock(),
            id_for=lambda key: repeatable(*own, key),
            find_party=directory.find,
            sender=sender,
            base_url=self.base_url,
            check=lambda resource: self.validator.check([resource]),
            printer=self.printer,
            thread=thread,
            may_repeat=may_repeat,
            options=options or {},
            local=local,
        )


def repeatable(*parts: str) -> str:
    """The same parts give the same UUID, everywhere and always."""
    joined = "\x1f".join(parts)
    return str(uuid.uuid5(_NAMESPACE, joined))


def new_id() -> str:
    """A fresh random UUID."""
    return str(uuid.uuid4())


def sha256(*parts: bytes) -> str:
    """Hex, over the parts with their lengths."""
    total = hashlib.sha256()
    for part in parts:
        total.update(len(part).to_bytes(8, "big"))
        total.update(part)
    return total.hexdigest()

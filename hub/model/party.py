"""Subscriptions and viewers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from hub.contract import Identifier, LossKind, Party
from hub.fhir import names
from hub.model.client import Quota
from hub.model.retry import RetryPolicy, RetryWish
from hub.sending import Endpoint

Content = Literal["plan", "notice", "koordinationsplan"]
"""What a party subscribes to; a document that stands alone by its kind."""
CITIZEN = "citizen"
"""The receiver id of the citizen's own copy; never a party's id."""


@dataclass(frozen=True)
class Subscription:
    """How a party receives; never that it does."""

    format: str
    content: Content = "plan"
    """``notice``: how it wants to be told that what it has may be used no more; a kind of document
    that stands alone: how it gets those that name it as a party."""
    versions: Literal["latest", "every-version"] = "latest"
    receipt: bool = True
    """The receiver answers each message; without it, a confirmed send counts as delivered."""
    options: dict[str, str] = field(default_factory=dict)
    unacceptable: tuple[LossKind, ...] = ()
    """Kinds of loss that a person must accept before the message is sent."""
    retry: RetryWish = field(default_factory=RetryWish)
    """How what fails is tried again; what it leaves open is as the party has it."""


@dataclass(frozen=True)
class RegisteredParty:
    """A party with everything the hub needs to serve it."""

    party: Party
    endpoint: Endpoint
    subscriptions: tuple[Subscription, ...]
    paused: bool = False
    paused_by: str | None = None
    paused_reason: str | None = None
    quota: Quota = field(default_factory=Quota)
    """Its own limits of what it sends; where it has none, the settings' hold."""
    silent_hours: int | None = None
    """So long may something wait for it in silence; 0: for ever; None: as the settings say."""
    retry: RetryWish = field(default_factory=RetryWish)
    """How what fails to reach it is tried again; what it leaves open is as the settings say."""

    def subscription(self, format: str | None = None, content: str = "plan") -> Subscription | None:
        """How plans, or documents of another content, go to it in that format, else at all; None
        if it has no subscription.

        The first is the one it wants most.
        """
        wanted = [s for s in self.subscriptions if s.content == content]
        return next((s for s in wanted if s.format == format), wanted[0] if wanted else None)

    def retries(self, usual: RetryPolicy, format: str, content: str = "plan") -> RetryPolicy:
        """How a delivery of that format is tried again; one that it has no subscription for (a
        notice, a notification of a FHIR Subscription) as the party says for all."""
        kinds = {content} if content != "plan" else {"plan", "notice"}
        mine = (s for s in self.subscriptions if s.format == format and s.content in kinds)
        own = next((s.retry for s in mine), RetryWish())
        return own.over(self.retry.over(usual))


@dataclass(frozen=True)
class Viewer:
    """Who reads. Every read of the store takes one."""

    kind: Literal["party", "operator", "system"]
    id: str = ""

    @classmethod
    def of(cls, party: Party) -> Viewer:
        """A party's own eyes."""
        return cls("party", party.id)


SYSTEM = Viewer("system")
"""The services themselves, before anything is shown to anyone."""


class Directory:
    """Finds the unit that identifiers name, among parties known when it was made."""

    def __init__(self, parties: Iterable[Party]) -> None:
        self._by_id: dict[str, Party] = {}
        self._by_identifier: dict[tuple[str, str], Party] = {}
        for party in parties:
            self._by_id[party.id] = party
            self._by_identifier[names.LOCAL_UNIT, party.id] = party
            for identifier in party.identifiers:
                if identifier.system in names.UNIT_SYSTEMS:
                    self._by_identifier[identifier.system, identifier.value] = party

    def get(self, party_id: str) -> Party | None:
        """By the hub's own id."""
        return self._by_id.get(party_id)

    def find(self, identifiers: tuple[Identifier, ...]) -> Party | None:
        """By SOR, unit id, GLN or ydernummer.

        CVR and kommunekode name an organisation, never a unit, so they find nobody.
        """
        for identifier in identifiers:
            system = names.GLN if identifier.system in names.GLN_ALIASES else identifier.system
            found = self._by_identifier.get((system, identifier.value))
            if found is not None:
                return found
        return None

"""What a change of consent takes from whom, and what may have left by then. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from hub.fhir import names
from hub.model.consent import Consent, Purpose, by_consent
from hub.model.plan import Member
from hub.model.routing import purpose_for

NOTICE: Final = "notice/"
"""How ``about`` of a delivery begins that is a notice and not the plan; the kind follows."""
WITHDRAWN: Final = "consent-withdrawn"
NARROWED: Final = "consent-narrowed"
CORRECTION: Final = "correction"
TEXTS: Final[Mapping[str, str]] = {
    WITHDRAWN: "Borgerens samtykke er trukket tilbage. Der sendes ikke mere.",
    NARROWED: "Borgerens samtykke er blevet snævrere. Brug den nyeste udgave.",
    CORRECTION: "Noget, I har fået, var sendt ved en fejl. Brug det ikke.",
}
"""What a notice says, in the receivers' language; nothing of the citizen or the plan."""
LOOKS: Final = (
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=40),
)
"""How long after each look through a queue the next one comes. What a connection holds
unacknowledged is not in the queue, and is back there when that connection ends: a broker that
starts again gives it back late, and a receiver that hangs after 30 minutes (RabbitMQ's
consumer_timeout)."""
PURPOSES: Final[tuple[Purpose, ...]] = ("make-plan", "exchange", "relatives", "copy-to-gp")

Loss = Literal["consent-withdrawn", "consent-narrowed"]
How = Literal["delivered", "sent", "sending", "fetched", "refused"]


@dataclass(frozen=True)
class Left:
    """One message that may have reached its receiver."""

    delivery: str
    receiver: str
    version: int
    how: How
    """``delivered``: its receipt says so; ``sent``: the next hop has it; ``sending``: on its way,
    nobody knows; ``fetched``: read from the mailbox; ``refused``: it arrived and was refused."""


@dataclass(frozen=True)
class Withdrawal:
    """A consent that was taken back or narrowed, as one plan sees it."""

    id: str
    plan_id: str
    cause: str
    """``consent/<id>``."""
    by: str
    """The unit that registered it."""
    at: datetime
    units: Mapping[str, str]
    """Party to what it lost."""
    may_have_left: tuple[Left, ...]
    wait_until: datetime
    """Running sends are waited for until then."""
    settled_at: datetime | None = None
    """When the list became final; None while sends may be running."""


@dataclass(frozen=True)
class Recall:
    """One party's queue on the broker that is taken back and filled anew."""

    party: str
    round: int
    open: bool
    taken: tuple[tuple[str, bool], ...]
    """Key, and whether it had been handed out before; in the queue's order."""
    opened_at: datetime
    looks: int = 0
    """How often the queue was looked through since it was asked for."""
    lease_until: datetime | None = None
    """Until when it is in somebody's hands. No two leases are the same: who has lost it knows."""

    def look_again_at(self, now: datetime) -> datetime | None:
        """When it is looked through once more after this time; None when that was the last."""
        return now + LOOKS[self.looks] if self.looks < len(LOOKS) else None


@dataclass(frozen=True)
class Retraction:
    """A part of a plan that was published in error."""

    part_id: str
    plan_id: str
    below: int
    """The first version without it."""
    cause: str
    """``inbox/<id>`` of what said so, or of the document."""
    by: str
    reason: str
    at: datetime


def sections_of(
    consents: Iterable[Consent], unit: str, purpose: Purpose, at: datetime
) -> frozenset[str]:
    """What the unit may have an item about; an item about everything needs all of them."""
    known = tuple(consents)
    return frozenset(s for s in names.SECTIONS if by_consent(known, unit, purpose, at, (s,)).permit)


def losses_of(
    before: Iterable[Consent],
    after: Iterable[Consent],
    units: Mapping[str, Member | None],
    now: datetime,
) -> dict[str, Loss]:
    """Unit to what it lost between two states of the citizen's consents.

    ``units``: those to look at, with their place in the team; None for one that has left it.
    """
    was, is_ = tuple(before), tuple(after)
    found: dict[str, Loss] = {}
    for unit, member in units.items():
        purposes = (purpose_for(member.roles),) if member is not None else PURPOSES
        had = {(p, s) for p in purposes for s in sections_of(was, unit, p, now)}
        has = {(p, s) for p in purposes for s in sections_of(is_, unit, p, now)}
        if had and not has:
            found[unit] = WITHDRAWN
        elif not had <= has or (had and _forgets_relatives(was, is_, unit, member, now)):
            found[unit] = NARROWED
    return found


def _forgets_relatives(
    was: tuple[Consent, ...],
    is_: tuple[Consent, ...],
    unit: str,
    member: Member | None,
    now: datetime,
) -> bool:
    """The relatives' names are no longer its to have; the lead's they are as long as the plan."""
    if member is None or "lead" in member.roles:
        return False
    before, after = (bool(sections_of(c, unit, "relatives", now)) for c in (was, is_))
    return before and not after


def is_frozen(consents: Iterable[Consent], now: datetime) -> bool:
    """No consent lets any unit make, have or read a plan: nothing of it changes."""
    known = tuple(consents)
    units = {rule.unit for consent in known for rule in consent.rules}
    return not any(sections_of(known, unit, p, now) for unit in units for p in PURPOSES)

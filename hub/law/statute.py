"""One statute, and all of them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal

from hub.fhir.dates import ZONE

Use = Literal["consent", "keeping", "delivery", "look-up", "none"]
To = Literal["named-in-consent", "parties-of-the-document", "nobody"]


@dataclass(frozen=True)
class Statute:
    """What one provision lets the hub do."""

    id: str
    """The ki-legal-basis code; what deliveries and audit rows name."""
    law: str
    paragraph: str
    title: Mapping[str, str]
    """Language to text, as the two below."""
    text: Mapping[str, str]
    use: Use
    """``consent``: only together with the citizen's; ``keeping``: a document may be kept;
    ``delivery``: it may go to others; ``look-up``: it may be shown, never sent."""
    from_kinds: frozenset[str]
    """Kinds of unit that may rely on it."""
    to: To
    to_kinds: frozenset[str]
    """Kinds of unit it may go to; empty: any that :attr:`to` lets."""
    carries: frozenset[str]
    """Kinds of document; ``shared`` is the shared plan."""
    purpose: Mapping[str, str]
    valid_from: date
    valid_until: date | None
    """The last day; None: it has no end."""
    consent_days: int | None
    """A consent under it lapses after so many days at the latest."""
    objection_beats_it: bool
    """A citizen who has said no to the receiver has the last word."""
    to_be_confirmed: bool
    source: str

    def in_force(self, at: datetime) -> bool:
        """On that day, as Danish clocks have it."""
        since, until = self.period()
        return since <= at and (until is None or at < until)

    def period(self) -> tuple[datetime, datetime | None]:
        """The first moment of its first Danish day, and that after its last."""
        end = None if self.valid_until is None else _midnight(self.valid_until + timedelta(days=1))
        return _midnight(self.valid_from), end


@dataclass(frozen=True)
class Statutes:
    """All that the hub knows."""

    known: tuple[Statute, ...]

    def __iter__(self) -> Iterator[Statute]:
        return iter(self.known)

    def get(self, id: str) -> Statute | None:
        """By its code."""
        return next((s for s in self.known if s.id == id), None)

    def carrying(self, kind: str, use: Use) -> Statute | None:
        """The one that lets a document of this kind be used so; the file has at most one."""
        return next((s for s in self.known if s.use == use and kind in s.carries), None)

    def reaching_others(self, kind: str) -> Statute | None:
        """What lets a document of this kind be looked up by others; what may be sent may, too."""
        return self.carrying(kind, "look-up") or self.carrying(kind, "delivery")

    def behind_consent(self, at: datetime) -> Statute | None:
        """What lets a consent carry the shared plan then; None: no consent carries it."""
        return next((s for s in self._for_consent() if s.in_force(at)), None)

    def edges(self) -> set[datetime]:
        """Moments at which :meth:`behind_consent` may change its answer."""
        return {m for s in self._for_consent() for m in s.period() if m is not None}

    def _for_consent(self) -> Iterator[Statute]:
        return (s for s in self.known if s.use == "consent" and "shared" in s.carries)

    @property
    def consent_days(self) -> int:
        """The shortest that any of them lets a consent last."""
        return min(s.consent_days for s in self.known if s.consent_days is not None)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZONE)

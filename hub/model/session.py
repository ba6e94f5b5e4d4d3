"""A login of the console, and how long it holds. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

Area = Literal["operator", "party"]
"""The operator's pages, or the pages where a party's person records a citizen's decision."""

ROLES_HOLD: Final = timedelta(hours=1)
"""So long are the roles taken for good that a provider told of a person."""


@dataclass(frozen=True)
class Session:
    """One login."""

    area: Area
    name: str
    """The operator's name, or the party's id."""
    began: datetime
    used: datetime
    """By a person's own request; a page that refreshes itself is nobody's."""
    roles: frozenset[str] = frozenset()
    person: str = ""
    """The name of a person who came from a provider; empty where a credential was used."""

    def holds(self, now: datetime, idle: timedelta, longest: timedelta) -> bool:
        """It has not been idle so long, nor gone on so long; a provider is asked anew sooner."""
        most = min(longest, ROLES_HOLD) if self.person else longest
        return now - self.began < most and now - self.used < idle

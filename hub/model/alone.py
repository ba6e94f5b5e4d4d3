"""Sector plans that stand alone: kept on a statute, without the citizen's consent. Pure.

Psykiatriloven § 13 b: a koordinationsplan is made when the citizen will not take part in a
discharge agreement. It is never part of a shared plan, which needs the citizen's consent, and it
is shown to nobody but the unit that made it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hub.contract import Party, Resource
from hub.fhir import names
from hub.fhir.extract import codes
from hub.model.consent import Verdict


@dataclass(frozen=True)
class Statute:
    """What lets the hub keep the plan."""

    basis: str
    """The ki-legal-basis code."""
    kind_of_party: str
    """The only kind of unit that makes such a plan."""

    def lets(self, party: Party) -> Verdict:
        """May this unit have the hub keep such a plan?"""
        if party.kind == self.kind_of_party:
            return Verdict(True, "A statute", self.basis)
        return Verdict(False, f"Only a unit of the kind {self.kind_of_party} makes such a plan")


_STATUTES: Final[Mapping[str, Statute]] = {
    "koordinationsplan": Statute("psykiatriloven-13b", "psychiatry")
}


def statute_of(kind: str) -> Statute | None:
    """The statute behind this kind of sector plan; None if it may be part of a shared plan."""
    return _STATUTES.get(kind)


def stands_alone(plan: Resource) -> bool:
    """The CarePlan is of a kind that is never part of a shared plan."""
    return any(k in _STATUTES for k in codes(plan.get("category", ()), names.SECTOR_KIND))

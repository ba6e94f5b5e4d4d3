"""Sector plans that stand alone: kept on a statute, without the citizen's consent. Pure.

Psykiatriloven § 13 b: a koordinationsplan is made when the citizen will not take part in a
discharge agreement. It is never part of a shared plan, which needs the citizen's consent.
"""

from __future__ import annotations

from typing import Final

from hub.contract import Resource
from hub.fhir import names
from hub.fhir.extract import codes

KINDS: Final = frozenset({"koordinationsplan"})


def is_alone(kind: str) -> bool:
    """This kind of sector plan is never part of a shared plan."""
    return kind in KINDS


def stands_alone(plan: Resource) -> bool:
    """The CarePlan is of such a kind."""
    return any(is_alone(k) for k in codes(plan.get("category", ()), names.SECTOR_KIND))

"""What the parties have agreed on, where the law and the guidelines leave it to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

GATED: Final = frozenset({"gp", "receiver"})
"""Roles that receive without taking part."""


@dataclass(frozen=True)
class Agreement:
    """The local agreement (samarbejdsaftale); the defaults are the strict reading."""

    approval_gates: frozenset[str] | Literal["all"] = GATED
    """Roles that wait for the citizen's approval unless the unit has another role as well;
    ``all``: everyone but the citizen, the lead and the coordinators."""
    minors: bool = False
    """KI-plans for citizens under 18."""
    reminder_days: int = 30
    """So long before a consent lapses the lead is asked to renew it."""
    name: str = ""
    """Its id in the parties file; empty for the one that all others are under."""

    def gates(self, roles: frozenset[str], *, lead: bool) -> bool:
        """Such a member waits for the citizen's approval."""
        if self.approval_gates == "all":
            return not lead and "coordinator" not in roles
        return roles <= self.approval_gates

    def written(self) -> dict[str, Any]:
        """As plain values."""
        gates = self.approval_gates
        return {
            "approval_gates": gates if gates == "all" else sorted(gates),
            "minors": self.minors,
            "reminder_days": self.reminder_days,
            "name": self.name,
        }


USUAL: Final = Agreement()
"""Where nothing else is agreed."""


def read_agreement(written: Mapping[str, Any]) -> Agreement:
    """What :meth:`Agreement.written` gave."""
    gates = written["approval_gates"]
    return Agreement(
        "all" if gates == "all" else frozenset(gates),
        written["minors"],
        written["reminder_days"],
        written.get("name", ""),
    )


@dataclass(frozen=True)
class Agreements:
    """All that hold at one hub. A plan is under that of the unit that leads it."""

    usual: Agreement = USUAL
    own: Mapping[str, Agreement] = field(default_factory=dict)
    """By unit: of those that are under another than the usual one."""

    def of(self, unit: str) -> Agreement:
        """What the unit's plans are under."""
        return self.own.get(unit, self.usual)

    def reminder_days(self) -> frozenset[int]:
        """So long before a consent lapses somebody is asked, under one of them or another."""
        return frozenset(a.reminder_days for a in (self.usual, *self.own.values()))

"""What the law and the citizen allow, said once more in as few words as possible.

Nothing here is the hub's: no import from it, no query, no state machine of deliveries. Sources:
the rules of ki-plan.md sections 1.6, 1.7 and 6 (consent names units, a no overrides, what is not
labelled may be about anything; a no to a version stops it but for lead and coordinators; the GP
waits for a yes; the other organisation's coordinator for the own one), sundhedsloven § 44.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

LEAD, PSYK, SOCIAL = "rus-havneby", "psyk-nordstrand", "social-havneby"
OWN, OTHER, GP = "koord-havneby", "koord-nordstrand", "laege-havnegade"
UNITS = (LEAD, PSYK, SOCIAL, OWN, OTHER, GP)
SECTIONS = ("psychiatry", "substance-use", "social", "crime", "economy", "health")
GOALS: tuple[tuple[str, ...], ...] = (("substance-use",), ("social",), ())
"""The labels of the plan's three goals; the last one has none."""
RELATIVE = 9
"""The place of the mark in a relative's name."""
YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Said:
    """A consent as the citizen gave it."""

    given: datetime
    start: datetime | None
    end: datetime | None
    purposes: frozenset[str]
    rules: tuple[tuple[str, str, str | None], ...]
    """Permit or deny, unit, section (None: all)."""
    active: bool = True

    def holds(self, now: datetime) -> bool:
        begins = self.start or self.given
        ends = min(self.end or self.given + YEAR, self.given + YEAR)
        return self.active and begins <= now < ends


@dataclass
class Citizen:
    """One citizen with one plan, and what was said of it."""

    now: datetime
    consents: dict[str, Said] = field(default_factory=dict)
    versions: int = 0
    answers: dict[int, str] = field(default_factory=dict)
    """The newest answer on each version: yes, no or undecided."""
    forwarded: bool = False

    def allowed_sections(self, unit: str, purpose: str) -> set[str]:
        """What the unit may have something about, now."""
        holding = [c for c in self.consents.values() if c.holds(self.now) and purpose in c.purposes]
        rules = [(kind, section) for c in holding for kind, who, section in c.rules if who == unit]
        if ("deny", None) in rules:
            return set()
        yes = {s for kind, s in rules if kind == "permit"}
        no = {s for kind, s in rules if kind == "deny"}
        return (set(SECTIONS) if None in yes else {s for s in yes if s is not None}) - no

    def sections(self, unit: str) -> set[str]:
        """The same, for what the unit is in the plan."""
        return self.allowed_sections(unit, "copy-to-gp" if unit == GP else "exchange")

    def may_publish(self) -> bool:
        """The lead writes the plan."""
        return bool(self.allowed_sections(LEAD, "make-plan"))

    def newest(self, unit: str) -> int | None:
        """The version the unit may have now; None if there is no plan for it."""
        if not self.sections(unit):
            return None
        if unit == OTHER and not self.forwarded:
            return None
        for version in range(self.versions, 0, -1):
            answer = self.answers.get(version, "undecided")
            if unit == GP and answer != "yes":
                continue
            if answer == "no" and unit not in {LEAD, OWN, OTHER}:
                continue
            return version
        return None

    def shown(self, unit: str) -> frozenset[str]:
        """The marks in what the unit may have now."""
        version = self.newest(unit)
        return self.marks(unit, version) if version is not None else frozenset()

    def marks(self, unit: str, version: int) -> frozenset[str]:
        """Of one version, what the unit may see now: goals, and the relative's name."""
        named = unit == LEAD or self.allowed_sections(unit, "relatives")
        relative = {mark(version, RELATIVE)} if named else set()
        return self.goals(unit, version) | relative

    def goals(self, unit: str, version: int) -> frozenset[str]:
        """The marks of the goals in it."""
        open_ = self.sections(unit)
        return frozenset(
            mark(version, number)
            for number, labels in enumerate(GOALS)
            if (set(labels) or set(SECTIONS)) <= open_
        )

    def may_have(self, unit: str, version: int) -> bool:
        """A copy of this very version may reach the unit now."""
        if not self.sections(unit) or (unit == OTHER and not self.forwarded):
            return False
        answer = self.answers.get(version, "undecided")
        if unit == GP:
            return answer == "yes"
        return answer != "no" or unit in {LEAD, OWN, OTHER}


def mark(version: int, number: int) -> str:
    """A word that stands in one goal of one version and nowhere else."""
    return f"MARK-{version:04}-{number}-KRAM"

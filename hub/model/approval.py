"""The citizen's decision on a plan's shared part, and what it holds back.

An approval is a record of its own: making it creates no plan version, and it holds while the
shared part's content (its digest) is unchanged. Nothing is released by time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from hub.contract import Resource
from hub.errors import Invalid, Issue
from hub.fhir import names
from hub.fhir.decided import PATH, points_at
from hub.fhir.extract import extension_value, extensions
from hub.model.consent import moment

HELD_BACK_ROLES: Final = frozenset(
    {"relative", "spokesperson", "deputy", "chair", "minutes", "coordinator", "professional", "gp",
     "receiver"}
)  # fmt: skip
"""Roles a condition may hold back; anything else must be a unit, or it would hold back nobody."""
_DATE_LENGTH: Final = len("2026-01-01")
_TAKEN_BACK: Final = frozenset({"inactive", "entered-in-error"})
_VERSION = re.compile(
    r"(^|/)CarePlan/(?P<plan>[A-Za-z0-9\-.]{1,64})/_history/(?P<version>[0-9]{1,9})\Z"
)

Answer = Literal["yes", "no", "undecided"]


@dataclass(frozen=True)
class Condition:
    """What the citizen wants first."""

    holds_back: str
    """A role (``gp``) or a party id."""
    met: bool


@dataclass(frozen=True)
class Approval:
    """One decision on one shared part."""

    id: str
    plan_id: str
    version: int
    digest: str
    """The shared part it was made on."""
    decision: Answer
    mode: Literal["written", "oral"]
    conditions: tuple[Condition, ...]
    at: datetime


@dataclass(frozen=True)
class Gate:
    """Whether a receiver gated by approval may have a shared part."""

    open: bool
    reason: str = ""


def latest(approvals: Iterable[Approval], digest: str) -> Approval | None:
    """The newest decision on that shared part."""
    made = [a for a in approvals if a.digest == digest]
    # max() gives the first of several made at one moment; the last one said is what counts.
    return max(reversed(made), key=lambda a: a.at, default=None)


def gate(approvals: Iterable[Approval], digest: str, *, party: str, roles: frozenset[str]) -> Gate:
    """May a receiver that waits for the citizen's approval have this shared part?"""
    found = latest(approvals, digest)
    if found is None or found.decision == "undecided":
        return Gate(False, "Waits for the citizen's approval of the plan")
    if found.decision == "no":
        return Gate(False, "The citizen has not approved the plan")
    if held_back(found, party=party, roles=roles):
        return Gate(False, "Waits for a condition the citizen set for this receiver")
    return Gate(True)


def held_back(approval: Approval, *, party: str, roles: frozenset[str]) -> bool:
    """An unmet condition names this unit, or something it is in the plan."""
    named = {party, *roles}
    return any(not c.met and c.holds_back in named for c in approval.conditions)


def decided_at(resource: Resource, now: datetime) -> datetime:
    """When the citizen decided (Consent.dateTime), never later than now.

    A yes that was said before a no and registered after it must not undo it. Of a day without an
    hour a yes counts from its beginning and anything else from its end, so that in doubt the
    receiver waits.
    """
    text = resource.get("dateTime")
    found = moment(text)
    if found is None:
        return now
    opens = extension_value(resource, names.extension("decision")) == "yes"
    if text is not None and len(text) == _DATE_LENGTH and not opens:
        found += timedelta(days=1)
    return min(found, now)


def read_approval(resource: Resource, *, digest: str, at: datetime) -> Approval:
    """A KiApproval resource as facts; raises Invalid with every issue at once.

    One that was taken back (inactive, entered in error) leaves the citizen undecided.
    """
    status = resource.get("status")
    issues = []
    decision = extension_value(resource, names.extension("decision"))
    mode = extension_value(resource, names.extension("mode"))
    if decision not in {"yes", "no", "undecided"}:
        text = "State yes, no or undecided"
        issues.append(Issue("error", "required", text, "Consent.extension(decision)"))
    if mode not in {"written", "oral"}:
        text = "State written or oral"
        issues.append(Issue("error", "required", text, "Consent.extension(mode)"))
    if status not in {"active", "rejected", *_TAKEN_BACK}:
        text = "State active, or inactive when it is taken back"
        issues.append(Issue("error", "required", text, "Consent.status"))
    elif status == "rejected" and decision != "no":
        text = "A rejected approval is a no; say which it is"
        issues.append(Issue("error", "business-rule", text, "Consent.status"))
    plan_id, version = target(resource)
    if issues:
        raise Invalid("The approval is incomplete", issues=tuple(issues))
    return Approval(
        id=str(resource["id"]),
        plan_id=plan_id,
        version=version,
        digest=digest,
        decision="undecided" if status in _TAKEN_BACK else decision,
        mode=mode,
        conditions=tuple(
            Condition(
                holds_back=str(extension_value(found, "holds-back") or "gp"),
                met=extension_value(found, "met") is not None,
            )
            for found in extensions(resource, names.extension("condition"))
        ),
        at=at,
    )


def target(resource: Resource) -> tuple[str, int]:
    """The plan version the decision is about: ``CarePlan/x/_history/n``."""
    reference = points_at(resource)
    found = _VERSION.search(reference)
    if found is None:
        text = "Point at the plan version: CarePlan/<id>/_history/<version>"
        raise Invalid(text, at=PATH)
    return found["plan"], int(found["version"])

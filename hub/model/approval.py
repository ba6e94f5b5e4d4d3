"""The citizen's decision on a plan's shared part, and what it holds back.

An approval is a record of its own: making it creates no plan version, and it holds while the
shared part's content (its digest) is unchanged. Nothing is released by time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from hub.contract import Resource
from hub.errors import Invalid, Issue
from hub.fhir import names
from hub.fhir.extract import extension_value, extensions

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
    for condition in found.conditions:
        if not condition.met and condition.holds_back in {party, *roles}:
            return Gate(False, "Waits for a condition the citizen set for this receiver")
    return Gate(True)


def read_approval(resource: Resource, *, digest: str, at: datetime) -> Approval:
    """A KiApproval resource as facts; raises Invalid with every issue at once."""
    issues = []
    decision = extension_value(resource, names.extension("decision"))
    mode = extension_value(resource, names.extension("mode"))
    if decision not in {"yes", "no", "undecided"}:
        text = "State yes, no or undecided"
        issues.append(Issue("error", "required", text, "Consent.extension(decision)"))
    if mode not in {"written", "oral"}:
        text = "State written or oral"
        issues.append(Issue("error", "required", text, "Consent.extension(mode)"))
    plan_id, version = target(resource)
    if issues:
        raise Invalid("The approval is incomplete", issues=tuple(issues))
    return Approval(
        id=str(resource["id"]),
        plan_id=plan_id,
        version=version,
        digest=digest,
        decision=decision,
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
    reference = str(resource.get("sourceReference", {}).get("reference", ""))
    found = _VERSION.search(reference)
    if found is None:
        text = "Point at the plan version: CarePlan/<id>/_history/<version>"
        raise Invalid(text, at="Consent.sourceReference")
    return found["plan"], int(found["version"])

"""What the organisations have agreed, in the parties file."""

from __future__ import annotations

from typing import Literal

from hub.model.agreement import GATED, USUAL, Agreement
from hub.model.approval import HELD_BACK_ROLES
from hub.model.consent import LONGEST
from hub.runtime.yaml_node import Node


def agreement(node: Node) -> Agreement:
    """What is left out is as in :class:`Agreement`."""
    node.keys("approval_gates", "minors", "consent_reminder_days")
    days = node.child("consent_reminder_days", int, USUAL.reminder_days)
    if not 1 <= days.value <= LONGEST.days:
        days.fail(f"whole days, 1 to {LONGEST.days}")
    return Agreement(
        approval_gates=_gates(node),
        minors=node.child("minors", bool, USUAL.minors).value,
        reminder_days=days.value,
    )


def _gates(node: Node) -> frozenset[str] | Literal["all"]:
    if node.value.get("approval_gates") == "all":
        return "all"
    found = node.child("approval_gates", list, None)
    if found.value is None:
        return USUAL.approval_gates
    if not found.value or not set(found.value) <= HELD_BACK_ROLES - {"coordinator"}:
        roles = ", ".join(sorted(HELD_BACK_ROLES - {"coordinator"}))
        found.fail(f"all, or a list of roles: {roles}")
    return frozenset(found.value) | GATED

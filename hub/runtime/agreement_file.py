"""What the organisations have agreed, in the parties file: one agreement, or several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Literal

from hub.model.agreement import GATED, USUAL, Agreement
from hub.model.approval import HELD_BACK_ROLES
from hub.model.consent import LONGEST
from hub.runtime.yaml_node import Node

_KEYS: Final = ("approval_gates", "minors", "consent_reminder_days")


def agreements(root: Node, slug: str) -> tuple[Agreement, dict[str, Agreement]]:
    """The usual one (key ``agreement``), and by id those that units name (key ``agreements``).

    ``slug``: the form of an id.
    """
    usual = _agreement(root.child("agreement", dict, {}).keys(*_KEYS))
    named: dict[str, Agreement] = {}
    for node in root.child("agreements", list, []).items():
        node.keys("id", *_KEYS)
        name = node.text("id", slug)
        if name in named:
            node.fail(f"the agreement {name} is there twice")
        named[name] = replace(_agreement(node), name=name)
    return usual, named


def under(node: Node, named: Mapping[str, Agreement]) -> Agreement | None:
    """What the unit names with its key ``agreement``; None if it is under the usual one."""
    if "agreement" not in node.value:
        return None
    name = node.text("agreement")
    if name not in named:
        known = ", ".join(named) or "none"
        node.child("agreement", str).fail(f"no such id under agreements; known: {known}")
    return named[name]


def _agreement(node: Node) -> Agreement:
    """What is left out is as in :class:`Agreement`."""
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

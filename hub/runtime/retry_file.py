"""How what fails is tried again, in the parties file."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from hub.model.retry import RetryWish
from hub.runtime.yaml_node import Node

_YEAR: Final = 366 * 86400.0
_LEAST: Final = 0.001


def retry(node: Node) -> RetryWish:
    """What is left out is as the party has it, else as the settings say."""
    node.keys("attempts", "first_seconds", "longest_seconds", "factor", "jitter", "give_up_hours")
    attempts = node.number("attempts", 1, 1000, "whole sends in all, 1 to 1000")
    if isinstance(attempts, float):
        node.child("attempts", float).fail("whole sends in all, 1 to 1000")
    first = _seconds(node, "first_seconds")
    longest = _seconds(node, "longest_seconds")
    if first and longest and first > longest:
        node.child("longest_seconds", type(node.value["longest_seconds"])).fail(
            "not less than first_seconds"
        )
    hours = node.number("give_up_hours", _LEAST, _YEAR / 3600, "hours, more than 0, at most a year")
    return RetryWish(
        attempts=attempts,
        first=first,
        longest=longest,
        factor=node.number("factor", 1, 10, "a number from 1 to 10"),
        jitter=node.number("jitter", 0, 1, "a number from 0 to 1"),
        within=timedelta(hours=hours) if hours is not None else None,
    )


def _seconds(node: Node, key: str) -> timedelta | None:
    found = node.number(key, _LEAST, _YEAR, "seconds, more than 0, at most a year")
    return timedelta(seconds=found) if found is not None else None

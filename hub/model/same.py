"""Equality of FHIR content: ``1.50`` is another value than ``1.5``. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.model.plan import canonical


def same(one: Any, other: Any) -> bool:
    """Equal in every lexeme, whatever the order of the members."""
    return bool(one == other) and canonical(one) == canonical(other)


def place_of(item: Any, items: Sequence[Any]) -> int | None:
    """Where it stands first; None if nowhere."""
    return next((i for i, x in enumerate(items) if same(item, x)), None)

"""The short forms that ``make test`` runs, and the long ones of ``make test-full``."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import cycle, islice, product
from typing import Any, Final, TypeVar

T = TypeVar("T")

FULL: Final = os.environ.get("KI_HUB_TEST_FULL") == "1"
"""The long forms are wanted."""


def combined(*each: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Every combination; in the short form as few as have every value of each once."""
    values = [list(some) for some in each]
    if FULL:
        return list(product(*values))
    most = max(map(len, values))
    return list(zip(*(islice(cycle(some), most) for some in values), strict=True))


def first(some: Iterable[T], most: int) -> list[T]:
    """All of it; in the short form not more than the first few."""
    return list(some) if FULL else list(islice(some, most))

"""Is a history of concurrent operations linearizable? Wing & Gong's search, with Lowe's memory.

Each operation took effect at one moment between its begin and its end. The search goes through
the orders that this allows and asks the model about each step; what was tried (the set of done
operations and the state they lead to) is not tried again. Operations without an answer may have
taken effect at any time after they began, or never.

J. M. Wing, C. Gong: Testing and Verifying Concurrent Objects (1993); G. Lowe: Testing for
linearizability (2017).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

S = TypeVar("S", bound=Hashable)
C = TypeVar("C")


@dataclass(frozen=True)
class Call(Generic[C]):
    """One operation: ``what`` is the model's affair. ``end`` is None where no answer came."""

    what: C
    begin: float
    end: float | None

    @property
    def last(self) -> float:
        return math.inf if self.end is None else self.end


def linearizable(
    calls: Sequence[Call[C]], start: S, step: Callable[[S, C], S | None]
) -> Sequence[Call[C]] | None:
    """None if it is; else the calls of the longest order found, the first impossible one last.

    ``step`` gives the state after an operation, or None where it cannot have come to its answer.
    """
    ordered = sorted(calls, key=lambda c: c.begin)
    must = sum(1 << i for i, c in enumerate(ordered) if c.end is not None)
    seen: set[tuple[int, S]] = set()
    stack: list[tuple[int, S, tuple[int, ...]]] = [(0, start, ())]
    longest: tuple[int, ...] = ()
    while stack:
        done, state, order = stack.pop()
        if done & must == must:
            return None
        if len(order) > len(longest):
            longest = order
        for index in reversed(_next(ordered, done)):
            after = step(state, ordered[index].what)
            key = (done | 1 << index, after)
            if after is not None and key not in seen:
                seen.add((key[0], after))
                stack.append((key[0], after, (*order, index)))
    missing = [c for i, c in enumerate(ordered) if i not in longest and c.end is not None]
    return [*(ordered[i] for i in longest), min(missing, key=lambda c: c.last)]


def _next(ordered: Sequence[Call[C]], done: int) -> list[int]:
    """The operations that may come next: none that began after another one had ended."""
    found: list[int] = []
    bound = math.inf
    for index, call in enumerate(ordered):
        if call.begin > bound:
            break
        if not done >> index & 1:
            found.append(index)
            bound = min(bound, call.last)
    return [i for i in found if ordered[i].begin <= bound]

"""What an adapter with tables says of the documents they are about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable


@dataclass(frozen=True)
class SourceElement:
    """One element of an outside format, for those who check the tables against its schema."""

    name: str
    repeats: bool = False
    needed: bool = False
    """It must be there where its parent is."""
    codes: tuple[str, ...] = ()
    """The only values it can have, where its schema lists them."""
    type: str = ""
    """What its content is as a record, where it has elements of its own and a name for that."""
    children: Callable[[], Sequence[SourceElement]] = tuple


@runtime_checkable
class Mapped(Protocol):
    """An adapter that translates by tables and says of what: ``ki-hub mappings`` checks them."""

    tables: Path
    """The folder of its tables, with ``codes/`` and ``samples/`` in it."""

    local: frozenset[str]
    """The code tables, by name, in place of whose codes a party may write its own."""

    def elements(self, record: str) -> Sequence[SourceElement]:
        """The elements of a record, by the name that tables give in ``record``.

        KeyError for a name that the format's schema does not have.
        """
        ...

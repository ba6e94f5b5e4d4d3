"""Pairs of codes, and a party's own ones. Standard library only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True)
class CodePair:
    """One row of a code table: columns of a FHIR ConceptMap."""

    source_system: str
    source_code: str
    source_display: str
    target_system: str
    target_code: str
    target_display: str
    equivalence: str
    """From source to target, as in R4: equal, equivalent, wider, narrower, inexact."""
    comment: str
    line: int = field(default=0, compare=False)
    """Where it stands in its file, from 1."""

    @property
    def lossless(self) -> bool:
        """Nothing is lost from source to target."""
        return self.equivalence in {"equal", "equivalent"}

    @property
    def coding(self) -> dict[str, str]:
        """The target as a FHIR Coding; what the table leaves empty is left out."""
        parts = {
            "system": self.target_system,
            "code": self.target_code,
            "display": self.target_display,
        }
        return {name: value for name, value in parts.items() if value}


Code = tuple[str, str]
"""System and code."""


@dataclass(frozen=True, eq=False)
class LocalCodes:
    """A party's own codes in one format, each for a code that the format's shared tables have; and
    what it keeps to itself.

    They are exchanged for shared codes where a document comes in, before anything else looks at
    it, and the other way where one goes out, so that no rule ever meets a local code.
    """

    tables: Mapping[str, tuple[CodePair, ...]]
    """By the shared table's name, such as ``effort-type``. The target is the shared table's."""
    not_shared: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What the party keeps to itself of its own documents: by mapping table
    (``folder/file.yaml``), each source path with the reason."""

    def shared(self, table: str, system: str, code: str) -> CodePair | None:
        """The pair of one of the party's codes; None if it is not one."""
        return self._shared.get(table, {}).get((system, code))

    def own(self, table: str, system: str, code: str) -> CodePair | None:
        """The party's first pair for a target code; None if it has none."""
        return self._own.get(table, {}).get((system, code))

    @cached_property
    def _shared(self) -> Mapping[str, Mapping[Code, CodePair]]:
        return {
            name: {(p.source_system, p.source_code): p for p in reversed(pairs)}
            for name, pairs in self.tables.items()
        }

    @cached_property
    def _own(self) -> Mapping[str, Mapping[Code, CodePair]]:
        return {
            name: {(p.target_system, p.target_code): p for p in reversed(pairs)}
            for name, pairs in self.tables.items()
        }


LocalCodesOf = Callable[[str, str], LocalCodes | None]
"""A party's id and a format to its own codes, if it has any."""


def no_local_codes(party: str, format: str) -> LocalCodes | None:
    """Nobody has codes of their own."""
    del party, format
    return None

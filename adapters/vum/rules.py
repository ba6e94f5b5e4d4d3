"""Conformance rules: what they are made of, and checking a message against them.

A rule belongs to one profile and is looked at in every entry with that role. The rules
themselves are data, in :mod:`adapters.vum.profiles`. ``error`` rules refuse a message that comes
in; ``warning`` rules are told to the sender, because a message can be understood without them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from adapters.vum.codes import care_social, in_system, value_set
from adapters.vum.message import Entry, Message
from adapters.vum.urls import CARE_SOCIAL, FFB, profile
from hub.errors import Issue
from hub.fhir.language import said

Broken = Callable[[Message, Entry], Iterable[str]]
"""Element paths, relative to the resource, where a rule is broken."""


@dataclass(frozen=True)
class Rule:
    """One line of a profile."""

    id: str
    """Profile and element, such as ``citizen.telecom-phone``."""
    role: str
    text: str
    broken: Broken
    severity: Literal["error", "warning"] = "warning"
    whole: bool = False
    """It looks beyond the entry, at the message around it."""
    code: str = "invalid"
    """FHIR issue type."""

    @property
    def profile(self) -> str:
        """The canonical URL of the profile that says so."""
        return profile(self.role)


@dataclass(frozen=True)
class Finding:
    """A broken rule and where."""

    rule: Rule
    at: str

    @property
    def issue(self) -> Issue:
        """For the sender; names the profile."""
        source = f"({self.rule.id}, {self.rule.profile})"
        danish = said("da", self.rule.text)
        return Issue(
            self.rule.severity,
            self.rule.code,
            f"{self.rule.text} {source}",
            self.at,
            f"{danish} {source}" if danish else None,
        )


def findings(message: Message, rules: Iterable[Rule]) -> list[Finding]:
    """Every broken rule, in document order within each rule."""
    return [
        Finding(rule, f"{entry.at}.{path}" if path else entry.at)
        for rule in rules
        for entry in message.of(rule.role)
        for path in rule.broken(message, entry)
    ]


def walk(value: Any, path: str, at: str = "") -> Iterator[tuple[str, Any]]:
    """Every value behind a dotted path, through lists, with its place."""
    name, _, rest = path.partition(".")
    if not path:
        yield at, value
    elif isinstance(value, Mapping) and name in value:
        found = value[name]
        members = (
            [(f"{name}[{i}]", m) for i, m in enumerate(found)]
            if isinstance(found, list)
            else [(name, found)]
        )
        for step, member in members:
            yield from walk(member, rest, f"{at}.{step}" if at else step)


def _absent(parent: Any, name: str) -> bool:
    """Neither a value nor an extension in its place (data-absent-reason)."""
    return not isinstance(parent, Mapping) or (
        parent.get(name) in (None, "", [], {}) and not parent.get(f"_{name}")
    )


def needs(path: str) -> Broken:
    """1.. : the last element is there, wherever its parent is."""
    parent, _, name = path.rpartition(".")

    def broken(_: Message, entry: Entry) -> Iterator[str]:
        for at, value in walk(entry.resource, parent):
            if _absent(value, name):
                yield f"{at}.{name}" if at else name

    return broken


def at_most(path: str, most: int) -> Broken:
    """..n : a list has no more members."""
    parent, _, name = path.rpartition(".")

    def broken(_: Message, entry: Entry) -> Iterator[str]:
        for at, value in walk(entry.resource, parent):
            found = value.get(name) if isinstance(value, Mapping) else None
            if isinstance(found, list) and len(found) > most:
                yield f"{at}.{name}" if at else name

    return broken


def fixed(path: str, wanted: str) -> Broken:
    """Every value at the path is that one."""

    def broken(_: Message, entry: Entry) -> Iterator[str]:
        for at, value in walk(entry.resource, path):
            if value != wanted:
                yield at

    return broken


def from_ffb(path: str, *value_sets: str) -> Broken:
    """Every FFB coding of the concepts at the path is in one of the value sets."""

    def broken(_: Message, entry: Entry) -> Iterator[str]:
        allowed = frozenset().union(*(value_set(name) for name in value_sets))
        for at, concept in walk(entry.resource, path):
            if isinstance(concept, Mapping) and set(in_system(concept, FFB)) - allowed:
                yield at

    return broken


def with_care_social(path: str, name: str) -> Broken:
    """Every concept at the path has a CareSocialCodes coding of the value set."""

    def broken(_: Message, entry: Entry) -> Iterator[str]:
        for at, concept in walk(entry.resource, path):
            if not set(in_system(concept, CARE_SOCIAL)) & care_social(name):
                yield at

    return broken


def of_system(path: str, *systems: str) -> Broken:
    """A required binding to whole code systems: of the codings at the path, one is of them.

    That the code itself is known is said of every coding (:func:`adapters.vum.codes.unknown`).
    """

    def broken(_: Message, entry: Entry) -> Iterator[str]:
        for at, concept in walk(entry.resource, path):
            codings = concept.get("coding") if isinstance(concept, Mapping) else None
            if codings and not any(c.get("system") in systems for c in codings):
                yield at

    return broken


def slice_needed(path: str, key: str, wanted: str, *required: str) -> Broken:
    """The list at the path has a member with that key, and it has the required elements."""
    parent, _, name = path.rpartition(".")

    def broken(_: Message, entry: Entry) -> Iterator[str]:
        for at, value in walk(entry.resource, parent):
            members = value.get(name, ()) if isinstance(value, Mapping) else ()
            fitting = [m for m in members if isinstance(m, Mapping) and m.get(key) == wanted]
            if not fitting or any(_absent(m, r) for m in fitting for r in required):
                yield f"{at}.{name}" if at else name

    return broken


def leads_to(path: str, *roles: str) -> Broken:
    """Every reference at the path is to an entry in one of the roles."""

    def broken(message: Message, entry: Entry) -> Iterator[str]:
        for at, reference in walk(entry.resource, path):
            if not message.has(message.find(reference), *roles):
                yield at

    return broken

"""The message as a graph: every entry indexed, every reference resolved, every entry's role.

A role is the id of the profile that an entry plays in the order (section names of KL FFB
messaging 1.0.0), found by its links, never by ``meta.profile``, which nobody is bound to send.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from adapters.vum import codes
from adapters.vum.local import to_shared
from adapters.vum.shape import check_shape
from adapters.vum.urls import EVENT_SYSTEM, ORDER_EVENT, normalise
from hub.codes import LocalCodes
from hub.contract import Loss, Resource
from hub.errors import Invalid, Issue, UnknownCode, Unsupported
from hub.fhir.validation import unknown_codes
from hub.mapping.trace import sourced


@dataclass(frozen=True)
class Entry:
    """One entry of the Bundle."""

    index: int
    full_url: str
    resource: Resource

    @property
    def at(self) -> str:
        """Its resource's place in the document."""
        return f"Bundle.entry[{self.index}].resource"

    @property
    def type(self) -> str:
        """The resource type."""
        return str(self.resource["resourceType"])

    @property
    def key(self) -> str:
        """What stays the same when the sender sends the resource again: its own id, else its
        identifier, else the id in a relative fullUrl, else the fullUrl."""
        if self.resource.get("id"):
            return str(self.resource["id"])
        for identifier in self.resource.get("identifier", ()):
            if isinstance(identifier, Mapping) and identifier.get("value"):
                return f"{identifier.get('system', '')}|{identifier['value']}"
        return self.full_url if ":" in self.full_url else self.full_url.rpartition("/")[2]


@dataclass(frozen=True)
class Message:
    """A whole message. ``bundle`` has 1.0.0 URLs throughout and is never written to."""

    bundle: Mapping[str, Any]
    entries: tuple[Entry, ...]
    roles: dict[int, frozenset[str]] = field(default_factory=dict)
    """Entry index to roles; an entry may have several (an author that is also an end)."""
    losses: tuple[Loss, ...] = ()
    """Where a code of the sender's own says more than the FFB code that took its place."""

    @cached_property
    def _by_url(self) -> dict[str, Entry]:
        found: dict[str, Entry] = {}
        for entry in self.entries:
            found.setdefault(entry.full_url, entry)
            if entry.resource.get("id"):
                found.setdefault(f"{entry.type}/{entry.resource['id']}", entry)
        for entry in self.entries:
            tail = "/".join(entry.full_url.split("/")[-2:])
            if not entry.full_url.startswith("urn:") and tail.startswith(f"{entry.type}/"):
                found.setdefault(tail, entry)
        return found

    def find(self, reference: Mapping[str, Any] | None) -> Entry | None:
        """The entry behind a Reference; None if it has no ``reference`` or none fits."""
        text = str((reference or {}).get("reference", ""))
        return self._by_url.get(text.partition("/_history/")[0])

    def targets(self, references: Iterable[Mapping[str, Any]]) -> Iterator[Entry]:
        """The entries behind References, in order."""
        for reference in references:
            entry = self.find(reference)
            if entry is not None:
                yield entry

    def of(self, role: str) -> list[Entry]:
        """The entries with that role, in document order."""
        return [e for e in self.entries if role in self.roles.get(e.index, ())]

    def has(self, entry: Entry | None, *roles: str) -> bool:
        """The entry has one of the roles."""
        return entry is not None and bool(self.roles.get(entry.index, frozenset()) & set(roles))

    @property
    def header(self) -> Entry:
        """The MessageHeader."""
        return self.entries[0]


def read_message(document: Resource, local: LocalCodes | None = None) -> Message:
    """The document as a message, its URLs as in 1.0.0, its roles not yet given.

    The sender's own codes have given way to the shared codes they stand for.

    Raises Malformed, Unsupported (not an FFB order), UnknownCode (a code that its code system, or
    R4, does not have) or Invalid (unresolved references, entries without an address), all places
    at once.
    """
    bundle = normalise(document)
    if bundle.get("resourceType") != "Bundle":
        raise Unsupported(
            "Not a FHIR Bundle; send the order as a message Bundle", at="resourceType"
        )
    check_shape(bundle)
    if bundle.get("type") != "message":
        raise Unsupported("Not a message; send the order with type message", at="Bundle.type")
    entries = tuple(_entries(bundle))
    if not entries or entries[0].type != "MessageHeader":
        raise Invalid("The first entry must be the MessageHeader", at="Bundle.entry[0]")
    event = entries[0].resource.get("eventCoding", {})
    if (event.get("system"), event.get("code")) != (EVENT_SYSTEM, ORDER_EVENT):
        raise Unsupported(
            "Not the event ffb-order of KL FFB messaging; no other is read",
            at=f"{entries[0].at}.eventCoding",
        )
    losses: list[Loss] = []
    if local is not None:
        bundle, losses = to_shared(bundle, local)
    bundle = sourced(bundle, "Bundle")
    entries = tuple(_entries(bundle))
    _known(bundle)
    message = Message(bundle, entries, losses=tuple(losses))
    issues = (*_modifiers(bundle, "Bundle"), *_addresses(entries), *_unresolved(message))
    if issues:
        raise Invalid(issues[0].text, issues=issues)
    return message


def as_written(document: Resource) -> tuple[Entry, ...]:
    """The entries of a document that can be read, with the sender's own codes in them."""
    return tuple(_entries(normalise(document)))


def _known(bundle: Resource) -> None:
    """Raise UnknownCode, with every place, for a code that its system or R4 does not have."""
    issues = (*codes.unknown(bundle, "Bundle"), *unknown_codes(bundle))
    if issues:
        raise UnknownCode(issues[0].text, issues=issues)


def _entries(bundle: Mapping[str, Any]) -> Iterator[Entry]:
    for i, entry in enumerate(bundle.get("entry", ())):
        resource = entry["resource"]
        own = f"{resource['resourceType']}/{resource['id']}" if resource.get("id") else ""
        yield Entry(i, str(entry.get("fullUrl") or own), resource)


def _addresses(entries: Iterable[Entry]) -> Iterator[Issue]:
    seen: set[str] = set()
    for entry in entries:
        at = f"Bundle.entry[{entry.index}].fullUrl"
        if not entry.full_url:
            yield Issue("error", "required", "An entry needs a fullUrl or a resource id", at)
        elif entry.full_url in seen:
            yield Issue("error", "duplicate", "Two entries have the same fullUrl", at)
        seen.add(entry.full_url)


def _modifiers(tree: Any, at: str) -> Iterator[Issue]:
    """FHIR R4 2.4.0.5: a modifier extension that is not understood must not be ignored."""
    if isinstance(tree, dict):
        if tree.get("modifierExtension"):
            text = "A modifierExtension changes the meaning and is not known here; leave it out"
            yield Issue("error", "extension", text, f"{at}.modifierExtension")
        for key, value in tree.items():
            yield from _modifiers(value, f"{at}.{key}")
    elif isinstance(tree, list):
        for i, value in enumerate(tree):
            yield from _modifiers(value, f"{at}[{i}]")


def _unresolved(message: Message) -> Iterator[Issue]:
    text = "The reference is to nothing in this message; send what it points at as an entry"
    for entry in message.entries:
        for at, reference in reference_places(entry.resource, entry.at):
            if message.find({"reference": reference}) is None:
                yield Issue("error", "not-found", text, at)


def reference_places(tree: Any, at: str) -> Iterator[tuple[str, str]]:
    """Every ``reference`` below, with its place."""
    if isinstance(tree, dict):
        if isinstance(tree.get("reference"), str):
            yield f"{at}.reference", tree["reference"]
        for key, value in tree.items():
            yield from reference_places(value, f"{at}.{key}")
    elif isinstance(tree, list):
        for i, value in enumerate(tree):
            yield from reference_places(value, f"{at}[{i}]")

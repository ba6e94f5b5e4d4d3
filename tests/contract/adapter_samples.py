"""Every registered adapter with the sample documents that belong to it."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from hub.contract import (
    Adapter,
    Context,
    Correspondence,
    Decision,
    Parsed,
    Party,
    PlanUpdate,
    RawMessage,
    Receipt,
    Resource,
)
from hub.errors import HubError, Misconfigured
from hub.fhir import names
from hub.mapping.source import Mapped
from hub.runtime.registry import Registry
from tests.views import EXAMPLES, ROOT, check, find_party, parties

NOW = datetime(2026, 9, 20, 8, 0, tzinfo=UTC)
REGISTRY = Registry()
CANONICAL = "fhir"


@dataclass(frozen=True)
class Sample:
    """A document in one adapter's format."""

    format: str
    file: Path

    @property
    def name(self) -> str:
        return f"{self.format}/{self.file.name}"

    @property
    def body(self) -> bytes:
        return self.file.read_bytes()


def formats() -> list[str]:
    """Every registered format, or those that ``KI_HUB_SUITE`` names, with commas between."""
    chosen = os.environ.get("KI_HUB_SUITE", "")
    return chosen.split(",") if chosen else list(REGISTRY.formats())


def samples() -> list[Sample]:
    """All sample files of those formats: beside the adapter's tables, else by the format's name."""
    found = []
    for format in formats():
        adapter = adapter_of(format)
        tables = adapter.tables if isinstance(adapter, Mapped) else ROOT / "mappings" / format
        folder = EXAMPLES if format == CANONICAL else tables / "samples"
        pattern = "*.json" if format == CANONICAL else "*"
        found += [Sample(format, f) for f in sorted(folder.glob(pattern)) if f.is_file()]
    return found


@cache
def adapter_of(format: str) -> Adapter | None:
    """The adapter, or None if it does not load (which is a failure of its own test)."""
    try:
        return REGISTRY.adapter(format)
    except Misconfigured:
        return None


def loaded(found: list[Sample]) -> list[Sample]:
    """Those whose adapter loads and takes documents in."""
    return [s for s in found if (a := adapter_of(s.format)) is not None and a.media_types]


def context(sender: Party, **changes: Any) -> Context:
    made = Context(
        now=NOW,
        id_for=lambda key: str(uuid.uuid5(uuid.NAMESPACE_URL, f"{sender.id}/{key}")),
        find_party=find_party,
        sender=sender,
        base_url=names.BASE,
        check=check,
    )
    return replace(made, **changes)


def message(sample: Sample, sender: Party, body: bytes | None = None) -> RawMessage:
    adapter = adapter_of(sample.format)
    assert adapter is not None
    content = sample.body if body is None else body
    fitting = [m for m in adapter.media_types if content.startswith(b"<") == ("xml" in m)]
    kind = next(iter(fitting), adapter.media_types[0])
    return RawMessage(sender, sample.format, content, kind, "m-1", NOW)


@cache
def sender_of(sample: Sample) -> Party:
    """Whom the document names, as a hub would have it from the channel."""
    first = next(iter(parties().values()))
    try:
        found = read(sample, first)
    except HubError:
        return first
    return find_party(getattr(found, "claimed_sender", ())) or first


def read(sample: Sample, sender: Party | None = None, body: bytes | None = None) -> Parsed:
    """The document understood; raises what the adapter raises."""
    origin = sender or sender_of(sample)
    adapter = adapter_of(sample.format)
    assert adapter is not None
    return adapter.parse(message(sample, origin, body), context(origin))


def resources_of(found: Parsed) -> tuple[Resource, ...]:
    if isinstance(found, PlanUpdate):
        return found.resources
    return (found.resource,) if isinstance(found, Decision) else ()


def private_values(found: Parsed) -> set[str]:
    """What no error may repeat: numbers and names of people, and running text."""
    values = {
        i.value
        for i in getattr(found, "citizen", None).identifiers  # type: ignore[union-attr]
    } if getattr(found, "citizen", None) else set()  # fmt: skip
    for resource in resources_of(found):
        values |= set(_names(resource))
        values |= {s for s in _strings(resource) if s.count(" ") >= 3}
    if isinstance(found, Correspondence | Receipt) and len(found.text) > 12:
        values.add(found.text)
    return {v for v in values if len(v) > 3}


def _names(resource: Resource) -> Iterator[str]:
    if resource["resourceType"] not in {"Patient", "RelatedPerson", "Practitioner"}:
        return
    for name in resource.get("name", ()):
        yield from (name.get("text", ""), name.get("family", ""), *name.get("given", ()))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)

"""Sample orders as values, and what is needed to read and render them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from adapters.vum import ADAPTER
from hub.contract import Context, PlanUpdate, RawMessage, SourceDocument
from hub.mapping import mappings_folder
from tests.views import check, find_party, parties

SAMPLES = mappings_folder("vum") / "samples"
NAMES = ("order-full", "order-full-update", "order-minimal", "order-0.1.0-urls", "order-2")
NOW = datetime(2026, 10, 1, 9, 30, tzinfo=UTC)
PROFILE = "http://fhir.kl.dk/ffbmessaging/StructureDefinition/kl-messaging-ffb-"

Bundle = dict[str, Any]


@cache
def _text(name: str) -> str:
    return (SAMPLES / f"{name}.json").read_text(encoding="utf-8")


def sample(name: str = "order-full") -> Bundle:
    """A sample, free to be changed."""
    return json.loads(_text(name))


def context(sender: str = "social-havneby") -> Context:
    """In: who published. Out: on whose behalf the hub sends."""
    return Context(
        now=NOW,
        id_for=lambda key: str(uuid.uuid5(uuid.NAMESPACE_URL, f"{sender}/{key}")),
        find_party=find_party,
        sender=parties()[sender],
        base_url="https://hub.example/fhir",
        check=check,
    )


def raw(document: Bundle | bytes) -> RawMessage:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return RawMessage(parties()["social-havneby"], "vum", body, "application/fhir+json", "m-1", NOW)


def parsed(document: Bundle | bytes) -> PlanUpdate:
    found = ADAPTER.parse(raw(document), context())
    assert isinstance(found, PlanUpdate)
    return found


def own(document: Bundle) -> SourceDocument:
    return SourceDocument("vum", json.dumps(document).encode(), "application/fhir+json")


def of(bundle: Bundle, profile: str, number: int = 0) -> dict[str, Any]:
    """The n-th resource that names the profile."""
    wanted = PROFILE + profile
    found = [
        e["resource"]
        for e in bundle["entry"]
        if wanted in e["resource"].get("meta", {}).get("profile", ())
    ]
    return found[number]


def index_of(bundle: Bundle, profile: str, number: int = 0) -> int:
    resource = of(bundle, profile, number)
    return next(i for i, e in enumerate(bundle["entry"]) if e["resource"] is resource)


def strings(value: Any) -> Iterator[str]:
    """Every string value, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from strings(member)
    elif isinstance(value, list):
        for member in value:
            yield from strings(member)


def changed(bundle: Bundle) -> Bundle:
    return deepcopy(bundle)


def resources_of_type(update: PlanUpdate, kind: str) -> list[dict[str, Any]]:
    return [r for r in update.resources if r["resourceType"] == kind]


def without_claim(update: PlanUpdate) -> PlanUpdate:
    """What the update says of its own plan, without who sent it and where it stood."""
    return replace(
        update, claimed_sender=(), issues=(), losses=(), not_shared=(), said_of_others=()
    )

"""The comparison the yardstick rests on notices every change, wherever it is made."""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.fhir.codec import dump_json
from tests.scenarios.plan_comparison import Comparison, resources_of
from tests.views import EXAMPLES

PLANS = [(EXAMPLES / f"plan-{n}.json").read_bytes() for n in (1, 2)]


def renamed(body: bytes) -> bytes:
    """The same plan under other ids, as a hub gives it back."""
    text = body.decode()
    for entry in json.loads(body)["entry"]:
        old = entry["fullUrl"].removeprefix("urn:uuid:")
        text = text.replace(old, str(uuid.uuid5(uuid.NAMESPACE_URL, old)))
    return text.encode()


def leaves(value: Any) -> Iterator[tuple[Any, Any]]:
    """Holder and key of everything that is no holder itself."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        if isinstance(item, dict | list):
            yield from leaves(item)
        else:
            yield value, key


@pytest.mark.parametrize("body", PLANS, ids=["plan-1", "plan-2"])
def test_other_ids_are_no_difference(body: bytes) -> None:
    compared = Comparison(resources_of(body), resources_of(renamed(body)))
    assert (compared.differences, compared.added) == ([], set())
    assert compared.words(compared.received) == compared.words(compared.source)


@settings(max_examples=60, deadline=None)
@given(body=st.sampled_from(PLANS), where=st.floats(0, 0.9999), gone=st.booleans())
def test_any_change_is_noticed(body: bytes, where: float, gone: bool) -> None:
    bundle = copy.deepcopy(json.loads(renamed(body)))
    found = [
        (holder, key)
        for entry in bundle["entry"]
        for holder, key in leaves(entry["resource"])
        if key != "resourceType"
    ]
    holder, key = found[int(len(found) * where)]
    if gone:
        del holder[key]
    else:
        holder[key] = "ændret" if isinstance(holder[key], str) else 99
    try:
        compared = Comparison(resources_of(body), resources_of(dump_json(bundle)))
    except ValueError:
        return  # the plan itself can no longer be told from the rest
    assert compared.differences

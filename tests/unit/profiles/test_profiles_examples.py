"""Each profile has an example, and each example is legal and keeps the rules of its profile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.runtime.profile_docs import rows
from hub.runtime.published import FOLDER, published
from tests.unit.profiles.rules import at, broken
from tests.views import errors_in

EXAMPLES = sorted((FOLDER / "examples").glob("*.json"))
FOUND = published()
PROFILES = {
    s["url"]: s
    for s in FOUND.of_type("StructureDefinition")
    if s["type"] != "Extension" and s["kind"] == "resource"
}


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def resources(document: dict[str, Any]) -> list[dict[str, Any]]:
    if document["resourceType"] != "Bundle":
        return [document]
    return [entry["resource"] for entry in document["entry"]]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_an_example_is_legal_r4(path: Path) -> None:
    assert errors_in(read(path)) == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_an_example_carries_a_published_profile(path: Path) -> None:
    found = resources(read(path))
    assert found[0]["meta"]["profile"]
    for resource in found:
        for url in resource.get("meta", {}).get("profile", ()):
            assert PROFILES[url]["type"] == resource["resourceType"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_an_example_keeps_the_rules_of_its_profile(path: Path) -> None:
    for resource in resources(read(path)):
        for url in resource.get("meta", {}).get("profile", ()):
            assert [
                c["key"] for c in broken(resource, PROFILES[url]) if c["severity"] == "error"
            ] == []


def test_every_profile_has_an_example() -> None:
    shown = {
        url
        for path in EXAMPLES
        for resource in resources(read(path))
        for url in resource.get("meta", {}).get("profile", ())
    }
    assert set(PROFILES) - shown == set()


def extensions(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "url" in value and any(k == "extension" or k.startswith("value") for k in value):
            yield value["url"]
        for item in value.values():
            yield from extensions(item)
    elif isinstance(value, list):
        for item in value:
            yield from extensions(item)


def test_every_extension_of_ours_in_an_example_is_published() -> None:
    known = {s["url"] for s in FOUND.of_type("StructureDefinition")}
    used = {url for path in EXAMPLES for url in extensions(read(path)) if url.startswith("https:")}
    assert used - known == set()
    assert len(used) > 15


def test_the_single_examples_are_those_of_the_plan() -> None:
    plan = read(FOLDER / "examples" / "plan-1.json")
    by_url = {e["fullUrl"]: e["resource"] for e in plan["entry"]}
    text = json.dumps(plan["entry"])
    for url, resource in by_url.items():
        own = f"{resource['resourceType']}/{url.removeprefix('urn:uuid:')}"
        text = text.replace(f'"reference": "{url}"', f'"reference": "{own}"')
    there = [e["resource"] for e in json.loads(text)]
    names = ("care-team", "challenge", "goal", "status-note", "meeting", "patient", "organization")
    for name in names:
        example = read(FOLDER / "examples" / f"{name}-1.json")
        assert f"urn:uuid:{example['id']}" in by_url
        assert {k: v for k, v in example.items() if k != "id"} in there


def test_every_field_of_an_intervention_is_in_an_example() -> None:
    """A logical model has no instances: its example is the row of a plan that it maps onto."""
    plans = [
        r for path in EXAMPLES for r in resources(read(path)) if r["resourceType"] == "CarePlan"
    ]
    intervention = FOUND.structure("KiIntervention")
    shown = {}
    for element, place in rows(intervention):
        path, _, slice_name = place.partition("#")[2].partition(":")
        names = (
            [path] if "[x]" not in path else [path.replace("[x]", k) for k in ("Period", "String")]
        )
        values = [v for plan in plans for name in names for v in at(plan, name)]
        if slice_name:
            kebab = "".join(f"-{c.lower()}" if c.isupper() else c for c in slice_name)
            values = [v for v in values if v["url"].endswith(f"/ki-{kebab}")]
        shown[element["path"]] = bool(values)
    assert [path for path, found in shown.items() if not found] == []
    assert len(shown) == 13

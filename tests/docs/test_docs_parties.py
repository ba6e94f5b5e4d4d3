"""docs/parties.md against the reader of the file: every key that it accepts, and no other."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import yaml

from hub.errors import InputRefused
from hub.runtime.parties_file import IDENTIFIER_SYSTEMS, parse_parties
from hub.runtime.registry import Registry
from tests.docs.pages import DOCS, ROOT, code_spans, fences, first_cells

PAGE = DOCS / "parties.md"


def example() -> dict[str, Any]:
    (text,) = fences(PAGE, "yaml")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def mappings(value: Any) -> Iterator[dict[str, Any]]:
    """Every mapping below, the top included."""
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from mappings(item)
    elif isinstance(value, list):
        for item in value:
            yield from mappings(item)


def refusal(content: dict[str, Any]) -> str:
    """Why the file is refused; empty if it is not."""
    try:
        parse_parties(yaml.safe_dump(content))
    except InputRefused as e:
        return e.text
    return ""


def accepted() -> set[str]:
    """What the reader itself says it knows, asked with an unknown key in each mapping."""
    found: set[str] = set()
    for number, mapping in enumerate(mappings(example())):
        asked = copy.deepcopy(example())
        list(mappings(asked))[number]["ukendt"] = "x"
        _, _, known = refusal(asked).partition("unknown key ukendt; known: ")
        # A format's options are its own; every other mapping knows its keys.
        assert known or mapping == {"topic": "Kopi af fælles plan"}
        found |= set(filter(None, known.split(", ")))
    return found


def documented() -> set[str]:
    """The keys at the start of a table row."""
    cells = (re.fullmatch(r"`([\w.]+)`", cell) for cell in first_cells(PAGE))
    return {m[1].rpartition(".")[2] for m in cells if m}


def test_the_example_is_a_parties_file() -> None:
    (text,) = fences(PAGE, "yaml")
    read = parse_parties(text)
    assert (len(read.parties), len(read.operators)) == (1, 1)
    formats = {s.format for p in read.parties for s in p.subscriptions} | {read.citizen_format}
    assert formats <= set(Registry().formats())


def test_every_key_is_on_the_page_and_no_other() -> None:
    keys = accepted()
    assert keys >= set(IDENTIFIER_SYSTEMS)
    assert {"subscriptions", "endpoint", "secret", "sha256", "options", "versions"} <= keys
    assert documented() == keys


def test_every_transport_is_on_the_page() -> None:
    assert set(Registry().transport_names()) <= set(code_spans(PAGE))


def test_the_demos_file_uses_nothing_else() -> None:
    demo = yaml.safe_load((ROOT / "hub" / "demo" / "parties.yaml").read_text("utf-8"))
    assert {key for found in mappings(demo) for key in found} <= documented()

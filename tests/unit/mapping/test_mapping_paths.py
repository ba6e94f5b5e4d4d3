"""Paths: what they mean, what they write, and that nothing in a list is passed over."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.mapping.paths import (
    at_index,
    counted_from,
    find,
    get,
    leaves,
    parse_path,
    put,
    without_indices,
)

URL = "https://example.org/a/b"
TREE: dict[str, Any] = {
    "name": [{"given": ["Bo", "Test"]}, {"given": ["Ib"]}],
    "extension": [
        {"url": "x", "valueCode": "1"},
        {"url": URL, "valueCode": "2"},
        {"url": URL, "valueCode": "3"},
    ],
    "status": "active",
    "empty": [],
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("status", [("status", "active")]),
        ("name/given", [("name[0]/given[0]", "Bo")]),
        ("name[1]/given[0]", [("name[1]/given[0]", "Ib")]),
        ("name[0]/given[*]", [("name[0]/given[0]", "Bo"), ("name[0]/given[1]", "Test")]),
        ("name[2]/given", []),
        ("status[1]", []),
        ("status/text", []),
        ("empty", []),
        ("missing/at/all", []),
        (f"extension[url={URL}]/valueCode", [("extension[1]/valueCode", "2")]),
        (
            f"extension[+url={URL}]/valueCode",
            [("extension[1]/valueCode", "2"), ("extension[2]/valueCode", "3")],
        ),
    ],
)
def test_find(path: str, found: list[tuple[str, str]]) -> None:
    assert list(find(TREE, path)) == found
    assert get(TREE, path) == (found[0][1] if found else None)


def test_put_makes_what_is_missing() -> None:
    tree: dict[str, Any] = {}
    put(tree, "code/coding[0]/code", "a")
    put(tree, "code/coding[0]/system", "s")
    put(tree, f"extension[url={URL}]/valueCode", "b")
    put(tree, f"extension[url={URL}]/other", "c")
    put(tree, "extension[+url=y]/valueCode", "d")
    put(tree, "extension[+url=y]/valueCode", "e")
    put(tree, "given[1]", "z")
    assert tree == {
        "code": {"coding": [{"code": "a", "system": "s"}]},
        "extension": [
            {"url": URL, "valueCode": "b", "other": "c"},
            {"url": "y", "valueCode": "d"},
            {"url": "y", "valueCode": "e"},
        ],
        "given": [{}, "z"],
    }


@pytest.mark.parametrize("path", ["extension[url=x]", "extension[+url=x]", "given[*]"])
def test_put_needs_a_leaf(path: str) -> None:
    with pytest.raises(ValueError, match="leaf"):
        put({}, path, "a")


@pytest.mark.parametrize("path", ["", "a//b", "a[", "a[]", "[0]", "a[x]"])
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(ValueError, match="not a path segment"):
        parse_path(path)


def test_indices() -> None:
    assert without_indices("a[0]/b[12]/c") == "a/b/c"
    assert counted_from("a[0]/b[12]", 1) == "a[1]/b[13]"
    assert at_index("a[*]/b", 3) == "a[3]/b"


_NAMES = st.sampled_from(["a", "b", "c"])
_TREES = st.recursive(
    st.text(max_size=3),
    lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(_NAMES, inner),
    max_leaves=12,
)


@given(st.dictionaries(_NAMES, _TREES))
def test_a_leafs_own_path_finds_exactly_that_leaf(tree: dict[str, Any]) -> None:
    for path, value in leaves(tree):
        if "][" in path:
            continue  # a list in a list: neither FHIR nor XML has one, and no path names it
        assert list(find(tree, path)) == [(path, value)]

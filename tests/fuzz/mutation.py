"""Valid FHIR, made invalid in one or two places. Everything follows from the given chance."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from random import Random
from typing import Any

Json = Any
Place = tuple[Any, Any]
"""A dictionary or list, and the key or index in it."""

CANARY = "Kanariefugl Gulfjer"
"""Stands for what a document says: must come back to nobody's log."""

NASTY: tuple[Json, ...] = (
    None, True, 0, -1, 2**31, 2**63, "1" * 40, "", " ", "\u0000", "\u0001", "\u202e", "\ufffe",
    "\U0001f600", "a" * 5000, "<div>", "<script>alert(1)</script>", "]]>", "&lt;", "' OR 1=1 --",
    "../../x", "http://[", "urn:uuid:x", "Patient/x/_history/1", "#x", "2026-02-30", "0000",
    "24:00",
    "2026-11-26T10:00:00", [], {}, [None], [[]], {"resourceType": "Patient"}, {"extension": []},
    {"reference": "CarePlan/x"}, {"": ""}, {CANARY: 1}, f"{CANARY} %s {{0}}", 1.5, Decimal("1E+40"),
)  # fmt: skip
KEYS = ("", "_", "id", "extension", "modifierExtension", "contained", "text", "meta", "language",
        "implicitRules", "resourceType", "fhir_comments", "_id", "url", "valueX",
        CANARY)  # fmt: skip


def mutated(chance: Random, resource: Json) -> Json:
    """A copy with one to three changes anywhere."""
    made = copy.deepcopy(resource)
    for _ in range(chance.choice((1, 1, 2, 3))):
        places = list(_places(made))
        if places:
            chance.choice(_CHANGES)(chance, *chance.choice(places))
    return made


def written(chance: Random, value: Json) -> bytes:
    """As JSON; sometimes with bytes broken, cut off or doubled."""
    body = json.dumps(value, ensure_ascii=chance.random() < 0.3, default=str).encode(
        "utf-8", "surrogatepass"
    )
    return broken(chance, body) if chance.random() < 0.1 else body


def broken(chance: Random, body: bytes) -> bytes:
    """The bytes with a piece gone, doubled or replaced."""
    at = chance.randrange(len(body) + 1)
    piece = chance.choice(
        (b"\xff", b"\x00", b"\xed\xa0\x80", b"{", b"<", b"1e999", b"\\ud800", b"&x;")
    )
    return chance.choice((body[:at], body[:at] + piece + body[at:], body[at:], body + body))


def _places(value: Json) -> Iterator[Place]:
    todo = [value]
    while todo:
        item = todo.pop()
        inner = item.items() if isinstance(item, dict) else enumerate(item)
        for key, one in inner:
            yield item, key
            if isinstance(one, dict | list):
                todo.append(one)


def _nasty(chance: Random) -> Any:
    """One of its own: a later change to it must not reach another place, or itself."""
    return copy.deepcopy(chance.choice(NASTY))


def _replace(chance: Random, holder: Json, key: Any) -> None:
    holder[key] = _nasty(chance)


def _remove(_: Random, holder: Json, key: Any) -> None:
    del holder[key]


def _wrap(chance: Random, holder: Json, key: Any) -> None:
    found = holder[key]
    holder[key] = [found, copy.deepcopy(found)] if chance.random() < 0.7 else {"value": found}


def _deepen(_: Random, holder: Json, key: Any) -> None:
    for _depth in range(80):
        holder[key] = [holder[key]]


def _add(chance: Random, holder: Json, key: Any) -> None:
    if isinstance(holder, dict):
        holder[chance.choice(KEYS)] = _nasty(chance)
    else:
        holder.append(_nasty(chance))


def _aside(chance: Random, holder: Json, key: Any) -> None:
    """What FHIR keeps beside a primitive."""
    if isinstance(holder, dict):
        holder[f"_{key}"] = chance.choice((None, {"id": "a"}, [None], {"extension": [{}]}, "x"))


def _twist(chance: Random, holder: Json, key: Any) -> None:
    """Almost the same: the kind of defect a real system sends."""
    found = holder[key]
    if isinstance(found, str):
        holder[key] = chance.choice(
            (found.upper(), f" {found}", found[:-1], f"{found}x", found * 2, f"{found}\n{CANARY}")
        )
    elif isinstance(found, bool):
        holder[key] = str(found)
    elif isinstance(found, int):
        holder[key] = chance.choice((-found, found + 1, float(found), str(found)))
    else:
        _replace(chance, holder, key)


_CHANGES: tuple[Callable[[Random, Json, Any], None], ...] = (
    _replace, _replace, _remove, _remove, _wrap, _deepen, _add, _add, _aside, _twist, _twist,
    _twist,
)  # fmt: skip

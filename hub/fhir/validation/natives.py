"""Base rules of R4 that are evaluated in Python instead of by the FHIRPath engine.

Why, by rule: the engine cannot do ``dom-3`` (``as`` on a collection) and ``rng-2`` (it needs a
system to compare quantities), and in ``per-1`` takes dates of different precision for different,
where FHIRPath calls the answer unknown; ``txt-1`` and ``txt-2`` need an XHTML parser; ``bdl-7``
takes long there for a large Bundle; ``ext-1``, ``dom-2``, ``dom-4`` to ``dom-6``, ``ref-1``,
``qty-3``, ``cpt-2``, ``bdl-5`` and ``bdl-8`` are asked so often that the engine would take most
of a check's time. ``ele-1`` is part of the walk itself: nothing may be empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from hub.fhir.validation.moments import not_after
from hub.fhir.validation.scope import Scope
from hub.fhir.validation.xhtml import broken_rule

Json = Mapping[str, Any]


def _items(value: Any, name: str) -> Iterator[Json]:
    """The objects of a repeating element, whatever is wrong with it otherwise."""
    found = value.get(name) if isinstance(value, Mapping) else None
    for item in found if isinstance(found, list) else ():
        if isinstance(item, Mapping):
            yield item


def _ext_1(value: Any, _: Scope) -> bool:
    nested = "extension" in value
    return nested != any(k.startswith(("value", "_value")) for k in value)


def _dom_2(value: Any, _: Scope) -> bool:
    return not any("contained" in one for one in _items(value, "contained"))


def _dom_3(_: Any, scope: Scope) -> bool:
    return all(
        f"#{one.resource.get('id')}" in scope.fragments or "#" in one.fragments
        for one in scope.contained
    )


def _dom_4(value: Any, _: Scope) -> bool:
    metas = [c.get("meta") for c in _items(value, "contained")]
    return not any(name in meta for meta in metas if isinstance(meta, Mapping) for name in _META)


_META: Final = ("versionId", "_versionId", "lastUpdated", "_lastUpdated")


def _dom_5(value: Any, _: Scope) -> bool:
    metas = [c.get("meta") for c in _items(value, "contained")]
    return not any("security" in meta for meta in metas if isinstance(meta, Mapping))


def _dom_6(value: Any, _: Scope) -> bool:
    return isinstance(value.get("text"), Mapping) and "div" in value["text"]


def _ref_1(value: Any, scope: Scope) -> bool:
    reference = value.get("reference")
    local = isinstance(reference, str) and reference.startswith("#")
    return not local or scope.local(reference) is not None


def _per_1(value: Any, _: Scope) -> bool:
    start, end = value.get("start"), value.get("end")
    if not isinstance(start, str) or not isinstance(end, str):
        return True
    return not_after(start, end) is not False


def _qty_3(value: Any, _: Scope) -> bool:
    return _has(value, "system") or not _has(value, "code")


def _has(value: Json, name: str) -> bool:
    """A simple value, or an extension in its place."""
    return name in value or f"_{name}" in value


def _rng_2(value: Any, _: Scope) -> bool:
    low, high = value.get("low"), value.get("high")
    if not isinstance(low, Mapping) or not isinstance(high, Mapping):
        return True
    numbers = [_number(low), _number(high)]
    same = _unit(low) == _unit(high)
    # Different units cannot be compared here; FHIRPath calls that unknown, which is not false.
    return None in numbers or not same or numbers[0] <= numbers[1]  # type: ignore[operator]


def _unit(quantity: Json) -> tuple[Any, ...]:
    """The coded unit, or the unit as written where there is no code."""
    coded = (quantity.get("system"), quantity.get("code"))
    return coded if "code" in quantity else (*coded, quantity.get("unit"))


def _number(quantity: Json) -> Decimal | None:
    value = quantity.get("value")
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return Decimal(str(value))


def _txt(key: str) -> Callable[[Any, Scope], bool]:
    def holds(value: Any, _: Scope) -> bool:
        return not isinstance(value, str) or broken_rule(value) != key

    return holds


def _cpt_2(value: Any, _: Scope) -> bool:
    return _has(value, "system") or not _has(value, "value")


def _bdl_5(value: Any, _: Scope) -> bool:
    return any(name in value for name in ("resource", "request", "response"))


def _bdl_8(value: Any, _: Scope) -> bool:
    url = value.get("fullUrl")
    return not isinstance(url, str) or "/_history/" not in url


def _bdl_7(value: Any, _: Scope) -> bool:
    if value.get("type") == "history":
        return True
    seen: set[tuple[str, str]] = set()
    for entry in _items(value, "entry"):
        if not isinstance(entry.get("fullUrl"), str):
            continue
        resource = entry.get("resource")
        meta = resource.get("meta") if isinstance(resource, Mapping) else None
        version = meta.get("versionId", "") if isinstance(meta, Mapping) else ""
        place = (entry["fullUrl"], str(version))
        if place in seen:
            return False
        seen.add(place)
    return True


NATIVE: Final[dict[str, Callable[[Any, Scope], bool]]] = {
    "ext-1": _ext_1,
    "dom-2": _dom_2,
    "dom-3": _dom_3,
    "dom-4": _dom_4,
    "dom-5": _dom_5,
    "dom-6": _dom_6,
    "ref-1": _ref_1,
    "per-1": _per_1,
    "qty-3": _qty_3,
    "rng-2": _rng_2,
    "txt-1": _txt("txt-1"),
    "txt-2": _txt("txt-2"),
    "cpt-2": _cpt_2,
    "bdl-5": _bdl_5,
    "bdl-7": _bdl_7,
    "bdl-8": _bdl_8,
}
"""By key; a key is only looked up for rules of base R4."""

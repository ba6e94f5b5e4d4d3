"""Applies a profile's differential to its base (R4 "Profiling", 5.1.0).

Understood: cardinality, narrowed types with their profiles and targets, required bindings, fixed
and pattern values, lengths and limits, invariants, slicing by any discriminator, and elements
inside slices and data types. A construct outside of that raises Misconfigured: a profile is
checked as it is written or not used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from hub.errors import Misconfigured
from hub.fhir.validation.definitions import (
    Discriminator,
    Element,
    Level,
    Rule,
    Shape,
    Slicing,
    TypeRef,
    copied,
)
from hub.fhir.validation.tables import type_name

Json = Mapping[str, Any]
Lookup = Callable[[str], Shape | None]
"""A type by name, or a profile by canonical."""

_BY_URL: Final = Slicing((Discriminator("value", "url"),))
_BY_TYPE: Final = Slicing((Discriminator("type", "$this"),))
_TRANSLATION: Final = "http://hl7.org/fhir/StructureDefinition/translation"


def apply(definition: Json, base: Shape, lookup: Lookup) -> Shape:
    """A profile's shape. ``base`` stays as it is; raises Misconfigured naming the element."""
    shape = Shape(
        base.type,
        base.level.copy(),
        base.rules,
        url=definition["url"],
        contexts=tuple((c["type"], c["expression"]) for c in definition.get("context", ())),
        context_rules=tuple(definition.get("contextInvariant", ())),
    )
    for written in definition.get("differential", {}).get("element", ()):
        where = written.get("id", written["path"])
        if "." not in where:
            shape.rules = _rules(written, shape.rules)
            shape.modifier = bool(written.get("isModifier", shape.modifier))
            continue
        element = _locate(shape, where, lookup)
        if element is None:
            raise Misconfigured(f"{definition['url']} constrains {where}, which its base lacks")
        _constrain(element, written)
    return shape


def _locate(shape: Shape, where: str, lookup: Lookup) -> Element | None:
    """The element that an id such as ``CarePlan.category:kind.coding`` names; slices are made."""
    level, element = shape.level, None
    for step in where.split(".")[1:]:
        if element is not None:
            level = _children(element, shape, lookup)
        name, _, part = step.partition(":")
        found, implied = _named(level, name)
        if found is None:
            return None
        part = part or implied
        if "/" in part:
            raise Misconfigured(f"{shape.url} slices a slice at {where}; that is not supported")
        element = _slice(found, part) if part else found
    return element


def _named(level: Level, name: str) -> tuple[Element | None, str]:
    """The element of a name, and the slice that a shorthand such as ``valueString`` implies."""
    found = level.elements.get(name) or level.elements.get(f"{name}[x]")
    if found is not None:
        return found, ""
    for choice in level.elements.values():
        if choice.choice and any(name == json for json, _ in choice.json_names()):
            return choice, name
    return None, ""


def _slice(element: Element, name: str) -> Element:
    if name not in element.slices:
        if element.slicing is None:
            element.slicing = _BY_TYPE if element.choice else _BY_URL
        made = copied(element)
        made.slices, made.slicing, made.min = {}, None, 0
        if element.choice:
            wanted = [ref for json, ref in element.json_names() if json == name]
            made.types = tuple(wanted) or made.types
        element.slices[name] = made
    return element.slices[name]


def _children(element: Element, shape: Shape, lookup: Lookup) -> Level:
    """The element's own children, made from its type's where it had none of its own."""
    if element.own is None:
        if element.content is not None:
            source = _at(shape.level, element.content.split(".")[1:])
        else:
            source = _of_type(element, lookup)
        element.own = source.copy() if source is not None else Level()
    return element.own


def _at(level: Level, steps: list[str]) -> Level | None:
    for step in steps:
        found = level.elements.get(step)
        if found is None or found.own is None:
            return None
        level = found.own
    return level


def _of_type(element: Element, lookup: Lookup) -> Level | None:
    if len(element.types) != 1:
        return None
    ref = element.types[0]
    profiled = lookup(ref.profiles[0]) if len(ref.profiles) == 1 else None
    shape = profiled or lookup(ref.code)
    return shape.level if shape is not None else None


def _constrain(element: Element, written: Json) -> None:
    element.min = written.get("min", element.min)
    if "max" in written:
        element.max = None if written["max"] == "*" else int(written["max"])
    if "type" in written:
        element.types = tuple(_type(t, element) for t in written["type"])
    binding = written.get("binding")
    if binding is not None and binding.get("strength") == "required" and "valueSet" in binding:
        element.binding = binding["valueSet"].partition("|")[0]
    element.fixed = _value(written, "fixed", element.fixed)
    element.pattern = _value(written, "pattern", element.pattern)
    element.lowest = _value(written, "minValue", element.lowest)
    element.highest = _value(written, "maxValue", element.highest)
    element.max_length = written.get("maxLength", element.max_length)
    element.rules = _rules(written, element.rules)
    if "slicing" in written:
        element.slicing = _slicing(written["slicing"])


def _type(written: Json, element: Element) -> TypeRef:
    code = type_name(written["code"]) or written["code"]
    inherited = next((t for t in element.types if t.code == code), None)
    if code.startswith("http://hl7.org/fhirpath/"):
        # An id, a url or a value: the base knows which primitive it is.
        return element.types[0]
    if inherited is None:
        raise Misconfigured(f"{element.path} is no {code} in its base")
    targets = tuple(type_name(u) or u for u in written.get("targetProfile", inherited.targets))
    profiles = tuple(type_name(u) or u for u in written.get("profile", inherited.profiles))
    return TypeRef(code, () if targets == ("Resource",) else targets, profiles)


def _value(written: Json, prefix: str, otherwise: Any) -> Any:
    for name, value in written.items():
        if name.startswith(prefix) and name[len(prefix) :][:1].isupper():
            return value
    return otherwise


def _slicing(written: Json) -> Slicing:
    return Slicing(
        tuple(Discriminator(d["type"], d["path"]) for d in written.get("discriminator", ())),
        written.get("rules", "open"),
        bool(written.get("ordered")),
    )


def _rules(written: Json, before: tuple[Rule, ...]) -> tuple[Rule, ...]:
    known = {rule.key for rule in before}
    added = [_rule(c) for c in written.get("constraint", ()) if c["key"] not in known]
    return (*before, *added)


def _rule(written: Json) -> Rule:
    if "expression" not in written:
        raise Misconfigured(f"The rule {written['key']} of a profile has no expression")
    return Rule(
        written["key"],
        written["severity"],
        written["expression"],
        text=written.get("human"),
        text_da=_danish(written.get("_human")),
    )


def _danish(beside: Json | None) -> str | None:
    """The Danish wording, by R4's translation extension."""
    for extension in (beside or {}).get("extension", ()):
        if extension["url"] == _TRANSLATION:
            parts = {e["url"]: e for e in extension["extension"]}
            if parts["lang"].get("valueCode") == "da":
                return str(parts["content"]["valueString"])
    return None

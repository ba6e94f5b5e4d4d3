"""What one element holds: simple values, fixed and pattern values, codes, numbers of slices."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from hub.fhir.validation import primitives
from hub.fhir.validation.definitions import UNSET, Element, TypeRef
from hub.fhir.validation.findings import Findings
from hub.fhir.validation.matching import equal, holds_pattern
from hub.fhir.validation.members import Item
from hub.fhir.validation.moments import not_after
from hub.fhir.validation.profiles import Profiles
from hub.fhir.validation.scope import Scope

_STRUCTURAL: Final = frozenset({"json-type", "empty-string"})
_NO_CONTENT: Final = frozenset({"id", "_id"})
_URIS: Final = frozenset({"uri", "url", "canonical"})
_CODED: Final = frozenset({"Coding", "CodeableConcept", "Quantity"})


class Content:
    """Checks single values and reports what is wrong with them."""

    def __init__(self, profiles: Profiles, findings: Findings) -> None:
        self._profiles = profiles
        self._tables = profiles.tables
        self._terminology = profiles.terminology
        self._findings = findings

    def is_object(self, value: Any, kind: str, path: str, *, beside: bool = False) -> bool:
        """A complex value is an object with something in it; an id alone is nothing (ele-1).

        ``beside`` a simple value, an id is enough.
        """
        if not isinstance(value, Mapping):
            self._findings.add("structure", "not-object", path, {"type": kind})
        elif not value or (not beside and value.keys() <= _NO_CONTENT):
            self._findings.add("structure", "empty-object", path)
        else:
            return True
        return False

    def is_of(self, value: Any, kind: str, path: str) -> bool:
        """A nested resource is of the one type that may stand there."""
        own = value.get("resourceType") if isinstance(value, Mapping) else None
        if isinstance(own, str) and own != kind:
            self._findings.add("structure", "wrong-type", path, {"types": kind})
            return False
        return True

    def type_refused(self, element: Element, path: str) -> None:
        """The profile has another type here than the one given."""
        types = ", ".join(ref.code for ref in element.types)
        self._findings.add("structure", "wrong-type", path, {"types": types})

    def primitive(
        self, element: Element, ref: TypeRef, value: Any, path: str, scope: Scope
    ) -> None:
        """A simple value has its type's form and keeps to the element's limits."""
        if value is None:
            return
        found = primitives.problem(self._tables, ref.code, value)
        if found is not None:
            key, facts = found
            code = "structure" if key in _STRUCTURAL else "value"
            self._findings.add(code, key, path, facts)
            return
        if element.max_length is not None and len(str(value)) > element.max_length:
            self._findings.add("too-long", "too-long", path, {"max": element.max_length})
        if _beyond(value, element):
            self._findings.add("value", "outside-limits", path)
        if element.name == "id" and ref.code == "string":
            self._element_id(value, path, scope)
        refers = ref.code in _URIS or element.path == "Reference.reference"
        if refers and value.startswith("#"):
            scope.refers(value)

    def _element_id(self, value: str, path: str, scope: Scope) -> None:
        """Element.id: any string without spaces, once in a resource (R4 Element, 2.24.0)."""
        if any(c.isspace() for c in value):
            self._findings.add("value", "id-spaces", path)
        if value in scope.ids:
            self._findings.add("duplicate", "duplicate-id", path)
        scope.ids.add(value)

    def values(self, element: Element, ref: TypeRef, value: Any, path: str) -> None:
        """The value is the fixed one, holds the pattern, and has a code of the value set."""
        if element.fixed is not UNSET and not equal(value, element.fixed):
            self._findings.add("value", "fixed", path)
        if element.pattern is not UNSET and not holds_pattern(value, element.pattern):
            self._findings.add("value", "pattern", path)
        if element.binding is not None and value is not None:
            self._bound(element.binding, ref, value, path, element.path)
        if ref.code == "Coding" and isinstance(value, Mapping) and not self._terminology.has(value):
            self._findings.add("code-invalid", "not-in-system", f"{path}.code")

    def _bound(self, value_set: str, ref: TypeRef, value: Any, path: str, element: str) -> None:
        if isinstance(value, str) and ref.primitive:
            if self._terminology.allows_code(value_set, value, element):
                return
            known = self._terminology.codes(value_set) is not None
            key = "not-code" if known else "not-code-grammar"
        elif isinstance(value, Mapping) and ref.code in _CODED:
            if self._terminology.allows(value_set, ref.code, value):
                return
            key = "no-code" if ref.code == "CodeableConcept" else "not-code"
        else:
            return
        facts: dict[str, object] = {
            "set": value_set,
            "codes": self._terminology.listed(value_set),
        }
        self._findings.add("code-invalid", key, path, facts)

    def slices(self, element: Element, assigned: list[tuple[str | None, Item]], place: str) -> None:
        """Each slice is there as often as it must and may; others only where they may be."""
        slicing = element.slicing
        for name, part in element.slices.items():
            count = sum(found == name for found, _ in assigned)
            facts: dict[str, object] = {"slice": name, "min": part.min, "max": part.max}
            if count < part.min:
                self._findings.add("required", "slice-min", place, facts)
            if part.max is not None and count > part.max:
                self._findings.add("structure", "slice-max", place, facts)
        if slicing is None:
            return
        names, order = ", ".join(element.slices), list(element.slices)
        last, ended = -1, False
        for found, item in assigned:
            at = order.index(found) if found is not None else None
            if at is None and slicing.rules == "closed":
                self._findings.add("structure", "slice-closed", item.path, {"slices": names})
            late = slicing.rules == "openAtEnd" and at is not None and ended
            if late or (slicing.ordered and at is not None and at < last):
                self._findings.add("structure", "slice-order", item.path, {"slices": names})
            ended = ended or at is None
            last = max(last, at if at is not None else -1)


def _beyond(value: Any, element: Element) -> bool:
    """Under a profile's minValue or over its maxValue."""
    low, high = element.lowest, element.highest
    return (low is not UNSET and _below(value, low)) or (high is not UNSET and _below(high, value))


def _below(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return not_after(other, one) is False
    numbers = (int, float, Decimal)
    if isinstance(one, numbers) and isinstance(other, numbers):
        return Decimal(str(one)) < Decimal(str(other))
    return False

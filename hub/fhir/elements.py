"""Walks a resource by its declared types and checks each primitive's JSON type and form.

Why beside the models: fhir.resources coerces (``"true"`` to a boolean, a number to a dateTime)
and turns bad base64 into nothing; resources are never re-serialised here, so a wrong JSON type
would stay in the plan. Rules: R4 4.0.1 "Data Types", the regular expression of each primitive.
"""

from __future__ import annotations

import base64
import binascii
import re
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from fhir_core.fhirabstractmodel import FHIRAbstractModel
from fhir_core.types import FhirBase

Model = type[FHIRAbstractModel]

_FORMS = {
    "Id": re.compile(r"[A-Za-z0-9\-.]{1,64}"),
    "Code": re.compile(r"\S+(\s\S+)*"),
    "Uri": re.compile(r"\S+"),
    "Url": re.compile(r"\S+"),
    "Canonical": re.compile(r"\S+"),
    "Oid": re.compile(r"urn:oid:[0-2](\.(0|[1-9][0-9]*))+"),
    "Instant": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"),
    "DateTime": re.compile(
        r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))?)?)?",
    ),
    "Date": re.compile(r"\d{4}(-\d\d(-\d\d)?)?"),
    "Time": re.compile(r"\d\d:\d\d:\d\d(\.\d+)?"),
}
_WHOLE_NUMBERS = {"Integer", "PositiveInt", "UnsignedInt"}

Declared = tuple[str, Model | None]
"""A primitive's name with None, or an empty name with the model of a complex type."""


@dataclass(frozen=True)
class Primitive:
    """One primitive value with what R4 declares it to be."""

    owner: str
    """The type it is an element of: ``CarePlan``, ``CarePlanActivityDetail``, ``Reference``."""
    name: str
    kind: str
    """``Code``, ``DateTime``, ``Boolean``, …"""
    value: Any
    path: str

    @property
    def fits(self) -> bool:
        """The JSON type and the lexical form are the declared ones."""
        return _fits(self.kind, self.value)


@dataclass(frozen=True)
class Typed:
    """One JSON object with the model of its type."""

    value: Mapping[str, Any]
    model: Model
    path: str

    def primitives(self) -> Iterator[Primitive]:
        """Its own primitive values."""
        owner = self.model.get_resource_type()
        for name, (kind, inner) in _fields(self.model).items():
            item = self.value.get(name)
            if inner is not None or item is None:
                continue
            if not isinstance(item, list):
                yield Primitive(owner, name, kind, item, f"{self.path}.{name}")
                continue
            for i, one in enumerate(item):
                if one is not None:
                    yield Primitive(owner, name, kind, one, f"{self.path}.{name}[{i}]")

    def missing(self) -> Iterator[str]:
        """Paths of required elements that are neither there nor given as absent.

        The models stop at the first kind of missing element they meet; a sender wants all.
        """
        for name, spellings in _required(self.model).items():
            if not any(n in self.value or f"_{n}" in self.value for n in spellings):
                yield f"{self.path}.{name}"


def typed(
    value: Mapping[str, Any], model: Model, path: str, model_for: Callable[[str], Model | None]
) -> Iterator[Typed]:
    """``value``, an object of that model, and every typed object below it.

    ``model_for`` gives the model of a resource type (contained resources, entries); where it
    gives None that resource is passed over, as are elements the model does not have.
    """
    yield Typed(value, model, path)
    fields = _fields(model)
    for name, item in value.items():
        _, declared = fields.get(name, ("", None))
        if declared is None:
            continue
        many = isinstance(item, list)
        for i, one in enumerate(item if many else [item]):
            if not isinstance(one, Mapping):
                continue
            named = one.get("resourceType")
            inner = model_for(str(named)) if named is not None else declared
            if inner is not None:
                place = f"{path}.{name}[{i}]" if many else f"{path}.{name}"
                yield from typed(one, inner, place, model_for)


@lru_cache(maxsize=512)
def _required(model: Model) -> dict[str, list[str]]:
    """Required elements with how they may be spelled: a choice element in several ways."""
    found: dict[str, list[str]] = {}
    for name, field in model.model_fields.items():
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        called = field.alias or name
        if extra.get("one_of_many_required"):
            found.setdefault(str(extra["one_of_many"]), []).append(called)
        elif extra.get("element_required") or field.is_required():
            found[called] = [called]
    return found


@lru_cache(maxsize=512)
def _fields(model: Model) -> dict[str, Declared]:
    found = {}
    for name, field in model.model_fields.items():
        declared = _declared(field.annotation)
        if declared is not None:
            found[field.alias or name] = declared
    return found


def _declared(annotation: Any) -> Declared | None:
    """The FHIR type behind ``Optional[List[Annotated[str, Code()]]]`` and its like."""
    if annotation is bool:
        return "Boolean", None
    if isinstance(annotation, type) and issubclass(annotation, FhirBase):
        return "", annotation.get_model_klass()
    if typing.get_origin(annotation) is typing.Annotated:
        return type(annotation.__metadata__[-1]).__name__, None
    for inner in typing.get_args(annotation):
        found = _declared(inner)
        if found is not None:
            return found
    return None


def _fits(kind: str, value: Any) -> bool:
    if kind == "Boolean":
        return isinstance(value, bool)
    if kind in _WHOLE_NUMBERS:
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "Decimal":
        return isinstance(value, int | Decimal) and not isinstance(value, bool)
    if not isinstance(value, str):
        return False
    if kind == "Base64Binary":
        return _is_base64(value)
    form = _FORMS.get(kind)
    return form is None or form.fullmatch(value) is not None


def _is_base64(value: str) -> bool:
    try:
        base64.b64decode(re.sub(r"\s", "", value), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True

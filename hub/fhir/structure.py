"""Structural validation against FHIR R4: elements, cardinalities, types, required codes.

The models are those of fhir.resources (R4B, the same on the wire as R4 for these types but for
what is listed here), imported on first use because they are slow to load. They only judge; a
resource is never written through them. Texts and expressions name places, never values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from hub.contract import Resource
from hub.errors import Issue
from hub.fhir.required_codes import REQUIRED

if TYPE_CHECKING:
    from hub.fhir.elements import Model, Primitive

_R4B_ONLY: Final = (
    "AdministrableProductDefinition Citation ClinicalUseDefinition EvidenceReport Ingredient"
    " ManufacturedItemDefinition MedicinalProductDefinition NutritionProduct"
    " PackagedProductDefinition RegulatedAuthorization SubscriptionStatus SubscriptionTopic"
    " SubstanceDefinition"
)
_NOT_R4: Final = frozenset(["Resource", "DomainResource", *_R4B_ONLY.split()])
"""In R4B but not in R4, and the abstract types."""
_NOT_R4_VALUES: Final = ("valueCodeableReference", "valueRatioRange")

_REFERENCE = re.compile(
    r"#[A-Za-z0-9\-.]{0,64}"
    r"|urn:(uuid:[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|oid:[0-2](\.\d+)+)"
    r"|(https?://\S+/)?[A-Z][A-Za-z]{1,63}/[A-Za-z0-9\-.]{1,64}(/_history/[A-Za-z0-9\-.]{1,64})?"
    r"|https?://\S+"
)
_NAME = re.compile(r"_?[A-Za-z][A-Za-z]{0,40}[0-9]{0,2}")

_STAND_IN: Final = {"resourceType": "Basic", "code": {"text": "-"}}


class StructureValidator:
    """Checks resources against R4; a :class:`hub.ports.Validator`.

    Findings name a place by FHIRPath. Of several resources of one type in one call, the second
    is ``Goal[1]``, the third ``Goal[2]``.
    """

    def check(self, resources: Iterable[Resource], *, profile: str | None = None) -> list[Issue]:
        """All issues at once, in document order per resource; empty means legal R4.

        No profile is at hand here, so one that is asked for is an error.
        """
        seen: dict[str, int] = {}
        found: list[Issue] = []
        if profile is not None:
            found.append(Issue("error", "not-found", "The profile is not known here"))
        for resource in resources:
            kind = str(resource.get("resourceType", ""))
            # An unknown type is the sender's own text: it is not repeated in a finding.
            name = kind if _model(kind) is not None else "Resource"
            number = seen.get(name, 0)
            seen[name] = number + 1
            found += _check(resource, f"{name}[{number}]" if number else name)
        return found


def _check(resource: Resource, path: str) -> list[Issue]:
    from hub.fhir.elements import typed  # noqa: PLC0415 - loads the models

    found = list(_shape(resource, path))
    model = _model(str(resource.get("resourceType", "")))
    if model is None:
        return found
    found += _modelled(resource, model, path)
    reported = {i.expression for i in found}
    for node in typed(resource, model, path, _model):
        for place in node.missing():
            if place not in reported:
                found.append(Issue("error", "required", "A required element is missing", place))
        for primitive in node.primitives():
            if primitive.path not in reported:
                found += _primitive(primitive)
    return found


@lru_cache(maxsize=256)
def _model(kind: str) -> Model | None:
    """The model of an R4 resource type; None for anything else, however it is spelled."""
    from fhir.resources.R4B import get_fhir_model_class  # noqa: PLC0415 - slow to load
    from fhir.resources.R4B.resource import Resource as Base  # noqa: PLC0415

    if kind in _NOT_R4 or not _NAME.fullmatch(kind):
        return None
    try:
        found = get_fhir_model_class(kind)
    except (KeyError, ValueError, AttributeError):
        return None
    return found if issubclass(found, Base) else None


def _shape(value: Any, path: str) -> Iterator[Issue]:
    """What is wrong with the JSON whatever the type: emptiness, nulls, unknown resources."""
    if isinstance(value, Mapping):
        if not value:
            yield Issue("error", "structure", "An empty object; leave the element out", path)
        if "resourceType" in value and _model(str(value["resourceType"])) is None:
            text = "Not an R4 resource type this hub knows"
            yield Issue("error", "not-supported", text, path)
            return
        for name, item in value.items():
            yield from _member(value, name, item, f"{path}.{_safe(name)}")
    elif value == "":
        yield Issue("error", "structure", "An empty string; leave the element out", path)
    elif value is None:
        yield Issue("error", "structure", "A null; leave the element out", path)


def _member(owner: Mapping[str, Any], name: str, item: Any, place: str) -> Iterator[Issue]:
    if name in _NOT_R4_VALUES:
        yield Issue("error", "structure", "R4 has no such extension value", place)
    if name == "extension":
        yield from _extensions(item, place)
    if name == "activity" and owner.get("resourceType") == "CarePlan":
        yield from _cpl_3(item, place)
    if not isinstance(item, list):
        if name == "resource" and isinstance(item, Mapping) and "resourceType" not in item:
            yield Issue("error", "required", "The resource has no resourceType", place)
        yield from _shape(item, place)
        return
    if not item:
        yield Issue("error", "structure", "An empty array; leave the element out", place)
    # In arrays of primitives a null only keeps the place of an extension beside it.
    twin = name.removeprefix("_") if name.startswith("_") else f"_{name}"
    for i, one in enumerate(item):
        if one is None and isinstance(owner.get(twin), list):
            continue
        if name == "contained" and isinstance(one, Mapping) and "resourceType" not in one:
            yield Issue("error", "required", "The resource has no resourceType", f"{place}[{i}]")
        yield from _shape(one, f"{place}[{i}]")


def _extensions(items: Any, place: str) -> Iterator[Issue]:
    for i, item in enumerate(items if isinstance(items, list) else ()):
        if not isinstance(item, Mapping):
            continue
        nested = "extension" in item
        valued = any(k.startswith(("value", "_value")) for k in item)
        if nested == valued:
            text = "An extension has either a value or extensions of its own (ext-1)"
            yield Issue("error", "invariant", text, f"{place}[{i}]")


def _cpl_3(items: Any, place: str) -> Iterator[Issue]:
    for i, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, Mapping) and "detail" in item and "reference" in item:
            text = "An activity has either detail or reference, not both (cpl-3)"
            yield Issue("error", "invariant", text, f"{place}[{i}]")


def _modelled(resource: Resource, model: Model, path: str) -> list[Issue]:
    from pydantic import ValidationError  # noqa: PLC0415 - loaded with the models

    try:
        model.model_validate(_readable(resource))
    except ValidationError as e:
        errors = e.errors(include_url=False, include_context=False, include_input=False)
        return [_finding(x["type"], x["msg"], x["loc"], path) for x in errors]
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, OverflowError):
        return [Issue("error", "structure", "Cannot be read as this R4 type", path)]
    return []


def _readable(value: Any) -> Any:
    """A copy in which resources of unknown type, reported already, do not stop the models."""
    if isinstance(value, Mapping):
        if "resourceType" in value and _model(str(value["resourceType"])) is None:
            return _STAND_IN
        return {k: _readable(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_readable(v) for v in value]
    return value


def _finding(kind: str, message: str, where: tuple[int | str, ...], path: str) -> Issue:
    """One model error as an issue; the model's own text may hold values and is not used."""
    place = path
    for step in where:
        place += f"[{step}]" if isinstance(step, int) else f".{_safe(step)}"
    if kind == "extra_forbidden":
        return Issue("error", "structure", "R4 has no such element here", place)
    if "missing" in kind:
        return Issue("error", "required", "A required element is missing", place)
    if kind == "value_error" and "Any of one field value" in message:
        text = "A choice element has exactly one type of value where it is given"
        return Issue("error", "structure", text, place)
    if kind.endswith("_type"):
        return Issue("error", "structure", "Not the JSON type R4 has here", place)
    return Issue("error", "value", "Not a legal value of the element's type", place)


def _primitive(found: Primitive) -> Iterator[Issue]:
    from hub.fhir.narrative import narrative_problem  # noqa: PLC0415 - loads lxml

    if not found.fits:
        kind = found.kind[:1].lower() + found.kind[1:]
        yield Issue("error", "value", f"Not a FHIR {kind}; see its form in R4", found.path)
        return
    allowed = REQUIRED.get((found.owner, found.name))
    if allowed is not None and found.value not in allowed:
        text = f"Not a code of {found.owner}.{found.name}; one of: {', '.join(sorted(allowed))}"
        yield Issue("error", "code-invalid", text, found.path)
    if (found.owner, found.name) == ("Reference", "reference") and not _REFERENCE.fullmatch(
        found.value
    ):
        text = "Not a reference: Type/id, an absolute URL, urn:uuid:, urn:oid: or #id"
        yield Issue("error", "value", text, found.path)
    if found.kind == "Xhtml":
        problem = narrative_problem(found.value)
        if problem is not None:
            yield Issue("error", "invariant", problem, found.path)


def _safe(name: str) -> str:
    """An element's name; what is no name may be anything and is not repeated."""
    return name if _NAME.fullmatch(name) else "element"

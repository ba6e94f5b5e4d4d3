"""The constraints of a profile's differential, evaluated as FHIRPath on one resource."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from fhirpathpy import compile as compiled
from fhirpathpy.models import models


@lru_cache(maxsize=256)
def expression(text: str) -> Any:
    return compiled(text, models["r4"])


def broken(resource: dict[str, Any], profile: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Each constraint that does not say yes, once for each place where it does not.

    An empty answer is no yes: the official validator takes it for a no.
    """
    for element in profile["differential"]["element"]:
        for constraint in element.get("constraint", ()):
            for value in at(resource, element["path"]):
                if expression(constraint["expression"])(value) != [True]:
                    yield constraint


def at(resource: dict[str, Any], path: str) -> list[Any]:
    """The values of an element, over every list on the way."""
    found: list[Any] = [resource]
    for name in path.split(".")[1:]:
        deeper = [item[name] for item in found if name in item]
        found = [x for d in deeper for x in (d if isinstance(d, list) else [d])]
    return found

"""What a module of this package serves: from this the CapabilityStatement is made.

Each FHIR module has a tuple ``SERVES``; :func:`hub.api.app.create_app` collects those of the
modules it includes, so that the statement says what is there and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Final

from hub.fhir.parameters import SERVED

STORED: Final = tuple(SERVED)
"""Every stored type."""


@dataclass(frozen=True)
class Interaction:
    """One interaction of R4 (http://hl7.org/fhir/ValueSet/type-restful-interaction)."""

    code: str
    types: tuple[str, ...] = ()
    """Empty: of the whole system (``transaction``, ``batch``)."""


@dataclass(frozen=True)
class Operation:
    """One operation (``$name``)."""

    name: str
    definition: str
    """Canonical of its OperationDefinition."""
    types: tuple[str, ...] = ()
    """Empty: of the whole system."""


@dataclass(frozen=True)
class Described:
    """A type that is not among the stored ones: what its interactions do not say of it."""

    type: str
    parameters: tuple[tuple[str, str], ...]
    """Search parameters: name and type."""
    profiles: tuple[str, ...] = ()
    instantiates: str = ""
    """Canonical of the CapabilityStatement that it fulfils."""
    versioned: bool = True
    extensions: tuple[tuple[str, str], ...] = ()
    """Extensions with a canonical as value: their URL and the canonical."""


Service = Interaction | Operation | Described


def collect(modules: Iterable[ModuleType]) -> tuple[Service, ...]:
    """What these modules serve."""
    return tuple(one for module in modules for one in getattr(module, "SERVES", ()))

"""What an element, a type and a slice are: the data that the walk goes by.

Base R4 types and profiles come in the same shape; a profile is a changed copy of its base's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

UNSET: Final = object()
"""No fixed or pattern value; None could not say so for every type."""

_PRIMITIVES: Final = (
    "base64Binary boolean canonical code date dateTime decimal id instant integer markdown oid"
    " positiveInt string time unsignedInt uri url uuid xhtml"
)
PRIMITIVES: Final = frozenset(_PRIMITIVES.split())
"""The primitive types of R4 4.0.1, with xhtml."""


IN_THE_WALK: Final = frozenset({"ele-1"})
"""Rules that are no rules here: the walk itself finds whatever is empty."""


@dataclass(frozen=True, slots=True)
class TypeRef:
    """One allowed type of an element."""

    code: str
    """Such as ``string``, ``Reference``, ``BackboneElement``, ``Resource``."""
    targets: tuple[str, ...] = ()
    """For Reference and canonical: types by name, or profiles by canonical; empty is any."""
    profiles: tuple[str, ...] = ()
    """What the content must conform to one of: ``SimpleQuantity``, or canonicals."""

    @property
    def primitive(self) -> bool:
        """A type whose JSON is a plain value."""
        return self.code in PRIMITIVES


@dataclass(frozen=True, slots=True)
class Rule:
    """An invariant."""

    key: str
    severity: str
    """``error`` or ``warning``."""
    expression: str
    """FHIRPath; the focus is the element that carries the rule."""
    best_practice: bool = False
    text: str | None = None
    """What it asks for in English, where its publisher's wording may be used."""
    text_da: str | None = None


@dataclass(frozen=True, slots=True)
class Discriminator:
    """How slices are told apart (R4 ElementDefinition.slicing.discriminator)."""

    kind: str
    """``value``, ``pattern``, ``exists``, ``type`` or ``profile``."""
    path: str


@dataclass(frozen=True, slots=True)
class Slicing:
    """How the repetitions of an element are divided."""

    discriminators: tuple[Discriminator, ...]
    rules: str = "open"
    """``open``, ``closed`` or ``openAtEnd``."""
    ordered: bool = False


@dataclass(slots=True)
class Element:
    """One element of a type or a profile."""

    path: str
    """From the type's name, such as ``CarePlan.activity.detail``."""
    name: str
    """The last step, with ``[x]`` where there is a choice of types."""
    min: int
    max: int | None
    """None is any number."""
    types: tuple[TypeRef, ...]
    repeats: bool
    """A JSON array, by the base type; a profile's smaller maximum does not change that."""
    binding: str | None = None
    """Canonical of the value set that its code must be of."""
    content: str | None = None
    """Path of the element whose content this one repeats."""
    rules: tuple[Rule, ...] = ()
    fixed: Any = UNSET
    pattern: Any = UNSET
    max_length: int | None = None
    lowest: Any = UNSET
    highest: Any = UNSET
    own: Level | None = None
    """Its children, where they are defined in place; else they are those of its type."""
    slicing: Slicing | None = None
    slices: dict[str, Element] = field(default_factory=dict)

    @property
    def choice(self) -> bool:
        """It is named after the type it has, such as ``valueString``."""
        return self.name.endswith("[x]")

    @property
    def step(self) -> str:
        """Its step in a FHIRPath."""
        return self.name.removesuffix("[x]")

    def json_names(self) -> Iterable[tuple[str, TypeRef]]:
        """The JSON member names, each with the type it stands for."""
        if not self.choice:
            return ((self.name, self.types[0]),)
        return ((f"{self.step}{t.code[0].upper()}{t.code[1:]}", t) for t in self.types)


class Level:
    """The children of an element or of a type."""

    __slots__ = ("_members", "_needed", "elements")

    def __init__(self, elements: Iterable[Element] = ()) -> None:
        self.elements: dict[str, Element] = {e.name: e for e in elements}
        self._members: dict[str, tuple[Element, TypeRef]] | None = None
        self._needed: tuple[Element, ...] | None = None

    def members(self) -> dict[str, tuple[Element, TypeRef]]:
        """JSON member name to the element and the type it stands for.

        Made once; the elements must not change afterwards.
        """
        if self._members is None:
            self._members = {
                name: (element, ref)
                for element in self.elements.values()
                for name, ref in element.json_names()
            }
        return self._members

    def needed(self) -> tuple[Element, ...]:
        """The elements that must be there, or of whose parts one must."""
        if self._needed is None:
            self._needed = tuple(
                e
                for e in self.elements.values()
                if e.min or any(part.min for part in e.slices.values())
            )
        return self._needed

    def copy(self) -> Level:
        """One that may be changed; what a profile does to its base."""
        made = Level()
        made.elements = {name: copied(e) for name, e in self.elements.items()}
        return made


def copied(element: Element) -> Element:
    """A copy of an element with its children and slices; rules, types and values are shared."""
    made = Element(**{name: getattr(element, name) for name in Element.__slots__})
    made.own = element.own.copy() if element.own is not None else None
    made.slices = {name: copied(e) for name, e in element.slices.items()}
    return made


@dataclass(slots=True)
class Shape:
    """A type or a profile as a whole."""

    type: str
    """The type's name; for a profile, that of what it constrains."""
    level: Level
    rules: tuple[Rule, ...]
    url: str | None = None
    """The profile's canonical."""
    contexts: tuple[tuple[str, str], ...] = ()
    """Where an extension may stand: pairs of kind and expression."""
    context_rules: tuple[str, ...] = ()
    """FHIRPaths that hold where an extension stands (StructureDefinition.contextInvariant)."""
    modifier: bool = False
    """An extension that may stand in ``modifierExtension`` only."""

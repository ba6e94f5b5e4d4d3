"""Whether a reference has a legal form and leads to a type that may stand there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from hub.fhir.validation.definitions import TypeRef
from hub.fhir.validation.findings import Findings
from hub.fhir.validation.profiles import Profiles
from hub.fhir.validation.scope import Literal, Scope, literal

_LOCAL: Final = re.compile(r"#[A-Za-z0-9\-.]{0,64}")
_URN: Final = re.compile(
    r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|urn:oid:[0-2](\.(0|[1-9][0-9]*))+"
)
_URL: Final = re.compile(r"https?://\S+")
_CONDITIONAL: Final = re.compile(r"([A-Z][A-Za-z]{1,63})\?\S+")
_MUST_RESOLVE: Final = {"document": ("",), "message": ("MessageHeader.focus",)}
"""Bundle type to the elements whose relative references must be in the Bundle: in a document
all (R4 Documents, 3.3.1), in a message those it is about (R4 Messaging, 2.4.2)."""


class References:
    """Checks elements of type Reference."""

    def __init__(self, profiles: Profiles, findings: Findings) -> None:
        self._profiles = profiles
        self._tables = profiles.tables
        self._findings = findings

    def check(
        self, value: Mapping[str, Any], ref: TypeRef, path: str, element: str, scope: Scope
    ) -> None:
        """Report what is wrong with one; ``element`` is its path from the type's name."""
        reference, said = value.get("reference"), value.get("type")
        target: str | None = None
        if isinstance(reference, str) and reference:
            place = f"{path}.reference"
            if not self._formed(reference, scope):
                self._findings.add("value", "reference-form", place)
                return
            resource = scope.resolve(reference)
            if resource is None:
                self._missing(reference, place, element, scope)
            target = _type_of(reference, resource)
        if isinstance(said, str) and target is not None and said != target:
            self._findings.add("structure", "reference-said", f"{path}.type")
        self._typed(target or (said if isinstance(said, str) else None), ref, path)

    def _formed(self, reference: str, scope: Scope) -> bool:
        if _LOCAL.fullmatch(reference) or _URN.fullmatch(reference):
            return True
        parts = literal(reference)
        if parts is not None:
            # An absolute URL may be of any server; only a relative one must name a type of R4.
            return bool(parts.base) or self._tables.resource(parts.type)
        if _URL.fullmatch(reference):
            return True
        asked = _CONDITIONAL.fullmatch(reference)
        searching = scope.root.bundle_type in {"transaction", "batch"}
        return asked is not None and searching and self._tables.resource(asked[1])

    def _missing(self, reference: str, place: str, element: str, scope: Scope) -> None:
        """A reference that leads to nothing here, where it must lead to something."""
        kind = scope.root.bundle_type
        if kind is None or reference.startswith("#"):
            # Outside of a Bundle it may be on the server; ref-1 speaks of local ones.
            return
        parts = literal(reference)
        relative = parts is not None and not parts.base
        # A urn has no place but a Bundle.
        if _URN.fullmatch(reference) or (
            relative and element.startswith(_MUST_RESOLVE.get(kind, ("-",)))
        ):
            self._findings.add("not-found", "unresolved", place)

    def _typed(self, target: str | None, ref: TypeRef, path: str) -> None:
        if target is None or not ref.targets or not self._tables.resource(target):
            # Reference.type may also be the URI of a logical model; nothing is known of it.
            return
        allowed = [self._profiles.type_of(name) for name in ref.targets]
        if None in allowed or any(self._tables.is_a(target, a) for a in allowed if a):
            return
        types = ", ".join(dict.fromkeys(a for a in allowed if a))
        self._findings.add("structure", "reference-type", path, {"types": types})


def _type_of(reference: str, resource: Mapping[str, Any] | None) -> str | None:
    if resource is not None:
        kind = resource.get("resourceType")
        return kind if isinstance(kind, str) else None
    parts: Literal | None = literal(reference)
    return parts.type if parts is not None else None

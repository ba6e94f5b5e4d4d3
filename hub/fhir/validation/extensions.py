"""Extensions: their definition, where they may stand, and whether they change meaning."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from hub.fhir import names
from hub.fhir.validation.definitions import Element, Shape, TypeRef
from hub.fhir.validation.fhirpath import Unevaluated, evaluate
from hub.fhir.validation.findings import Findings
from hub.fhir.validation.profiles import Profiles
from hub.fhir.validation.rules import Rules
from hub.fhir.validation.scope import Scope

Json = Mapping[str, Any]

_ABSOLUTE: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.\-]*:\S+")
_INDEX: Final = re.compile(r"\[\d+\]")
_REASONS: Final = frozenset(
    (
        *("unknown", "asked-unknown", "temp-unknown", "not-asked", "asked-declined", "masked"),
        *("not-applicable", "unsupported", "as-text", "error", "not-a-number"),
        *("negative-infinity", "positive-infinity", "not-performed", "not-permitted"),
    )
)
"""R4's data-absent-reason, to which its extension of that name binds its code as required."""


_REASONS_SET: Final = "http://hl7.org/fhir/ValueSet/data-absent-reason"


class Extensions:
    """Checks extensions against their definitions among the profiles at hand."""

    def __init__(self, profiles: Profiles, findings: Findings, rules: Rules) -> None:
        self._profiles = profiles
        self._findings = findings
        self._rules = rules

    def definition(
        self, element: Element, ref: TypeRef, value: Json, path: str, inside: bool
    ) -> Shape | None:
        """The extension's definition, by the profile that asks for it or by its url.

        ``inside``: it is part of another extension. Reports a url that is not absolute, and a
        modifier extension that nobody knows: R4 lets no one accept what it may change.
        """
        url = value.get("url")
        if not isinstance(url, str):
            return None
        asked = [s for p in ref.profiles if (s := self._profiles.shape(p)) is not None]
        found = asked[0] if asked else self._profiles.extension(url)
        if not inside and _ABSOLUTE.fullmatch(url) is None:
            self._findings.add("extension", "extension-url", f"{path}.url")
        reason = value.get("valueCode")
        known = isinstance(reason, str) and reason in _REASONS
        if url == names.DATA_ABSENT and not known:
            facts = {"set": _REASONS_SET, "codes": ", ".join(sorted(_REASONS))}
            self._findings.add("code-invalid", "not-code", f"{path}.value", facts)
        modifying = element.name == "modifierExtension"
        if found is not None and found.modifier != modifying:
            key = "extension-modifier" if found.modifier else "extension-no-modifier"
            self._findings.add("extension", key, path)
        elif found is None and modifying:
            self._findings.add("extension", "modifier-unknown", path)
        return found

    def context(
        self, shape: Shape, owner: Any, kinds: Iterable[str], path: str, scope: Scope
    ) -> None:
        """Report an extension that stands where its definition has no place for it.

        ``owner`` is the element it extends, at ``path``; ``kinds`` are that element's type and
        path by definition.
        """
        places = {*kinds, _plain(path, scope)}
        allowed = [c for c in shape.contexts if self._stands(c, places, owner, scope)]
        if shape.contexts and not allowed:
            named = ", ".join(expression for _, expression in shape.contexts)
            self._findings.add("extension", "extension-context", path, {"contexts": named})

    def _stands(self, context: tuple[str, str], places: set[str], owner: Any, scope: Scope) -> bool:
        kind, expression = context
        if kind == "extension":
            return isinstance(owner, Mapping) and owner.get("url") == expression
        if kind == "fhirpath":
            return self._found(expression, owner, scope)
        plain = expression.rpartition("#")[2]
        # By R4's own use, Element as a context is any element of any resource.
        lineages = {k for place in places for k in self._profiles.tables.lineage(place)}
        return plain == "Element" or plain in places or plain in lineages

    def _found(self, expression: str, owner: Any, scope: Scope) -> bool:
        kind = str(scope.resource.get("resourceType"))
        try:
            found = evaluate(expression, scope.resource, kind, self._rules.around(scope))
        except Unevaluated:
            self._findings.add("exception", "rule-failed", scope.path, {"key": expression})
            return True
        return any(one == owner for one in found)


def _plain(path: str, scope: Scope) -> str:
    """The path from the resource's type, without indexes: ``CarePlan.activity.detail``."""
    inside = path[len(scope.path) :]
    return _INDEX.sub("", f"{scope.resource.get('resourceType')}{inside}")

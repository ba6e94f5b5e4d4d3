"""Holds values to their invariants: natively where it must be, else by FHIRPath."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hub.fhir.validation import fhirpath
from hub.fhir.validation.definitions import Rule
from hub.fhir.validation.fhirpath import Surroundings, Unevaluated, without_twins
from hub.fhir.validation.findings import Findings
from hub.fhir.validation.natives import NATIVE
from hub.fhir.validation.quick import surely_holds
from hub.fhir.validation.scope import Scope
from hub.fhir.validation.terminology import Terminology

Json = Mapping[str, Any]


class Rules:
    """Evaluates rules and reports those that do not hold.

    ``best_practice``: also those that R4 only recommends (``dom-6`` and ``con-3`` among them).
    ``by_fhirpath`` False leaves out all that are not done natively.
    """

    def __init__(
        self,
        findings: Findings,
        terminology: Terminology,
        conforms: Callable[[Any, str, Scope], bool],
        *,
        best_practice: bool,
        by_fhirpath: bool,
    ) -> None:
        self._findings = findings
        self._terminology = terminology
        self._conforms = conforms
        self._best_practice = best_practice
        self._by_fhirpath = by_fhirpath

    def check(
        self, rules: Iterable[Rule], value: Any, kind: str, path: str, scope: Scope, *, sound: bool
    ) -> None:
        """Report what does not hold of a value of type (or element path) ``kind``.

        ``sound``: nothing was wrong with the value so far. A rule that cannot be evaluated on a
        sound value is reported; on another it says nothing new.
        """
        for rule in rules:
            if rule.best_practice and not self._best_practice:
                continue
            native = NATIVE.get(rule.key)
            if native is not None:
                holds = native(value, scope)
            elif self._by_fhirpath:
                holds = surely_holds(rule.key, value, scope) or self._evaluated(
                    rule, value, kind, path, scope, sound=sound
                )
            else:
                continue
            if not holds:
                self._findings.rule(rule, path)

    def _evaluated(
        self, rule: Rule, value: Any, kind: str, path: str, scope: Scope, *, sound: bool
    ) -> bool:
        # A resource comes without them; of what is in it, a copy is made.
        copied = scope.has_twins and value is not scope.plain()
        focus = without_twins(value) if copied else value
        try:
            return fhirpath.holds(rule.expression, focus, kind, self.around(scope))
        except Unevaluated:
            if sound:
                self._findings.add("exception", "rule-failed", path, {"key": rule.key})
            return True

    def around(self, scope: Scope) -> Surroundings:
        """What an expression may ask for at a place."""
        return Surroundings(
            scope.plain(),
            scope.root.plain(),
            scope.resolve,
            self._member,
            lambda value, url: self._conforms(value, url, scope),
        )

    def _member(self, value: Any, value_set: str) -> bool:
        if isinstance(value, str):
            return self._terminology.allows_code(value_set, value, "")
        kind = "CodeableConcept" if isinstance(value, Mapping) and "coding" in value else "Coding"
        return isinstance(value, Mapping) and self._terminology.allows(value_set, kind, value)

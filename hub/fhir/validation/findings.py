"""Collects what a walk finds, each thing once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hub.errors import Issue, Severity
from hub.fhir.validation.definitions import Rule
from hub.fhir.validation.rule_texts import RULES
from hub.fhir.validation.texts import TEXTS


class Findings:
    """The issues of one check, in the order they were found.

    A resource is walked once per profile, so the same finding may come twice; it is kept once.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[str | None, str, str], Issue] = {}
        self.errors = 0
        """How many of them are errors: a walk compares it before and after."""

    def add(
        self,
        code: str,
        text: str,
        path: str,
        facts: Mapping[str, object] | None = None,
        severity: Severity = "error",
    ) -> None:
        """One issue: a FHIR issue type, a key of TEXTS, a FHIRPath, and facts for the text."""
        english, danish = TEXTS[text]
        known = facts or {}
        self._put(Issue(severity, code, english.format(**known), path, danish.format(**known)))

    def rule(self, rule: Rule, path: str) -> None:
        """That an invariant does not hold at a place."""
        english, danish = RULES.get(rule.key, (rule.text, rule.text_da))
        severity: Severity = "warning" if rule.severity == "warning" else "error"
        if english:
            said = {"text": english, "text_da": danish or english, "key": rule.key}
            self.add("invariant", "rule-said", path, said, severity)
            return
        facts = {"key": rule.key, "expression": rule.expression}
        self.add("invariant", "rule", path, facts, severity)

    def take(self, found: Iterable[Issue]) -> None:
        """Issues that were made elsewhere."""
        for issue in found:
            self._put(issue)

    def issues(self) -> list[Issue]:
        """Everything found."""
        return list(self._found.values())

    def _put(self, issue: Issue) -> None:
        place = (issue.expression, issue.code, issue.text)
        if place not in self._found:
            self._found[place] = issue
            self.errors += issue.severity in {"error", "fatal"}

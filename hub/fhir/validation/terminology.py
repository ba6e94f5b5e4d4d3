"""Whether codes are of a value set: R4's own required ones, and those of the profiles.

Value sets that cannot be listed (MIME types, language tags, currencies) are checked by the form
of their codes instead; others that cannot be listed are not checked at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from hub.fhir import names
from hub.fhir.validation.expansion import Codes, Expander, Unexpanded
from hub.fhir.validation.tables import BaseTables

_VALUE_SET: Final = "http://hl7.org/fhir/ValueSet/"
_WORD: Final = r"[A-Za-z0-9!#$%&'*+.^_`|~\-]+"
_MIME: Final = re.compile(rf'{_WORD}/{_WORD}(\s*;\s*{_WORD}=({_WORD}|"[^"]*"))*')
_LANGUAGE: Final = re.compile(r"([A-Za-z]{2,8}|[xXiI])(-[A-Za-z0-9]{1,8})*")
_CURRENCY: Final = re.compile("[A-Z]{3}")

_FORMS: Final = {
    f"{_VALUE_SET}mimetypes": _MIME,  # BCP 13
    "http://www.rfc-editor.org/bcp/bcp13.txt": _MIME,
    f"{_VALUE_SET}all-languages": _LANGUAGE,  # BCP 47
    f"{_VALUE_SET}currencies": _CURRENCY,  # ISO 4217
}
_ANY_FORMAT: Final = "CapabilityStatement."
"""Its formats may also be R4's short names, such as ``json``."""

_LEVELS: Final = "http://terminology.hl7.org/ValueSet/v3-ConfidentialityClassification"
"""Of the system of confidentiality labels: what a receiver is bound to understand."""

_SHOWN: Final = 12
"""Of a longer list of codes, a text names only the value set."""


class Terminology:
    """Value sets by canonical, base R4 first, then the given ValueSets and CodeSystems."""

    def __init__(self, tables: BaseTables, resources: Iterable[Mapping[str, Any]] = ()) -> None:
        self._expander = Expander(resources, tables.codes)
        self._base = tables
        self._known: dict[str, Codes | None] = {}
        self._plain: dict[str, frozenset[str]] = {}
        self._systems: dict[str, frozenset[str]] = {}

    def codes(self, value_set: str) -> Codes | None:
        """All pairs of system and code; None if they cannot be known."""
        if value_set not in self._known:
            try:
                self._known[value_set] = self._expander.members(value_set)
            except Unexpanded:
                self._known[value_set] = None
        return self._known[value_set]

    def of_system(self, system: str) -> Codes | None:
        """All codes of a code system; None if it is not complete here."""
        try:
            return self._expander.system(system)
        except Unexpanded:
            return None

    def named_of(self, system: str) -> frozenset[str]:
        """Codes of a system that some value set of base R4 names; empty where none does."""
        return self._base.named_of(system)

    def allows_code(self, value_set: str, code: str, path: str) -> bool:
        """A plain code (an element of type code, string or uri) may stand at ``path``."""
        codes = self.codes(value_set)
        if codes is None:
            form = None if path.startswith(_ANY_FORMAT) else _FORMS.get(value_set)
            return form is None or form.fullmatch(code) is not None
        if value_set not in self._plain:
            self._plain[value_set] = frozenset(c for _, c in codes)
        return code in self._plain[value_set]

    def allows(self, value_set: str, kind: str, value: Mapping[str, Any]) -> bool:
        """A Coding, CodeableConcept or Quantity has a code of the value set."""
        codes = self.codes(value_set)
        if codes is None:
            return True
        codings = value.get("coding") if kind == "CodeableConcept" else [value]
        return any(
            (coding.get("system"), coding.get("code")) in codes
            for coding in (codings if isinstance(codings, list) else ())
            if isinstance(coding, Mapping)
            and isinstance(coding.get("system"), str)
            and isinstance(coding.get("code"), str)
        )

    def has(self, coding: Mapping[str, Any]) -> bool:
        """The code is of its code system, as far as all codes of that system are at hand."""
        system, code = coding.get("system"), coding.get("code")
        if not isinstance(system, str) or not isinstance(code, str):
            return True
        if system == names.CONFIDENTIALITY:
            return self.allows(_LEVELS, "Coding", coding)
        if system not in self._systems:
            codes = self._expander.whole(system)
            if codes is None:
                # Not remembered: the name may be anything a sender wrote.
                return True
            self._systems[system] = codes
        return code in self._systems[system]

    def listed(self, value_set: str) -> str:
        """The codes for a text; those of a long list are left to the value set itself."""
        codes = sorted({code for _, code in self.codes(value_set) or ()})
        return ", ".join(codes) if 0 < len(codes) <= _SHOWN else "…"

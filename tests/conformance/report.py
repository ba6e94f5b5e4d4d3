"""What the official validator said, for people and as JSON; what could not be asked is named."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.conformance.documents import Document, bundle_type
from tests.conformance.official import Finding, as_json

MAKERS: Final = {
    "dk-core": ("http://hl7.dk/fhir/core",),
    "MedCom": ("http://medcomfhir.dk",),
    "KL FFB": ("http://fhir.kl.dk", "http://kl.dk"),
    "HL7 Subscriptions Backport": ("http://hl7.org/fhir/uv/subscriptions-backport",),
}
"""Where the canonicals begin of each maker whose package is on no registry."""


@dataclass(frozen=True)
class Limitation:
    """An error that is the validator's own."""

    applies: Callable[[Document, Finding], bool]
    why: str


LIMITATIONS: Final = {
    "Bundle_BUNDLE_MultipleMatches": Limitation(
        lambda document, finding: bundle_type(document) == "history",
        "A history holds several versions of one resource; the validator cannot tell to which"
        " of them a reference without a version leads, which R4 allows",
    ),
    "Type_Specific_Checks_DT_URL_Resolve": Limitation(
        lambda document, finding: any(f"'{b}/" in finding.text for m in MAKERS.values() for b in m),
        "The url of an extension whose maker's package is not here",
    ),
}
"""By message id."""


@dataclass(frozen=True)
class Result:
    """One document with what was said of it."""

    document: Document
    profiles: frozenset[str]
    findings: tuple[Finding, ...]

    def warnings(self) -> int:
        """What the validator advises against."""
        return sum(f.severity == "warning" for f in self.findings)

    def errors(self) -> list[Finding]:
        """Findings that make it invalid."""
        return [f for f in self._severe() if not self._set_aside(f)]

    def set_aside(self) -> list[Finding]:
        """Errors that are the validator's own (:data:`LIMITATIONS`)."""
        return [f for f in self._severe() if self._set_aside(f)]

    def _severe(self) -> list[Finding]:
        return [f for f in self.findings if f.severity in {"fatal", "error"}]

    def _set_aside(self, finding: Finding) -> bool:
        known = LIMITATIONS.get(finding.message_id)
        return known is not None and known.applies(self.document, finding)


def makers(canonicals: Sequence[str]) -> set[str]:
    """The makers that some canonicals are of."""
    return {m for m, begins in MAKERS.items() if any(c.startswith(begins) for c in canonicals)}


def ran(
    results: Sequence[Result], canonicals: Sequence[str], missing: Sequence[str]
) -> dict[str, Any]:
    """Which rules were applied, and which profiles of which maker were not."""
    supplied = makers(canonicals)
    asked = {url for r in results for url in r.profiles}
    others = {}
    for maker, begins in MAKERS.items():
        theirs = sorted(url for url in asked if url.startswith(begins))
        known = [url for url in theirs if url in canonicals]
        others[maker] = {
            "ran": maker in supplied,
            "profiles": known,
            "not-run": [url for url in theirs if url not in canonicals],
        }
    return {
        "hl7.fhir.r4.core#4.0.1": {"ran": True},
        "ki-hub": {"ran": True},
        "terminology server": {"ran": False},
        "makers": others,
        "packages-taken-as-empty": list(missing),
    }


def as_report(results: Sequence[Result], what_ran: dict[str, Any]) -> dict[str, Any]:
    """The JSON file."""
    return {
        "ran": what_ran,
        "documents": len(results),
        "errors": sum(len(r.errors()) for r in results),
        "warnings": sum(r.warnings() for r in results),
        "set-aside": sum(len(r.set_aside()) for r in results),
        "files": [
            {
                "origin": r.document.origin,
                "name": r.document.name,
                "errors": len(r.errors()),
                "warnings": r.warnings(),
                "findings": as_json([f for f in r.findings if f.severity != "information"]),
            }
            for r in results
        ],
    }


def table(results: Sequence[Result], what_ran: dict[str, Any]) -> str:
    """For people: a line for each origin, then each error, then what was not asked."""
    lines = [f"{'':<12}{'documents':>10}{'errors':>8}{'warnings':>10}"]
    groups: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        groups[result.document.origin].append(result)
    for origin, group in [*groups.items(), ("all", list(results))]:
        counts = (len(group), sum(len(r.errors()) for r in group), sum(r.warnings() for r in group))
        lines.append(f"{origin:<12}{counts[0]:>10}{counts[1]:>8}{counts[2]:>10}")
    lines += ["", "Warnings by kind:", *_kinds(results)]
    for result in results:
        for finding in result.errors():
            at = f"{result.document.origin} {result.document.name}: {finding.expression}"
            lines.append(f"ERROR {at}\n      {finding.text} ({finding.message_id})")
    aside = Counter(f.message_id for r in results for f in r.set_aside())
    lines += [f"Set aside: {n} of {name}. {LIMITATIONS[name].why}." for name, n in aside.items()]
    lines += ["", "Ran: R4 4.0.1, KI-hub's profiles. Not asked: a terminology server."]
    for maker, said in what_ran["makers"].items():
        count = len(said["not-run"])
        state = f"ran ({len(said['profiles'])} profiles)" if said["ran"] else "not run: no package"
        lines.append(
            f"{maker}: {state}" + (f", {count} declared profiles unknown" if count else "")
        )
    for name in what_ran["packages-taken-as-empty"]:
        lines.append(f"{name}: not supplied, taken as empty")
    return "\n".join(lines)


def _kinds(results: Sequence[Result]) -> list[str]:
    kinds = Counter(
        f.message_id or "(unnamed)" for r in results for f in r.findings if f.severity == "warning"
    )
    return [f"{number:>8}  {name}" for name, number in kinds.most_common()]


def dumped(report: dict[str, Any]) -> str:
    """The JSON file's text."""
    return json.dumps(report, ensure_ascii=False, indent=1) + "\n"

"""A Bundle with one plan: which entry is what, and how references lead between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.fhir.terms import PLAN_ID, SECTOR_KINDS
from hub.contract import Identifier
from hub.errors import Invalid, Issue, UnknownCode
from hub.fhir import names
from hub.fhir.bundles import Entry, Index, entries
from hub.fhir.extract import codes, has_code

SHARED = "shared"


@dataclass(frozen=True)
class Document:
    """A Bundle's entries with the one CarePlan that it is about."""

    index: Index
    plan: Entry
    part: str
    """``shared``, or the kind of sector plan."""

    def of_type(self, *kinds: str) -> Iterator[Entry]:
        """The entries of these resource types, in order."""
        return (e for e in self.index.entries if e.resource["resourceType"] in kinds)

    def follow(self, link: object, source: Entry) -> Entry | None:
        """The entry a Reference element in ``source`` leads to."""
        reference = link.get("reference") if isinstance(link, Mapping) else None
        return self.index.resolve(reference, source) if isinstance(reference, str) else None

    @property
    def patient(self) -> Entry | None:
        """The citizen, if there is exactly one."""
        found = list(self.of_type("Patient"))
        return found[0] if len(found) == 1 else None

    @property
    def author(self) -> Entry | None:
        """Who CarePlan.author names: for the shared part, the lead."""
        return self.follow(self.plan.resource.get("author"), self.plan)

    def unit_of(self, entry: Entry | None) -> Entry | None:
        """The Organization an entry is, or works for."""
        if entry is None or entry.resource["resourceType"] == "Organization":
            return entry
        found = self.follow(entry.resource.get("organization"), entry)
        return found if found and found.resource["resourceType"] == "Organization" else None

    @property
    def hub_plan(self) -> str | None:
        """The hub's plan id, where an identifier names it."""
        if self.part == SHARED:
            links = self.plan.resource.get("identifier", [])
        else:
            found = (p.get("identifier") for p in self.plan.resource.get("partOf", ()))
            links = [i for i in found if i]
        return next(
            (i["value"] for i in links if i.get("system") == PLAN_ID and "value" in i), None
        )

    @property
    def case(self) -> str | None:
        """The sender's own case id."""
        return next(
            (
                str(i["value"])
                for i in self.plan.resource.get("identifier", ())
                if i.get("system") != PLAN_ID and i.get("value")
            ),
            None,
        )


def identifiers(entry: Entry | None) -> tuple[Identifier, ...]:
    """An entry's identifiers that have both system and value."""
    return tuple(
        Identifier(i["system"], i["value"])
        for i in (entry.resource if entry else {}).get("identifier", ())
        if i.get("system") and i.get("value")
    )


def read_document(bundle: Mapping[str, Any]) -> Document:
    """The one plan of a Bundle; raises Invalid for none or several, UnknownCode for its kind."""
    found = entries(bundle)
    plans = [e for e in found if e.resource["resourceType"] == "CarePlan"]
    shared = [e for e in plans if has_code(_category(e), names.CATEGORY, "ki-plan")]
    if len(shared) == 1:
        return Document(Index(found), shared[0], SHARED)
    if len(shared) > 1:
        _refuse("Several KI-plans; send one plan in each message", shared)
    sector = [e for e in plans if codes(_category(e), names.SECTOR_KIND)]
    if len(sector) > 1:
        _refuse("Several sector plans; send one plan in each message", sector)
    if not sector:
        text = "No CarePlan with the category ki-plan or a sector kind; state what the plan is"
        raise Invalid(text, at="Bundle.entry")
    return Document(Index(found), sector[0], _kind(sector[0]))


def _kind(entry: Entry) -> str:
    kinds = codes(_category(entry), names.SECTOR_KIND)
    if len(kinds) > 1:
        raise Invalid("A sector plan has one kind", at=f"{entry.path}.category")
    if kinds[0] not in SECTOR_KINDS:
        text = f"Not a kind of sector plan; one of: {', '.join(sorted(SECTOR_KINDS))}"
        raise UnknownCode(text, at=f"{entry.path}.category")
    return kinds[0]


def _category(entry: Entry) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = entry.resource.get("category", [])
    return found


def _refuse(text: str, where: list[Entry]) -> None:
    raise Invalid(text, issues=tuple(Issue("error", "business-rule", text, e.path) for e in where))

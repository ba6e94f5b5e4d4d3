"""The format's code systems: FFB with its hierarchy and value sets, KL's own, and dk-core's.

Sources: FFB ``urn:oid:1.2.208.176.2.22`` version 20240530 (220 codes, mappings/vum/codes/ffb.csv),
CareSocialCodes version 20250530 (91 codes), the value sets of kl.dk.fhir.term
(ffb-value-sets.csv), the local code systems of KL FFB messaging 1.0.0, and the municipality codes
of dk-core. Codes are compared by system and code; displays are not stable between releases, so
the table's own display is used.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from adapters.vum.urls import (
    CARE_SOCIAL,
    CONSENT_POLICY,
    CONTACT_ROLE,
    EVENT_SYSTEM,
    FFB,
    GUARDIANSHIP_FORMS,
    MUNICIPALITY,
    PARTICIPANT_ROLE,
    RELATIONSHIP_TYPE,
    TEXT_SYSTEM,
)
from hub.contract import Loss
from hub.errors import Issue
from hub.mapping import CodeTable, mappings_folder

PURPOSE: Final = "424827b1-23aa-4848-962b-56ee47def560"
INTERVENTION_GOAL: Final = "0bb3daef-538d-45dc-b444-abdbcb63f6bc"
WISH: Final = "416fe27d-3ccf-4390-8742-8b52a9d8dc78"
SUB_GOAL: Final = "6746d4af-145a-4bfd-a672-05c0cf11b53b"
CHANGE_VALUE: Final = "90c48f03-f194-4b2f-ad7d-6cba1069ae48"
SEVERITY: Final = "66959f77-6e2a-4574-8423-3ff097f8b9fa"
FOLLOW_UP: Final = "9f03dfbb-7a97-45a5-94db-d4c3501714a9"

_FOLDER: Final = mappings_folder("vum") / "codes"

COMPLETE: Final[Mapping[str, str]] = {
    FFB: "ffb",
    CARE_SOCIAL: "care-social",
    EVENT_SYSTEM: "message-event",
    PARTICIPANT_ROLE: "participant-role",
    RELATIONSHIP_TYPE: "relationship-type",
    GUARDIANSHIP_FORMS: "guardianship-form",
    CONSENT_POLICY: "consent-policy",
    MUNICIPALITY: "municipality",
    CONTACT_ROLE: "contact-role",
}
"""Code systems of which every code is here, and the table each is in: another code of theirs does
not exist, wherever in a message it stands."""

Concept = dict[str, Any]


def _rows(name: str) -> list[dict[str, str]]:
    with (_FOLDER / f"{name}.csv").open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


@cache
def table(name: str) -> CodeTable:
    """A two-way code table of this format."""
    return CodeTable.load(_FOLDER / f"{name}.csv")


@cache
def displays() -> Mapping[tuple[str, str], str]:
    """(system, code) to display, for every code this adapter knows."""
    return {
        (system, row["code"]): row["display"]
        for system, name in COMPLETE.items()
        for row in _rows(name)
    }


@cache
def _children() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for row in _rows("ffb"):
        found.setdefault(row["parent"], []).append(row["code"])
    return {parent: tuple(codes) for parent, codes in found.items()}


def descendants(code: str) -> Iterator[str]:
    """Every FFB code below this one, any depth."""
    for child in _children().get(code, ()):
        yield child
        yield from descendants(child)


def _taken(root: str, take: str) -> Iterator[str]:
    if take == "self":
        return iter((root,))
    if take == "children":
        return iter(_children().get(root, ()))
    below = descendants(root)
    return below if take == "descendants" else (c for c in below if c not in _children())


@cache
def value_set(name: str) -> frozenset[str]:
    """The FFB codes of a value set; KeyError for a name that is in no table."""
    rows = [row for row in _rows("ffb-value-sets") if row["value_set"] == name]
    if not rows:
        raise KeyError(name)
    return frozenset(
        code for row in rows for code in _taken(row["root"], row["take"]) if code != row["except"]
    )


@cache
def care_social(name: str) -> frozenset[str]:
    """The CareSocialCodes in use of a value set."""
    return frozenset(row["code"] for row in _rows("care-social") if row["value_set"] == name)


def in_system(concept: Mapping[str, Any], system: str) -> list[str]:
    """The concept's codes of that system, in order."""
    return [
        c["code"] for c in concept.get("coding", ()) if c.get("system") == system and "code" in c
    ]


def unknown(tree: Any, at: str) -> Iterator[Issue]:
    """Every place with a code that its code system does not have, as far as that is known here."""
    if isinstance(tree, dict):
        if "code" in tree and _foreign(tree.get("system"), tree["code"]):
            text = "The code is not in its code system; use a listed code"
            yield Issue("error", "code-invalid", text, f"{at}.code")
        for key, value in tree.items():
            yield from unknown(value, f"{at}.{key}")
    elif isinstance(tree, list):
        for i, value in enumerate(tree):
            yield from unknown(value, f"{at}[{i}]")


def _foreign(system: Any, code: Any) -> bool:
    if not isinstance(system, str) or system not in COMPLETE:
        return False
    return not isinstance(code, str) or (system, code) not in displays()


def carried(concept: Mapping[str, Any], at: str) -> tuple[Concept, list[Loss]]:
    """The concept as the plan holds it: text as written, codings with the table's display.

    A coding of the guide's ``CodeSystem/Text`` without a code says nothing and is left out.
    Losses: whatever else the concept or a coding holds, by path.
    """
    made: Concept = {}
    losses = [_lost(f"{at}.{key}") for key in concept if key not in {"coding", "text"}]
    codings = []
    for i, coding in enumerate(concept.get("coding", ())):
        place = f"{at}.coding[{i}]"
        losses += [_lost(f"{place}.{k}") for k in coding if k not in {"system", "code", "display"}]
        if coding.get("system") == TEXT_SYSTEM and "code" not in coding:
            losses += [_lost(f"{place}.display")] if "display" in coding else []
            continue
        display = displays().get((coding.get("system", ""), coding.get("code", "")))
        codings.append({**_plain(coding), **({"display": display} if display else {})})
    if codings:
        made["coding"] = codings
    if concept.get("text"):
        made["text"] = concept["text"]
    return made, losses


def _plain(coding: Mapping[str, Any]) -> dict[str, Any]:
    return {key: coding[key] for key in ("system", "code", "display") if key in coding}


def _lost(at: str) -> Loss:
    return Loss(at, "dropped", "no place in the shared plan")

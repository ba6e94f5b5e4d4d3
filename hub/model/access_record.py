"""Who has seen a plan: audit rows as a citizen can read them. Pure.

Shaped like the national log for citizens (MinLog): when, which organisation, what, and why.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal

from hub.fhir.language import Language, said
from hub.model.party import CITIZEN

SEEN: Final = frozenset({
    "read", "vread", "history", "search", "everything", "document", "events", "fetch", "disclose",
    "hand-over", "forward", "break-glass", "access-record", "audit-export", "subject-export",
})  # fmt: skip
"""Actions by which somebody sees something of a plan, or that there is one."""
ASKED: Final = frozenset({"act", "console", "read"})
"""Actions of a person or a system that are told of even where they were denied."""
Kind = Literal["seen", "denied", "changed", "other"]
_CHANGED: Final = frozenset({
    "update", "receive", "write", "propose", "decide", "consent", "approval", "not-send",
})  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One look, or one try, in the reader's words."""

    at: datetime
    organisation: str
    unit: str
    """``system|value``: the unit's SOR, or another identifier."""
    person: str
    role: str
    what: str
    why: str
    version: int | None
    sections: tuple[str, ...]
    permitted: str
    kind: Kind


def kind_of(row: Mapping[str, Any]) -> Kind:
    """What a row is for the citizen."""
    if row["outcome"] != "success":
        return "denied" if row["action"] in ASKED else "other"
    if row["action"] in SEEN:
        return "seen"
    return "changed" if row["action"] in _CHANGED else "other"


def lines(
    rows: Iterable[Mapping[str, Any]], language: Language, *, everything: bool = False
) -> list[Line]:
    """Who saw it or tried to; with ``everything`` also who changed it and what was not sent."""
    wanted = {"seen", "denied"} | ({"changed", "other"} if everything else set())
    return [_line(row, language) for row in rows if kind_of(row) in wanted]


def word(group: str, code: str, language: Language) -> str:
    """The reader's word for a code; the code itself where there is none."""
    found = _words().get(group, {}).get(code)
    return found[0 if language == "da" else 1] if found else code


def why(row: Mapping[str, Any], language: Language) -> str:
    """The legal basis, or the rule a denial follows from."""
    if row["outcome"] != "success" and row["reason"]:
        return said(language, row["reason"]) or str(row["reason"])
    basis = row["basis"]
    told = word("basis", basis.partition("/")[0], language)
    return f"{told}: {row['reason']}" if row["reason"] else told


def _line(row: Mapping[str, Any], language: Language) -> Line:
    own, _, person = row["actor"].partition(": ")
    citizen = ("Borgeren selv", "The citizen")[language != "da"]
    hub = word("role", row["role"] or "", language)
    organisation = row["unit_name"] or (citizen if row["party"] == CITIZEN else hub or own)
    return Line(
        at=row["at"],
        organisation=organisation,
        unit=row["unit"] or "",
        person=person or (own if row["role"] == "operator" else ""),
        role=word("role", row["role"] or "", language),
        what=word("action", row["action"], language),
        why=why(row, language),
        version=row["version"],
        sections=tuple((row["sections"] or "").split()),
        permitted=word("outcome", row["outcome"], language),
        kind=kind_of(row),
    )


@cache
def _words() -> dict[str, dict[str, list[str]]]:
    text = (files("hub.model") / "audit_words.json").read_text("utf-8")
    found: dict[str, dict[str, list[str]]] = json.loads(text)
    return found

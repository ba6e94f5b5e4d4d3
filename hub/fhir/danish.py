"""Danish words for the canonical codes, as a reader of the plan's narrative meets them.

A code that is not here is shown as it is: a narrative is read by people, and inventing a word
for a code would say what nobody wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

ROLES: Final[Mapping[str, str]] = {
    "citizen": "borger",
    "relative": "pårørende",
    "spokesperson": "talsperson",
    "lead": "tovholder",
    "deputy": "stedfortræder",
    "chair": "mødeleder",
    "minutes": "referent",
    "coordinator": "koordinator",
    "professional": "fagperson",
    "gp": "egen læge",
    "receiver": "modtager",
}
SECTIONS: Final[Mapping[str, str]] = {
    "psychiatry": "psykiatri",
    "substance-use": "rusmidler",
    "social": "sociale forhold",
    "crime": "kriminalitet",
    "economy": "økonomi",
    "health": "helbred",
}
STATUSES: Final[Mapping[str, str]] = {
    "not-started": "ikke begyndt",
    "scheduled": "planlagt",
    "in-progress": "i gang",
    "on-hold": "sat på pause",
    "completed": "afsluttet",
    "cancelled": "aflyst",
    "stopped": "stoppet",
    "unknown": "ukendt",
    "entered-in-error": "registreret ved en fejl",
}
ANCHORINGS: Final[Mapping[str, str]] = {"region": "regionen", "municipality": "kommunen"}


def said(codes: Iterable[str], words: Mapping[str, str]) -> str:
    """The codes in Danish, with commas."""
    return ", ".join(words.get(code, code) for code in codes)

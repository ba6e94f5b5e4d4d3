"""The Danish words that a re-issued order adds to what others wrote, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

FOR_INFORMATION: Final = "Til orientering"
SHARED_PLAN: Final = "koordinerende indsatsplan"

LEAD: Final = "Tovholder"
PURPOSE: Final = "Formål"
CHALLENGES: Final = "Udfordringer"
GOALS: Final = "Mål"
NEXT_MEETING: Final = "Næste møde"
AT_THE_LATEST: Final = "Senest"
PLACE: Final = "Sted"
CONVENER: Final = "Indkaldes af"
TIME: Final = "Tid"
SUCCESS: Final = "Succeskriterium"
FALLBACK: Final = "Hvis det ikke lykkes"
FOLLOW_UP: Final = "Opfølgning"
AT_THE_EARLIEST: Final = "Tidligst"

LABELS: Final = (
    FOR_INFORMATION,
    LEAD,
    PURPOSE,
    CHALLENGES,
    GOALS,
    NEXT_MEETING,
    AT_THE_LATEST,
    PLACE,
    CONVENER,
    TIME,
    SUCCESS,
    FALLBACK,
    FOLLOW_UP,
    AT_THE_EARLIEST,
)
"""Every label; with :data:`SHARED_PLAN`, all words in the output that nobody else wrote."""


def line(label: str, text: str | None) -> list[str]:
    """``Label: text``, or nothing."""
    return [f"{label}: {text}"] if text else []


def numbered(label: str, texts: Iterable[tuple[int, str]]) -> list[str]:
    """The label on a line of its own, then one numbered line for each text, or nothing."""
    lines = [f"{number}. {text}" for number, text in texts if text]
    return [f"{label}:", *lines] if lines else []

"""Danish words for the canonical codes, dates, telephone numbers and goal numbers.

Codes with a closed value set (role, section, intervention status) are refused when unknown,
never guessed; the kinds of sector plan are open, because every adapter may add one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from hub.errors import CannotRender

COPENHAGEN = ZoneInfo("Europe/Copenhagen")

SECTIONS: Mapping[str, str] = {
    "psychiatry": "psykiatri",
    "substance-use": "rusmidler",
    "social": "sociale forhold",
    "crime": "kriminalitet",
    "economy": "økonomi",
    "health": "helbred",
}

ROLES: Mapping[str, str] = {
    "citizen": "borger",
    "relative": "pårørende",
    "spokesperson": "talsperson",
    "lead": "tovholder",
    "deputy": "stedfortræder for tovholder",
    "chair": "mødeleder",
    "minutes": "referent",
    "coordinator": "koordinator",
    "professional": "fagperson",
    "gp": "egen læge",
    "receiver": "modtager",
}

STATUSES: Mapping[str, str] = {
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

ENDED_GOALS: Mapping[str, str] = {
    "on-hold": "sat på pause",
    "completed": "afsluttet",
    "cancelled": "opgivet",
    "rejected": "afvist",
    "entered-in-error": "registreret ved en fejl",
}
"""Goal.lifecycleStatus worth a reader's notice; the others mean that the goal stands."""

HORIZONS: Mapping[str, str] = {"short": "kort sigt", "long": "lang sigt"}
"""How soon a goal is to be reached."""

ANSWERS: Mapping[str, str] = {"yes": "ja", "no": "nej", "undecided": "ikke besluttet"}
MODES: Mapping[str, str] = {"written": "skriftligt", "oral": "mundtligt"}
"""The citizen's decision on the plan (KiApproval)."""

ANCHORINGS: Mapping[str, str] = {"region": "regionen", "municipality": "kommunen"}

KINDS: Mapping[str, str] = {
    "behandlingsplan": "Behandlingsplan",
    "vum": "Voksenudredning (VUM)",
    "handleplan-141": "Handleplan (serviceloven § 141)",
    "udskrivningsaftale": "Udskrivningsaftale",
    "koordinationsplan": "Koordinationsplan",
}

MONTHS = (
    "januar",
    "februar",
    "marts",
    "april",
    "maj",
    "juni",
    "juli",
    "august",
    "september",
    "oktober",
    "november",
    "december",
)


def word(table: Mapping[str, str], code: str, *, at: str) -> str:
    """The Danish word for a code; raises CannotRender naming the place when there is none."""
    if code not in table:
        raise CannotRender("A code has no Danish word in the printed plan", at=at)
    return table[code]


def day(value: str | None) -> str:
    """A FHIR date or dateTime (year, month or day precision) as ``8. september 2026``."""
    parts = (value or "")[:10].split("-")
    if not all(p.isdigit() for p in parts):
        return value or ""
    if len(parts) == 1:
        return parts[0]
    month = MONTHS[int(parts[1]) - 1] if 1 <= int(parts[1]) <= 12 else parts[1]
    if len(parts) == 2:
        return f"{month} {parts[0]}"
    return f"{int(parts[2])}. {month} {parts[0]}"


def span(start: str | None, end: str | None) -> str:
    """A period in words; empty when neither end is known."""
    if start and end:
        return f"{day(start)} – {day(end)}"
    if start:
        return f"fra {day(start)}"
    return f"til {day(end)}" if end else ""


def clock(value: str) -> str:
    """The Danish wall clock of a FHIR dateTime as ``13.00``; empty for a bare date."""
    if "T" not in value:
        return ""
    return datetime.fromisoformat(value).astimezone(COPENHAGEN).strftime("%H.%M")


def cpr(value: str) -> str:
    """A ten-character civil registration number as ``ddmmyy-xxxx``; others unchanged."""
    return f"{value[:6]}-{value[6:]}" if len(value) == 10 else value


def telephone(value: str | None) -> str:
    """A number as written; Danish eight-digit numbers in pairs; ``mangler`` when unknown.

    Text without a digit ("telefon?") stays, marked as missing (the template's plan 1).
    """
    written = (value or "").strip()
    if not written:
        return "mangler"
    if not any(c.isdigit() for c in written):
        return f"{written} (mangler)"
    digits = written.removeprefix("+45").replace(" ", "")
    if written.startswith("+45") and len(digits) == 8 and digits.isdigit():
        return " ".join(digits[i : i + 2] for i in range(0, 8, 2))
    return written


def numbers(ranks: Sequence[int]) -> str:
    """Goal numbers in running text: ``2. og 3.``; empty for none."""
    written = [f"{rank}." for rank in ranks]
    if len(written) < 2:
        return "".join(written)
    return f"{', '.join(written[:-1])} og {written[-1]}"


def upper_first(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]

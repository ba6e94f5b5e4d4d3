"""Text as XML may hold it."""

from __future__ import annotations


def xml_text(text: str) -> str:
    """The text without characters that XML has no place for (XML 1.0, production 2, Char).

    FHIR forbids the same characters in a string (R4, datatypes, string), so nothing valid is lost.
    """
    return "".join(c for c in text if _allowed(c))


def _allowed(char: str) -> bool:
    return (
        char in "\t\n\r"
        or " " <= char <= "\ud7ff"
        or "\ue000" <= char <= "\ufffd"
        or (char >= "\U00010000")
    )

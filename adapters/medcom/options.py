"""A subscription's own options for this format: each checked when the parties file is applied.

Category and topic are routing metadata that stand outside the message, on its envelope and in
the subject of what it is converted to; the defaults say nothing of the citizen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from adapters.medcom import codes, urls
from adapters.medcom.narrative import clean
from hub.capabilities import Patience
from hub.errors import Invalid
from hub.fhir.numbers import names_a_citizen

CATEGORY: Final = "carecoordination"
TOPIC: Final = "Plan til orientering"
_REFUSED: Final = frozenset({"alcohol-and-drug-treatment"})
_LONGEST_TOPIC: Final = 70
"""Characters, as in the subject line of the older standard that messages are converted to."""
_MEGABYTES: Final = range(1, 51)
_DEFAULT_MEGABYTES: Final = 20
"""MedCom allows 100 MB for the whole enveloped message, base64 twice over, so 56 MB at most for
the file; the default leaves room for receivers that stop earlier."""
_MINUTES: Final = range(30, 24 * 60 + 1)
_RESENDS: Final = range(4)
"""MedCom's own texts say two and three at most."""
_KNOWN: Final = ("category", "topic", "attachment-megabytes", "answer-minutes", "resends")


@dataclass(frozen=True)
class Options:
    """The options in force."""

    category: str
    topic: str
    attachment_bytes: int
    patience: Patience


def options_of(written: Mapping[str, str]) -> Options:
    """Read them; raises Invalid with the option's name and what it may be."""
    unknown = sorted(written.keys() - set(_KNOWN))
    if unknown:
        raise Invalid(f"No such option; known: {', '.join(_KNOWN)}", at=f"options.{unknown[0]}")
    megabytes = _number(written, "attachment-megabytes", _DEFAULT_MEGABYTES, _MEGABYTES)
    minutes = _number(written, "answer-minutes", 30, _MINUTES)
    return Options(
        category=_category(written.get("category") or CATEGORY),
        topic=_topic(written.get("topic") or TOPIC),
        attachment_bytes=megabytes * 1_000_000,
        patience=Patience(timedelta(minutes=minutes), _number(written, "resends", 2, _RESENDS)),
    )


def _category(category: str) -> str:
    if category in _REFUSED:
        raise Invalid(
            "This category would disclose substance use outside the message; choose another in "
            "the subscription",
            at="options.category",
        )
    if (urls.CATEGORIES, category) not in codes.known("category"):
        raise Invalid(
            "The subscription's category is not in MedCom's value set; choose a listed one",
            at="options.category",
        )
    return category


def _topic(topic: str) -> str:
    spoken = clean(topic).strip()
    if "\n" in spoken or len(spoken) > _LONGEST_TOPIC or names_a_citizen(spoken):
        raise Invalid(
            f"A topic is one line of at most {_LONGEST_TOPIC} characters, without a citizen's "
            "number: it stands outside the message",
            at="options.topic",
        )
    return spoken


def _number(written: Mapping[str, str], name: str, default: int, allowed: range) -> int:
    said = written.get(name, str(default))
    if not (said.isascii() and said.isdigit() and int(said[:9]) in allowed):
        text = f"A whole number from {allowed[0]} to {allowed[-1]}"
        raise Invalid(text, at=f"options.{name}")
    return int(said)

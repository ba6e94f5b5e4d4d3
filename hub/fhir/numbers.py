"""Citizens' numbers where they may not be: addresses are logged, kept and shared."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl

from hub.fhir import names

_SYSTEMS: Final = names.PERSON_SYSTEMS
_SHAPE = re.compile(r"(?<![0-9A-Za-z-])[0-9]{6}[- ]?[0-9]{4}(?![0-9A-Za-z-])")

_DATED = re.compile(
    r"(?<![0-9A-Za-z])(0[1-9]|[12][0-9]|3[01])(0[1-9]|1[0-2])[0-9]{2}[- ]?[0-9]{4}(?![0-9A-Za-z])"
)
_UUID = re.compile(r"(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def names_a_citizen(text: str) -> bool:
    """The text holds something of a CPR number's form, or a value of a CPR or eCPR system.

    Rather too much than too little: any ten digits standing alone count.
    """
    if _SHAPE.search(text):
        return True
    return any(re.search(re.escape(system) + r"\s*\|\s*\S", text) for system in _SYSTEMS)


def id_names_a_citizen(text: str) -> bool:
    """The same of an id that a sender chose: ten digits count where six of them are a date.

    Others are too often a counter or a time, and a part of a UUID is no number.
    """
    return bool(_DATED.search(_UUID.sub("", text))) or any(system in text for system in _SYSTEMS)


def condition_names_a_citizen(query: str) -> bool:
    """A search in a header (``If-None-Exist``) does, which is kept on the way like an address.

    An identifier with the system of something else than a person may be any ten digits.
    """
    return any(
        names_a_citizen(value) and not _other(name, value)
        for name, value in parse_qsl(query.rpartition("?")[2])
    )


def _other(name: str, value: str) -> bool:
    system, mark, _ = value.partition("|")
    return name == "identifier" and bool(mark) and bool(system) and system not in _SYSTEMS

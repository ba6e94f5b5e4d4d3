"""Telephone numbers and e-mail addresses as written, both ways; a blank one is unknown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hub.contract import Resource
from hub.fhir import names

_SYSTEMS: Final = {"TelephoneNumberIdentifier": "phone", "EmailAddressIdentifier": "email"}
_UNKNOWN: Final = {"extension": [{"url": names.DATA_ABSENT, "valueCode": "unknown"}]}


def telecoms(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The record's ContactPoints, telephone numbers first."""
    return [
        {"system": system} | ({"value": text} if text else {"_value": _UNKNOWN})
        for name, system in _SYSTEMS.items()
        for text in record.get(name, ())
    ]


def written_telecoms(resource: Resource) -> dict[str, list[str]]:
    """The resource's telephone numbers and e-mail addresses; a blank text for an unknown one."""
    found = {
        name: [
            str(t.get("value", ""))
            for t in resource.get("telecom", ())
            if t.get("system") == system
        ]
        for name, system in _SYSTEMS.items()
    }
    return {name: values for name, values in found.items() if values}

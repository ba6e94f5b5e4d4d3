"""What an operation is asked: in the address, or in a Parameters resource
(https://hl7.org/fhir/R4/operations.html#executing).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import Request

from hub.api.fhir_http import address_pairs, read_body, refuse_numbers
from hub.errors import Malformed

Pair = tuple[str, str]


def operation_pairs(request: Request, body: bytes, kind: str) -> dict[str, str]:
    """The simple parameters of an operation on one type, by name; a list is joined by commas.

    They come back in the addresses of pages, so the same is refused in both places. Raises
    Malformed, Invalid, or HTTPException 415.
    """
    pairs = list(address_pairs(request, kind))
    if body and request.method == "POST":
        resource = read_body(request, body)
        if resource.get("resourceType") != "Parameters":
            raise Malformed("Send a Parameters resource, or nothing", at="Parameters")
        given = list(_given(resource.get("parameter", [])))
        refuse_numbers(given, kind)
        pairs += given
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _given(parameters: Any) -> Iterator[Pair]:
    for i, one in enumerate(parameters if isinstance(parameters, list) else [None]):
        at = f"Parameters.parameter[{i}]"
        name = one.get("name") if isinstance(one, dict) else None
        values = [v for k, v in one.items() if k.startswith("value")] if name else []
        if not isinstance(name, str) or len(values) != 1 or isinstance(values[0], dict | list):
            raise Malformed("Give a name and one simple value", at=at)
        yield name, str(values[0])

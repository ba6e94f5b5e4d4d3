"""A document's bytes as a resource: FHIR JSON or FHIR XML, as its media type says."""

from __future__ import annotations

from typing import Final

from hub.contract import Resource
from hub.fhir.codec import parse_json
from hub.fhir.xml import from_xml

JSON: Final = ("application/fhir+json", "application/json")
XML: Final = ("application/fhir+xml", "application/xml", "text/xml")


def is_xml(body: bytes, media_type: str) -> bool:
    """The bytes are XML; where the media type does not say, their first character does."""
    kind = media_type.split(";", maxsplit=1)[0].strip().lower()
    return kind in XML or (kind not in JSON and body.lstrip().startswith(b"<"))


def read(body: bytes, media_type: str) -> Resource:
    """The resource; raises Malformed or TooLarge, without a value."""
    return from_xml(body) if is_xml(body, media_type) else parse_json(body)

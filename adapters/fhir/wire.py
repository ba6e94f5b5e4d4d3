"""A document's bytes as a resource: FHIR JSON or FHIR XML, as its media type says."""

from __future__ import annotations

from typing import Final

from hub.contract import RawMessage, Resource
from hub.fhir.codec import parse_json
from hub.fhir.xml import from_xml

JSON: Final = ("application/fhir+json", "application/json")
XML: Final = ("application/fhir+xml", "application/xml", "text/xml")


def read(message: RawMessage) -> Resource:
    """The resource; where the media type does not say which, its first character does.

    Raises Malformed or TooLarge, without a value.
    """
    kind = message.media_type.split(";")[0].strip().lower()
    if kind in XML or (kind not in JSON and message.body.lstrip().startswith(b"<")):
        return from_xml(message.body)
    return parse_json(message.body)

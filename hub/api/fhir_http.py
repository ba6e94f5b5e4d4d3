"""Headers and negotiation shared by every FHIR interaction (R4 "RESTful API", 3.1.0).

JSON or XML by ``_format`` and ``Accept`` (3.1.0.1.11); versions as weak ETags (3.1.0.1.3);
``Last-Modified``, ``Location`` and ``Content-Location``; conditional read (3.1.0.7.1). What a
request says in a header is never repeated in an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Annotated, Final, Literal
from urllib.parse import unquote_to_bytes

from fastapi import Depends, Request, Response
from starlette.exceptions import HTTPException

from hub.contract import Resource
from hub.errors import Invalid, Malformed, NotFound
from hub.fhir.codec import dump_json, parse_json
from hub.fhir.interactions import version_of
from hub.fhir.language import Language, preferred
from hub.fhir.numbers import names_a_citizen
from hub.fhir.outcome import in_language
from hub.fhir.parameters import SERVED

VARY: Final = "Accept, Accept-Language, Authorization"
FHIR_JSON: Final = "application/fhir+json"
FHIR_XML: Final = "application/fhir+xml"

Syntax = Literal["json", "xml"]
Handling = Literal["strict", "lenient"]
Return = Literal["minimal", "representation", "OperationOutcome"]

_SYNTAX: Final[dict[str, Syntax]] = {
    "json": "json",
    "application/json": "json",
    "text/json": "json",
    FHIR_JSON: "json",
    "xml": "xml",
    "application/xml": "xml",
    "text/xml": "xml",
    FHIR_XML: "xml",
}
_MEDIA: Final[dict[Syntax, str]] = {"json": FHIR_JSON, "xml": FHIR_XML}
_FHIR_VERSIONS: Final = ("4.0", "4.0.1")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
BAD_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
"""A percent sign that escapes nothing."""
_NO_ADDRESS: Final = "Write the parameters in the address as UTF-8, percent-encoded"
_ETAG = re.compile(r'(?:W/)?"([A-Za-z0-9\-.]{1,64})"')


@dataclass(frozen=True)
class Wire:
    """How an answer is written."""

    syntax: Syntax = "json"
    pretty: bool = False

    @property
    def media_type(self) -> str:
        """The Content-Type of the answer."""
        return f"{_MEDIA[self.syntax]}; charset=utf-8" if self.syntax == "xml" else FHIR_JSON

    def write(self, resource: Resource) -> bytes:
        """The resource's bytes."""
        if self.syntax == "xml":
            from hub.fhir.xml import to_xml  # noqa: PLC0415 - loads the type tables

            return to_xml(resource)
        return dump_json(resource, indent=2 if self.pretty else None)


def wire_of(request: Request) -> Wire:
    """What the caller wants to read: ``_format`` first, else ``Accept``, else JSON.

    Raises HTTPException 406 if it wants neither JSON nor XML, or another version of FHIR.
    """
    pretty = request.query_params.get("_pretty") == "true"
    wanted = request.query_params.get("_format", "").strip()
    if wanted and wanted != "*/*":
        return named_wire(wanted, pretty=pretty)
    accept = ",".join(request.headers.getlist("Accept"))
    return Wire(_best(accept) if accept.strip() else "json", pretty)


def named_wire(text: str, *, pretty: bool = False) -> Wire:
    """What ``_format`` asks for; raises HTTPException 406."""
    # A "+" in a query is a space unless it is escaped, and mostly nobody escapes it.
    found = _offered(text.strip().replace(" ", "+"))
    if found is None:
        raise HTTPException(406)
    return Wire(found, pretty)


def wire_or_json(request: Request) -> Wire:
    """The same for an error's answer: one that cannot be negotiated is JSON."""
    try:
        return wire_of(request)
    except HTTPException:
        return Wire()


WireDep = Annotated[Wire, Depends(wire_of)]


def media_type(request: Request) -> str:
    """The Content-Type of a resource that is sent; raises HTTPException 415 for no FHIR."""
    declared = request.headers.get("Content-Type", FHIR_JSON)
    if _offered(declared) is None:
        raise HTTPException(415)
    return declared


def read_body(request: Request, body: bytes) -> Resource:
    """The resource a request carries, by its Content-Type; JSON where none is given.

    Raises HTTPException 415 for another media type, Malformed or TooLarge for what cannot be read.
    """
    declared = media_type(request)
    if _offered(declared) == "xml":
        from hub.fhir.xml import from_xml  # noqa: PLC0415 - loads the type tables

        return from_xml(body)
    return parse_json(body)


def answer(
    request: Request,
    wire: Wire,
    resource: Resource | None,
    status: int = 200,
    *,
    version: str | None = None,
    modified: datetime | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A FHIR answer; HEAD has the headers of GET and no body, and so has ``resource`` None.

    ``version`` becomes the ETag, ``modified`` the Last-Modified. Nothing may be kept by a cache
    on the way: who may read changes with consent.
    """
    made = {"Cache-Control": "private, no-cache", "Vary": VARY}
    if version is not None:
        made["ETag"] = etag(version)
    if modified is not None:
        made["Last-Modified"] = http_date(modified)
    made |= headers or {}
    if resource is None:
        return Response(status_code=status, headers=made)
    resource = in_language(resource, language_of(request))
    made |= content_language(resource)
    body = wire.write(resource)
    if request.method == "HEAD":
        made |= {"Content-Length": str(len(body)), "Content-Type": wire.media_type}
        return Response(status_code=status, headers=made)
    return Response(body, status, made, media_type=wire.media_type)


def language_of(request: Request) -> Language:
    """What the caller wants to read: English unless ``Accept-Language`` says Danish."""
    return preferred(",".join(request.headers.getlist("Accept-Language")), "en")


def content_language(resource: Resource) -> dict[str, str]:
    """The header that goes with ``Resource.language``."""
    return {"Content-Language": resource["language"]} if "language" in resource else {}


def served(kind: str) -> str:
    """The type in an address; raises NotFound for one that is not served (R4 3.1.0.4)."""
    if kind not in SERVED:
        raise NotFound("There are no resources of such a type here; see metadata")
    return kind


def known_id(text: str) -> str:
    """An id in an address; raises NotFound for what can be none (R4 "id")."""
    if not _ID.fullmatch(text):
        raise NotFound("No such resource is known to you")
    return text


def address_pairs(request: Request, kind: str) -> list[tuple[str, str]]:
    """The parameters in an address.

    Raises Malformed if they are not UTF-8, percent-encoded; Invalid if one may be a citizen's
    number.
    """
    raw = request.scope["query_string"]
    if BAD_ESCAPE.search(raw):
        raise Malformed(_NO_ADDRESS)
    try:
        unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed(_NO_ADDRESS) from None
    pairs = request.query_params.multi_items()
    refuse_numbers(pairs, kind)
    return pairs


def refuse_numbers(pairs: Iterable[tuple[str, str]], kind: str) -> None:
    """Addresses are logged, kept and shared on the way; raises Invalid."""
    if any(names_a_citizen(text) for pair in pairs for text in pair):
        text = f"A citizen's number may not stand in a URL; POST it to {kind}/_search"
        raise Invalid(text, at="identifier")


def etag(version: str) -> str:
    """A version as R4 writes it: ``W/"3"``."""
    return f'W/"{version}"'


def http_date(at: datetime) -> str:
    """A time as HTTP writes it, whole seconds."""
    return format_datetime(at.astimezone(UTC), usegmt=True)


def if_match(request: Request) -> str | None:
    """The version a writer wrote on (``If-Match``); raises Malformed for what is no ETag."""
    found = request.headers.get("If-Match")
    return None if found is None else version_of(found, "If-Match")


def unchanged(request: Request, version: str, modified: datetime, since: datetime) -> bool:
    """Whether a conditional read is answered with 304.

    ``since``: when what the caller would get last became so; later than ``modified`` if what it
    may see of that version changed. Then the version alone does not say that its copy is good.
    ``If-None-Match`` decides alone where it is sent (RFC 9110, 13.2.2); a date that cannot be
    read is ignored, as it says.
    """
    tags = request.headers.get("If-None-Match")
    if tags is not None:
        named = tags.strip() == "*" or version in _ETAG.findall(tags)
        return named and since <= modified
    moment = _date(request.headers.get("If-Modified-Since", ""))
    return moment is not None and since.replace(microsecond=0) <= moment


def not_modified(version: str, modified: datetime) -> Response:
    """304 with the headers that identify what the caller has."""
    headers = {"ETag": etag(version), "Last-Modified": http_date(modified)}
    return Response(status_code=304, headers=headers)


def handling(request: Request) -> Handling:
    """``Prefer: handling=strict|lenient``; lenient unless it says strict."""
    return "strict" if _preference(request, "handling") == "strict" else "lenient"


def preferred_return(request: Request) -> Return | None:
    """``Prefer: return=minimal|representation|OperationOutcome``."""
    found = _preference(request, "return")
    wanted: dict[str, Return] = {
        "minimal": "minimal",
        "representation": "representation",
        "operationoutcome": "OperationOutcome",
    }
    return wanted.get(found.lower())


def _preference(request: Request, name: str) -> str:
    """The value of one preference (RFC 7240); the first one counts."""
    for part in re.split(r"[,;]", ",".join(request.headers.getlist("Prefer"))):
        key, _, value = part.partition("=")
        if key.strip().lower() == name:
            return value.strip().strip('"')
    return ""


def _offered(declared: str) -> Syntax | None:
    """The syntax of a media type this server reads and writes; None for another."""
    kind, *parameters = (p.strip().lower() for p in declared.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "fhirversion" and value.strip().strip('"') not in _FHIR_VERSIONS:
            return None
    return _SYNTAX.get(kind)


def _best(accept: str) -> Syntax:
    """The best range of an Accept header that can be served (RFC 9110, 12.5.1)."""
    found: list[tuple[float, int, Syntax]] = []
    for position, text in enumerate(accept.split(",")):
        quality = _quality(text)
        kind = text.split(";")[0].strip().lower()
        if quality == 0:
            continue
        syntax = "json" if kind in {"*/*", "application/*"} else _offered(text)
        if syntax is not None:
            found.append((-quality, position, syntax))
    if not found:
        raise HTTPException(406)
    return min(found)[2]


def _quality(text: str) -> float:
    """The ``q`` of one range; what cannot be read counts as 1."""
    for parameter in text.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            number = re.fullmatch(r"\s*([01](?:\.\d{0,3})?)\s*", value)
            return float(number[1]) if number else 1.0
    return 1.0


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)

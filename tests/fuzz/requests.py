"""Requests as a confused or hostile FHIR client sends them; all follow from the given chance."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import quote

from hub.errors import HubError
from hub.fhir.codec import parse_json
from hub.fhir.parameters import SERVED
from hub.fhir.xml import to_xml
from tests.fuzz.mutation import CANARY, NASTY, broken, mutated, written
from tests.views import EXAMPLES

JSON, XML = "application/fhir+json", "application/fhir+xml"
FORM = "application/x-www-form-urlencoded"
TYPES = (*SERVED, "Bundle", "Nothing", "carePlan", "Binary", "CarePlan%2F", "$", "_", "..")


@dataclass(frozen=True)
class Sent:
    """One request, as bytes go over the wire."""

    method: str
    target: str
    """Path and query below the server's root, already escaped (or badly so)."""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def header(self, name: str) -> str:
        """The first value of that header."""
        return next((v for n, v in self.headers if n.lower() == name.lower()), "")


@dataclass(frozen=True)
class Known:
    """What the client has seen on the server."""

    secret: str
    keys: tuple[str, ...]
    """``Type/id`` of real resources."""
    resources: tuple[Any, ...]
    """Valid resources to mutate."""


Maker = Callable[[Random, Known], Sent]


def sent(chance: Random, known: Known) -> Sent:
    """One request of any kind, with headers that fit it more or less."""
    made = chance.choice(_MAKERS)(chance, known)
    headers = dict(made.headers) | _odd(chance)
    if chance.random() > 0.02:
        headers["Authorization"] = f"Bearer {known.secret}"
    return Sent(made.method, made.target, tuple(headers.items()), made.body)


# Addresses


def _key(chance: Random, known: Known) -> str:
    if chance.random() < 0.9:
        return chance.choice(known.keys)
    ids = ("x", "x" * 64, "x" * 65, "%00", "%ff", "æ", "..", "a%2Fb", "*", "_history", "1")
    return f"{chance.choice(TYPES)}/{_escaped(chance, chance.choice(ids))}"


def _read(chance: Random, known: Known) -> Sent:
    key = _key(chance, known)
    ending = chance.choice(
        ("", "", "/_history", "/_history/1", "/_history/2", "/_history/x", "/_history/1/x", "/",
         "/$everything", "/$document", "/$nothing", "/_history/%00", "/CarePlan")
    )  # fmt: skip
    method = chance.choice(("GET", "GET", "GET", "HEAD", "DELETE", "PATCH", "OPTIONS", "POST"))
    return Sent(method, f"/fhir/{key}{ending}{_query(chance, known, key.split('/')[0])}")


def _of_type(chance: Random, known: Known) -> Sent:
    kind = chance.choice(TYPES)
    ending = chance.choice(("", "", "", "/_history", "/_search", "/$validate", "/$x"))
    method = chance.choice(("GET", "GET", "GET", "HEAD", "PUT", "DELETE", "BREW"))
    return Sent(method, f"/fhir/{kind}{ending}{_query(chance, known, kind)}")


def _of_system(chance: Random, known: Known) -> Sent:
    paths = ("/fhir", "/fhir/", "/fhir/metadata", "/fhir/_history", "/fhir/_search", "/fhir//",
             "/fhir/$process-message", "/fhir/%2e%2e/mailbox", "/fhir/\u00e6",
             "/fhir/a b")  # fmt: skip
    query = _query(chance, known, "CarePlan")
    return Sent(chance.choice(("GET", "GET", "POST", "HEAD")), chance.choice(paths) + query)


def _search(chance: Random, known: Known) -> Sent:
    kind = chance.choice(list(SERVED))
    if chance.random() < 0.6:
        return Sent("GET", f"/fhir/{kind}{_query(chance, known, kind)}")
    form = _query(chance, known, kind)[1:].encode()
    if chance.random() < 0.1:
        form = broken(chance, form)
    content = chance.choice((FORM, FORM, FORM, f"{FORM}; charset=utf-8", JSON, "text/plain", ""))
    return Sent("POST", f"/fhir/{kind}/_search", (("Content-Type", content),), form)


def _query(chance: Random, known: Known, kind: str) -> str:
    pairs = [_pair(chance, known, kind) for _ in range(chance.choice((0, 1, 1, 2, 3, 6)))]
    return "?" + "&".join(f"{n}={v}" for n, v in pairs) if pairs else ""


def _pair(chance: Random, known: Known, kind: str) -> tuple[str, str]:
    parameters = list(SERVED[kind if kind in SERVED else "CarePlan"].parameters.values())
    one = chance.choice(parameters)
    name = one.name + (chance.choice(_MODIFIERS) if chance.random() < 0.15 else "")
    if one.kind == "reference" and chance.random() < 0.15:
        name += chance.choice(
            (".identifier", ":Patient.identifier", ".status", "._id", ".x", ".a.b")
        )
    return chance.choice(
        ((name, _value(chance, known, one.kind)),) * 5
        + ((chance.choice(_CONTROLS), _control(chance)),) * 3
        + ((_has(chance), _value(chance, known, "token")),)
        + ((chance.choice(("x", CANARY.replace(" ", "+"), "%zz", "%ff", "_text")), "1"),)
    )


_MODIFIERS = (
    ":missing",
    ":not",
    ":exact",
    ":contains",
    ":identifier",
    ":Patient",
    ":x",
    ":",
    "::",
    ":text",
)
_CONTROLS = ("_count", "_sort", "_summary", "_elements", "_total", "_include", "_revinclude",
             "_include:iterate", "_revinclude:iterate", "_format", "_pretty", "_since", "_page",
             "_type", "_has", "_lastUpdated")  # fmt: skip


def _control(chance: Random) -> str:
    kind = chance.choice(list(SERVED))
    name = chance.choice(list(SERVED[kind].parameters))
    return chance.choice(
        ("0", "1", "3", "200", "-1", "99999999999", "true", "text", "data", "count", "false",
        "none",
         "accurate", "estimate", "xml", "json", "html", "application/fhir%2Bxml", "status,-date",
         "-_id",
         "id,status", "CarePlan.title", "*", f"{kind}:{name}", f"{kind}:{name}:Patient",
         f"{kind}:*",
         f"{kind}:x", "2026", "2026-11-26T10:00:00Z", "gt2026", "x", "WzFd", "W10", "Patient,Goal",
         "%00", "%zz", "%E6", "a" * 300)
    )  # fmt: skip


def _has(chance: Random) -> str:
    kind = chance.choice(list(SERVED))
    names = list(SERVED[kind].parameters)
    return chance.choice(
        (f"_has:{kind}:{chance.choice(names)}:{chance.choice(names)}", "_has:CarePlan:subject:_id",
         "_has:CarePlan:goal:status", "_has:x", "_has::::",
         "_has:Goal:patient:_has:CarePlan:goal:_id")
    )  # fmt: skip


def _value(chance: Random, known: Known, kind: str) -> str:
    if chance.random() < 0.05:
        return _escaped(chance, str(chance.choice(NASTY)))
    key = chance.choice(known.keys)
    values = {
        "token": ("active", "ki-plan", "http://x|y", "|y", "y|", "|", "a|b|c", "true", "a\\,b",
        ","),
        "reference": (key, key.split("/")[1], f"http://x/{key}", "urn:uuid:1", "/",
        f"{key}/_history/1"),
        "date": ("2026", "ge2026-09", "2026-11-26T10:00:00%2B02:00", "sa2020,eb2030", "ap2026",
        "9999",
                 "0001", "2026-13", "gt", "2026-11-26T10:00:00 02:00"),
        "string": ("havneby", "%C3%A6", "a\\,b", "%", "*"),
        "uri": ("http://x", "urn:oid:1", "x,y"),
    }  # fmt: skip
    return chance.choice(values[kind])


def _escaped(chance: Random, text: str) -> str:
    return (
        quote(text, safe="/%.") if chance.random() < 0.5 else quote(text, safe="", errors="replace")
    )


# Bodies


def _body(chance: Random, known: Known) -> Sent:
    resource = chance.choice(known.resources)
    kind = resource["resourceType"]
    changed = mutated(chance, resource) if chance.random() < 0.9 else resource
    content, body = JSON, written(chance, changed)
    if chance.random() < 0.3:
        body = _as_xml(chance, changed, resource)
        content = XML
    if chance.random() < 0.05:
        content = chance.choice(
            ("text/plain", "application/json", "x", f"{JSON}; fhirVersion=5.0", "")
        )
    method, target = chance.choice(_targets(chance, known, kind))
    return Sent(method, target, (("Content-Type", content),), body)


def _targets(chance: Random, known: Known, kind: str) -> list[tuple[str, str]]:
    return [
        ("POST", f"/fhir/{kind}"),
        ("POST", "/fhir/Consent"),
        ("POST", "/fhir/$process-message"),
        ("POST", f"/fhir/{chance.choice(known.keys)}/$everything"),
    ]


def _as_xml(chance: Random, changed: Any, resource: Any) -> bytes:
    """XML of what was changed, where XML can hold it; else of the resource, with broken bytes."""
    try:
        return to_xml(parse_json(json.dumps(changed, default=str).encode()))
    except HubError:
        return broken(chance, to_xml(resource))


# Headers


def _odd(chance: Random) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, values in _HEADERS.items():
        if chance.random() < 0.15:
            found[name] = chance.choice(values)
    return found


_HEADERS: dict[str, tuple[str, ...]] = {
    "Accept": (JSON, XML, XML, "*/*", "text/html", f"{XML};q=0.5, {JSON};q=0.9", ";;,", "q=1",
               f"{JSON}; fhirVersion=4.0", f"{JSON}; fhirVersion=3.0", "\u00ff", ""),
    "Accept-Language": ("da", "en", "da-DK, en;q=0.5", "*", "x" * 200, ";q=", "\u00e6"),
    "Accept-Charset": ("utf-8", "latin-1"),
    "If-None-Match": ('W/"1"', 'W/"2"', '"3"', "*", "x", 'W/"', "\u00ff"),
    "If-Modified-Since": ("Thu, 26 Nov 2026 10:00:00 GMT", "x", "Thu, 99 Nov 2026 10:00:00 GMT",
    "0"),
    "If-Match": ('W/"1"', "x", "*", 'W/"1", W/"2"', ""),
    "If-None-Exist": ("identifier=x|y", "?status=active", "%zz", "x", ""),
    "Prefer": ("handling=strict", "handling=lenient", "return=minimal", "return=OperationOutcome",
               "return=representation", "handling=strict; return=minimal", "x", "=", "\u00e6=1"),
    "Message-Id": ("1", "x" * 300, "\u00e6", " ", CANARY),
    "X-Forwarded-For": ("1.2.3.4", CANARY),
    "Range": ("bytes=0-10", "x"),
}  # fmt: skip
_MAKERS: tuple[Maker, ...] = (_read, _of_type, _of_system, _search, _search, _search, _body, _body)

VALID: tuple[Any, ...] = tuple(
    parse_json(path.read_bytes()) for path in sorted(EXAMPLES.glob("*.json"))
)
"""The published examples."""

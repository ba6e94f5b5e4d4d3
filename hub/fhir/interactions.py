"""What a caller asks for over REST: one interaction, or a transaction's many. Pure.

R4 "RESTful API" (3.1.0.5, 3.1.0.8, 3.1.0.11) and Bundle.entry.request. What is wrong is said where
it stands in what the caller sent; no value of it is repeated.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from hub.contract import Resource
from hub.errors import HubError, Invalid, Issue, Malformed, TooLarge
from hub.fhir.parameters import SERVED

MOST_ENTRIES: Final = 1000
"""A plan has some fifty resources."""

_ID: Final = r"[A-Za-z0-9\-.]{1,64}"
_URL: Final = re.compile(
    rf"(?P<kind>[A-Z][A-Za-z]{{1,63}})(/(?P<id>{_ID})(/_history/(?P<version>{_ID}))?)?"
    r"(\?(?P<query>.*))?",
    re.DOTALL,
)
_ETAG: Final = re.compile(rf'(?:W/)?"({_ID})"')
_HEADERS: Final = {"ifMatch": "If-Match", "ifNoneExist": "If-None-Exist"}


@dataclass(frozen=True)
class Interaction:
    """One request, alone or in a Bundle."""

    method: str
    """``GET``, ``POST`` or ``PUT``."""
    kind: str
    id: str = ""
    version: str = ""
    """Of a vread."""
    query: str = ""
    """Of a search."""
    resource: Resource | None = None
    full_url: str = ""
    path: str = ""
    """FHIRPath of the resource in what the caller sent; ``Goal``, ``Bundle.entry[3].resource``."""
    if_match: str | None = None
    """The version it was written on."""
    if_none_exist: str | None = None
    """A search that must find nothing."""

    @property
    def key(self) -> str:
        """``Type/id``."""
        return f"{self.kind}/{self.id}"

    @property
    def content(self) -> Resource:
        """The resource; only a GET has none."""
        assert self.resource is not None
        return self.resource

    @property
    def alone(self) -> bool:
        """Not in a Bundle."""
        return not self.path.startswith("Bundle.")

    def at(self, name: str) -> str:
        """Where ``ifMatch`` or ``ifNoneExist`` stands, or should."""
        return _HEADERS[name] if self.alone else self.path.replace(".resource", f".request.{name}")


def single(request: Mapping[str, str], resource: Resource) -> Interaction:
    """An update or a create; raises Malformed where address and resource do not fit."""
    place = str(request["url"]).partition("/")[0]
    found = _interaction(request, resource, place, "")
    _check(found)
    return found


def transaction(bundle: Resource, base: str) -> tuple[Interaction, ...]:
    """A transaction's entries, in order; raises Malformed or TooLarge with every issue at once."""
    entries = bundle.get("entry", [])
    if (bundle.get("resourceType"), bundle.get("type")) != ("Bundle", "transaction"):
        raise Malformed("Send a Bundle of type transaction or batch", at="Bundle.type")
    if not isinstance(entries, list):
        raise Malformed("A Bundle has a list of entries", at="Bundle.entry")
    if len(entries) > MOST_ENTRIES:
        raise TooLarge(f"More than {MOST_ENTRIES} entries; send one plan at a time")
    found: list[Interaction] = []
    issues: list[Issue] = []
    for number, entry in enumerate(entries):
        try:
            found.append(of_entry(entry, number, base))
        except HubError as e:
            issues += e.issues
    issues += _overlaps(found)
    if issues:
        raise Malformed("The entries cannot be carried out", issues=tuple(issues))
    return tuple(found)


def of_entry(entry: Any, number: int, base: str) -> Interaction:
    """One entry of a transaction or batch; raises Malformed, or Invalid for what is not served."""
    place = f"Bundle.entry[{number}]"
    request = entry.get("request") if isinstance(entry, Mapping) else None
    texts = ("method", "url", "ifMatch", "ifNoneExist")
    if not isinstance(request, Mapping) or not all(
        isinstance(request.get(t, ""), str) for t in texts
    ):
        raise Malformed("Each entry says its request: method and url", at=f"{place}.request")
    if any(name in request for name in ("ifNoneMatch", "ifModifiedSince")):
        raise Invalid("A conditional read stands alone; leave it out", at=f"{place}.request")
    resource = entry.get("resource")
    if resource is not None and not isinstance(resource, dict):
        raise Malformed("A resource is an object", at=f"{place}.resource")
    line = {t: request[t] for t in texts if t in request}
    line["url"] = str(line.get("url", "")).removeprefix(f"{base}/").removeprefix("/")
    found = _interaction(line, resource, f"{place}.resource", str(entry.get("fullUrl", "")))
    if found.full_url.startswith(f"{base}/") and found.method == "POST":
        text = "Only the hub gives ids: name a new resource by urn:uuid"
        raise Malformed(text, at=f"{place}.fullUrl")
    _check(found)
    return found


def version_of(etag: str, at: str) -> str:
    """The version in an ETag as R4 writes it; raises Malformed for what is none."""
    tag = _ETAG.fullmatch(etag.strip())
    if tag is None:
        raise Malformed('Send one version: W/"<version>"', at=at)
    return tag[1]


def _interaction(
    request: Mapping[str, str], resource: Resource | None, path: str, full_url: str
) -> Interaction:
    method, place = request.get("method", ""), path.removesuffix(".resource")
    here = f"{place}.request" if place != path else path
    if method in {"DELETE", "PATCH"}:
        text = "Nothing is ever deleted, and nothing changed in pieces; PUT what it shall be"
        raise Invalid(text, issues=(Issue("error", "not-supported", text, here),))
    if method not in {"GET", "POST", "PUT"}:
        raise Malformed("The method is GET, POST or PUT", at=here)
    url = _URL.fullmatch(request.get("url", ""))
    if url is None or url["kind"] not in SERVED:
        text = "Not an address of a type that is served here; see metadata"
        raise Invalid(text, issues=(Issue("error", "not-supported", text, here),))
    found = Interaction(
        method=method,
        kind=url["kind"],
        id=url["id"] or "",
        version=url["version"] or "",
        query=url["query"] or "",
        resource=resource,
        full_url=full_url,
        path=path,
        if_none_exist=request.get("ifNoneExist"),
    )
    if "ifMatch" not in request:
        return found
    return replace(found, if_match=version_of(request["ifMatch"], found.at("ifMatch")))


def _check(found: Interaction) -> None:
    """The resource belongs at the address."""
    where = found.path
    if found.method == "GET":
        if found.resource is not None or found.if_match or found.if_none_exist:
            raise Malformed("A GET carries no resource and no condition", at=where)
        return
    if (found.method == "PUT") != bool(found.id) or found.version or found.query:
        text = "Create by POST [type], update by PUT [type]/[id]"
        raise Invalid(text, issues=(Issue("error", "not-supported", text, where),))
    if found.resource is None:
        raise Malformed("Send the resource", at=where)
    if found.resource.get("resourceType") != found.kind:
        raise Malformed("The resource is not of the type in the address", at=where)
    if found.method == "PUT" and found.resource.get("id") != found.id:
        raise Malformed("The resource's id is that of the address", at=f"{where}.id")
    if found.if_match is not None and found.method == "POST":
        raise Malformed("If-Match is for an update", at=found.at("ifMatch"))
    if found.if_none_exist is not None and found.method == "PUT":
        raise Malformed("If-None-Exist is for a create", at=found.at("ifNoneExist"))


def _overlaps(found: Iterable[Interaction]) -> list[Issue]:
    """R4 3.1.0.11.2: a transaction in which two entries are one resource fails."""
    text = "Another entry is about the same resource; send each once"
    seen: set[str] = set()
    issues = []
    for one in found:
        if one.method == "GET":
            continue
        own = {one.key} if one.method == "PUT" else {one.full_url} - {""}
        if own & seen:
            issues.append(Issue("error", "duplicate", text, one.path))
        seen |= own
    return issues

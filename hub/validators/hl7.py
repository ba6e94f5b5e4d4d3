"""HL7's own validator, run beside the hub: a client of its HTTP server.

The server (``FhirValidatorHttpService``) judges one document at a time, so requests wait in line;
more than :attr:`Sidecar.limit` of them are not taken on: the caller is told to come again, and
the hub does, because nothing is settled before its validators have answered. What the validator
says quotes the document; of it only severity, issue type, message id and path are kept.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from hub.contract import Resource
from hub.errors import Issue, ValidatorUnavailable
from hub.fhir.codec import dump_json
from hub.validators.saying import issues, known_type, no_type

_FHIR_JSON: Final = "application/fhir+json"
_ALWAYS: Final = (
    # Ids are the sender's business in a message; unknown extensions are legal; a code's display
    # is the author's word for it; best practice (a narrative everywhere) is no rule.
    ("resourceIdRule", "optional"),
    ("extension", "any"),
    ("checkDisplay", "Ignore"),
    ("bestPractice", "Ignore"),
)
_NEWS_SECONDS: Final = 10.0
_PROBE_SECONDS: Final = 5.0


@dataclass(frozen=True)
class Sidecar:
    """Where it is and how long it may take."""

    url: str
    """The server's base, without a path."""
    seconds: float = 30.0
    """To wait for its turn, and then for its judgement."""
    limit: int = 16
    """Documents judged or waiting, of this process."""
    at_once: int = 2
    """Of them, requests on the wire: one is judged while the next is read."""


class Hl7Validator:
    """A ``hub.ports.Validator``; safe to share between threads."""

    def __init__(self, sidecar: Sidecar) -> None:
        self._sidecar = sidecar
        self._lock = threading.Lock()
        self._waiting = 0
        self._heard = -_NEWS_SECONDS
        self._client = httpx.Client(
            base_url=sidecar.url.rstrip("/"),
            timeout=httpx.Timeout(sidecar.seconds, connect=_PROBE_SECONDS),
            limits=httpx.Limits(max_connections=sidecar.at_once),
            headers={"Accept": _FHIR_JSON},
            trust_env=False,
        )

    def check(self, resources: Iterable[Resource], *, profile: str | None = None) -> list[Issue]:
        """See :class:`hub.ports.Validator`; raises ValidatorUnavailable.

        Several resources are sent in one Bundle, so that references between them are followed;
        with a ``profile`` each is sent by itself.
        """
        given = list(resources)
        places = _places(given)
        # The server takes a data type, or an abstract one, for a resource.
        pairs = list(zip(given, places.values(), strict=True))
        found = [no_type(place) for resource, place in pairs if not known_type(resource)]
        if found:
            return found
        if profile is None and len(given) > 1:
            return list(issues(self._judged(_together(given), None), places))
        for resource, place in pairs:
            found += issues(self._judged(resource, profile), {"": place})
        return found

    def waiting(self) -> int:
        """Documents judged or waiting right now."""
        return self._waiting

    def ready(self) -> None:
        """It answers, or did a moment ago; raises ValidatorUnavailable."""
        if time.monotonic() - self._heard < _NEWS_SECONDS:
            return
        try:
            answer = self._client.get("/version", timeout=_PROBE_SECONDS)
        except httpx.HTTPError as e:
            raise ValidatorUnavailable(_why(e)) from None
        # Which methods it wants for it differs between versions; that it answers is enough.
        if answer.status_code not in {200, 400, 405}:
            raise ValidatorUnavailable(_wrong(answer))
        self._heard = time.monotonic()

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def _judged(self, resource: Resource, profile: str | None) -> Mapping[str, Any]:
        with self._lock:
            if self._waiting >= self._sidecar.limit:
                raise ValidatorUnavailable(
                    f"HL7's validator has {self._waiting} documents waiting; it is tried again"
                )
            self._waiting += 1
        try:
            answer = self._client.post(
                "/validateResource",
                params=[*_ALWAYS, *([("profile", profile)] if profile else [])],
                content=dump_json(resource),
                headers={"Content-Type": _FHIR_JSON},
            )
        except httpx.HTTPError as e:
            raise ValidatorUnavailable(_why(e)) from None
        finally:
            with self._lock:
                self._waiting -= 1
        outcome = _outcome(answer)
        self._heard = time.monotonic()
        return outcome


def _outcome(answer: httpx.Response) -> Mapping[str, Any]:
    """The OperationOutcome; also of a document on which the validator itself failed (500)."""
    if answer.status_code not in {200, 500}:
        raise ValidatorUnavailable(_wrong(answer))
    try:
        # Not the codec: an outcome may quote what the codec refuses in a document.
        read = json.loads(answer.content)
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict) or read.get("resourceType") != "OperationOutcome":
        raise ValidatorUnavailable("HL7's validator answers with something else than an outcome")
    return read


def _wrong(answer: httpx.Response) -> str:
    return f"HL7's validator answers {answer.status_code}; is its address right?"


def _why(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout):
        return "HL7's validator does not answer in time; it is tried again"
    return "HL7's validator cannot be reached; it is tried again"


def _together(resources: list[Resource]) -> Resource:
    entries = [{"fullUrl": url, "resource": r} for url, r in _identified(resources)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _identified(resources: list[Resource]) -> Iterator[tuple[str, Resource]]:
    """Each with an address that references ``Type/id`` lead to; without an id, one of no use."""
    for number, resource in enumerate(resources):
        kind, id = resource.get("resourceType"), resource.get("id")
        nameless = uuid.uuid5(uuid.NAMESPACE_OID, str(number)).urn
        yield f"http://hub.invalid/{kind}/{id}" if isinstance(id, str) else nameless, resource


def _places(resources: list[Resource]) -> dict[str, str]:
    """Path in the Bundle to path from the resource: the second of a type is ``Goal[1]``."""
    seen: dict[str, int] = {}
    places = {}
    for number, resource in enumerate(resources):
        kind = str(resource["resourceType"]) if known_type(resource) else "Resource"
        nth = seen.get(kind, 0)
        seen[kind] = nth + 1
        places[f"Bundle.entry[{number}].resource"] = f"{kind}[{nth}]" if nth else kind
    return places

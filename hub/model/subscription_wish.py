"""A Subscription resource as the Backport guide profiles it, read and checked. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from hub.contract import Resource
from hub.errors import Invalid, Issue
from hub.fhir.dates import range_of
from hub.fhir.numbers import names_a_citizen
from hub.model.reach import Reach
from hub.model.subscription import BACKPORT, CONTENTS, TOPICS, Content, Wish

_PAYLOADS: Final = frozenset({"application/fhir+json", "application/fhir+xml"})
_HEADER = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]+):[ \t]*([\x20-\x7e]*)")
_HUBS_OWN: Final = frozenset(
    {"host", "content-length", "content-type", "transfer-encoding", "connection", "te", "trailer",
     "upgrade", "expect", "idempotency-key"}
)  # fmt: skip
_LONGEST: Final = 366 * 24 * 3600
_EXTENSION: Final = f"{BACKPORT}/StructureDefinition/backport-"


def read_wish(resource: Resource, base: str, reach: Reach) -> Wish:
    """The resource understood; raises Invalid with every issue at once.

    ``base``: this server's own, which references in filters may begin with; ``reach``: where hooks
    may go.
    """
    issues = [*_issues(resource, base, reach)]
    if issues:
        raise Invalid("The Subscription cannot be served", issues=tuple(issues))
    channel = resource["channel"]
    filters = [*_filters(resource, base)]
    period = range_of(str(resource["end"])) if "end" in resource else None
    timeout = _value(channel, "timeout", "valueUnsignedInt")
    content: Content = _value(channel.get("_payload", {}), "payload-content", "valueCode")
    return Wish(
        topic=resource["criteria"],
        channel=channel["type"],
        endpoint=channel["endpoint"],
        payload=channel["payload"],
        content=content,
        headers=tuple(_headers(channel)),
        patients=_all_of(filters, "patient"),
        ids=_all_of(filters, "_id"),
        heartbeat=_value(channel, "heartbeat-period", "valueUnsignedInt"),
        timeout=float(timeout) if timeout else None,
        ends_at=period.low if period else None,
    )


def with_default_content(resource: Resource) -> Resource:
    """``id-only`` where nothing is asked for: the profile wants it said."""
    channel = resource.get("channel")
    if not isinstance(channel, dict) or "payload" not in channel:
        return resource
    beside = channel.get("_payload")
    known = beside if isinstance(beside, dict) else {}
    if any(True for _ in _extensions(known, "payload-content")):
        return resource
    said = {"url": f"{_EXTENSION}payload-content", "valueCode": "id-only"}
    extension = [*known.get("extension", ()), said]
    return resource | {"channel": channel | {"_payload": known | {"extension": extension}}}


def _issues(resource: Resource, base: str, reach: Reach) -> Iterator[Issue]:
    channel = resource["channel"]
    if resource.get("criteria") not in TOPICS:
        known = ", ".join(TOPICS)
        yield Issue("error", "not-supported", f"Name a topic: {known}", "Subscription.criteria")
    if resource.get("status") == "error":
        yield Issue("error", "business-rule", "Ask for requested, active or off; error is the "
                    "server's to say", "Subscription.status")  # fmt: skip
    yield from _channel_issues(channel, reach)
    if "end" in resource and range_of(str(resource["end"])) is None:
        yield Issue("error", "value", "Not an instant", "Subscription.end")
    if _numbers_in({k: v for k, v in resource.items() if k != "id"}):
        text = "No citizen's number may stand in a Subscription; use the hub's Patient id"
        yield Issue("error", "business-rule", text, "Subscription")
    for _, values, wrong in _filters(resource, base):
        if wrong or not values:
            text = "Filter by patient or _id, such as CarePlan?patient=Patient/<id>"
            yield Issue("error", "not-supported", text, "Subscription.criteria.extension")


def _channel_issues(channel: Mapping[str, Any], reach: Reach) -> Iterator[Issue]:
    place = "Subscription.channel"
    if channel.get("type") not in {"rest-hook", "message"} or any(
        True for _ in _extensions(channel.get("_type", {}), "channel-type")
    ):
        yield Issue("error", "not-supported", "Choose rest-hook or message", f"{place}.type")
    yield from _endpoint_issues(channel, reach)
    if channel.get("payload") not in _PAYLOADS:
        text = "Choose application/fhir+json or application/fhir+xml"
        yield Issue("error", "not-supported", text, f"{place}.payload")
    if _value(channel.get("_payload", {}), "payload-content", "valueCode") not in CONTENTS:
        text = f"Choose {', '.join(CONTENTS)} (backport-payload-content)"
        yield Issue("error", "not-supported", text, f"{place}.payload.extension")
    for name in ("heartbeat-period", "timeout"):
        asked = _value(channel, name, "valueUnsignedInt")
        if asked is not None and not (isinstance(asked, int) and 0 < asked <= _LONGEST):
            yield Issue("error", "value", f"Give whole seconds ({name})", f"{place}.extension")
    for line in channel.get("header", ()):
        found = _HEADER.fullmatch(line) if isinstance(line, str) else None
        if found is None or found[1].lower() in _HUBS_OWN or found[1].lower().startswith("ki-"):
            text = "A header is 'Name: value', and none that the hub sets itself"
            yield Issue("error", "value", text, f"{place}.header")


def _endpoint_issues(channel: Mapping[str, Any], reach: Reach) -> Iterator[Issue]:
    endpoint = channel.get("endpoint")
    place = "Subscription.channel.endpoint"
    if not isinstance(endpoint, str) or not re.fullmatch(r"https?://[\x21-\x7e]+", endpoint):
        yield Issue("error", "value", "Give an http or https URL", place)
    elif "@" in urlsplit(endpoint).netloc or "#" in endpoint:
        text = "Give the URL without user, password and fragment; a secret goes in channel.header"
        yield Issue("error", "value", text, place)
    elif not reach.hook(endpoint):
        text = (
            "This hub does not call that address; give an https URL of a host that its operator "
            "has allowed"
        )
        yield Issue("error", "business-rule", text, place)


def _numbers_in(value: Any) -> bool:
    """A citizen's number, anywhere but in the party's own headers."""
    if isinstance(value, dict):
        return any(_numbers_in(v) for k, v in value.items() if k != "header")
    if isinstance(value, list):
        return any(_numbers_in(v) for v in value)
    return isinstance(value, str) and names_a_citizen(value)


def _headers(channel: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for line in channel.get("header", ()):
        found = _HEADER.fullmatch(line)
        assert found is not None
        yield found[1], found[2].rstrip()


def _filters(resource: Resource, base: str) -> Iterator[tuple[str, frozenset[str], bool]]:
    """Parameter, its values (any of them), and whether it is not understood."""
    kind = TOPICS.get(str(resource.get("criteria")), "")
    for extension in _extensions(resource.get("_criteria", {}), "filter-criteria"):
        text = extension.get("valueString")
        if not isinstance(text, str):
            yield "", frozenset(), True
            continue
        before, mark, query = text.partition("?")
        pairs = parse_qsl(query if mark else before, keep_blank_values=True)
        if (mark and before not in {kind, f"{base}/{kind}"}) or not pairs:
            yield "", frozenset(), True
        for name, joined in pairs:
            wanted = {"patient": "Patient", "subject": "Patient", "_id": kind}.get(name)
            values = [v.removeprefix(f"{base}/").removeprefix(f"{wanted}/")
                      for v in joined.split(",")]  # fmt: skip
            wrong = wanted is None or any(not re.fullmatch(r"[A-Za-z0-9.-]{1,64}", v)
                                          for v in values)  # fmt: skip
            yield ("_id" if name == "_id" else "patient"), frozenset(values), wrong


def _all_of(filters: list[tuple[str, frozenset[str], bool]], name: str) -> frozenset[str] | None:
    """Filters hold together; the values of one are alternatives."""
    found = [values for of, values, _ in filters if of == name]
    return frozenset.intersection(*found) if found else None


def _extensions(element: Any, name: str) -> Iterator[Mapping[str, Any]]:
    """The element's extensions of the Backport guide with that name."""
    listed = element.get("extension", ()) if isinstance(element, dict) else ()
    return (e for e in listed if isinstance(e, dict) and e.get("url") == f"{_EXTENSION}{name}")


def _value(element: Any, name: str, value: str) -> Any:
    found = next(_extensions(element, name), None)
    return found.get(value) if found is not None else None

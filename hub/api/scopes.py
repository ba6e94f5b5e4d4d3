"""Which scope each route needs, as data: a route that is not here is closed to every token.

``Type.letters`` as in SMART App Launch 2 without ``system/``; ``{kind}`` is the type in the
address, ``*`` every type. An empty need: any token that holds. ``docs/security.md`` tells it for
integrators.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from hub.contract import Resource
from hub.errors import HubError
from hub.fhir.interactions import of_entry
from hub.fhir.query import Criterion, Query, parse

ANY: Final = ""
_SUBSCRIPTION: Final = "/fhir/Subscription/{resource_id}"

NEEDS: Final[Mapping[tuple[str, str], str]] = {
    # FHIR. POST /fhir needs what each of its entries needs, see below.
    ("POST", "/fhir"): ANY,
    ("POST", "/fhir/$process-message"): "Document.c",
    ("POST", "/fhir/{kind}"): "{kind}.c",
    ("GET", "/fhir/{kind}"): "{kind}.s",
    ("POST", "/fhir/{kind}/_search"): "{kind}.s",
    ("GET", "/fhir/{kind}/_history"): "{kind}.s",
    ("GET", "/fhir/{kind}/{resource_id}"): "{kind}.r",
    ("PUT", "/fhir/{kind}/{resource_id}"): "{kind}.u",
    ("GET", "/fhir/{kind}/{resource_id}/_history"): "{kind}.r",
    ("GET", "/fhir/{kind}/{resource_id}/_history/{version}"): "{kind}.r",
    ("POST", "/fhir/{kind}/$validate"): ANY,
    ("POST", "/fhir/{kind}/{resource_id}/$validate"): "{kind}.r",
    ("GET", "/fhir/Patient/{resource_id}/$everything"): "*.r",
    ("POST", "/fhir/Patient/{resource_id}/$everything"): "*.r",
    ("GET", "/fhir/CarePlan/{resource_id}/$everything"): "*.r",
    ("POST", "/fhir/CarePlan/{resource_id}/$everything"): "*.r",
    ("GET", "/fhir/CarePlan/{plan_id}/$document"): "*.r",
    ("POST", "/fhir/CarePlan/{plan_id}/$document"): "*.r",
    ("GET", "/fhir/Subscription"): "Subscription.s",
    ("POST", "/fhir/Subscription/_search"): "Subscription.s",
    ("GET", "/fhir/Subscription/_history"): "Subscription.s",
    ("POST", "/fhir/Subscription"): "Subscription.c",
    ("GET", _SUBSCRIPTION): "Subscription.r",
    ("PUT", _SUBSCRIPTION): "Subscription.u",
    ("DELETE", _SUBSCRIPTION): "Subscription.d",
    ("GET", f"{_SUBSCRIPTION}/_history"): "Subscription.r",
    ("GET", f"{_SUBSCRIPTION}/_history/{{version}}"): "Subscription.r",
    ("GET", "/fhir/Subscription/$status"): "Subscription.s",
    ("POST", "/fhir/Subscription/$status"): "Subscription.s",
    ("GET", f"{_SUBSCRIPTION}/$status"): "Subscription.r",
    ("POST", f"{_SUBSCRIPTION}/$status"): "Subscription.r",
    ("GET", f"{_SUBSCRIPTION}/$events"): "Subscription.r",
    ("POST", f"{_SUBSCRIPTION}/$events"): "Subscription.r",
    # Documents, the mailbox, and what people of a unit do.
    ("POST", "/documents/{format}"): "Document.c",
    ("GET", "/messages/{message}"): "Document.r",
    ("POST", "/messages/{message}/entered-in-error"): "Document.u",
    ("GET", "/mailbox"): "Mailbox.s",
    ("GET", "/mailbox/{delivery}"): "Mailbox.r",
    ("POST", "/mailbox/{delivery}/receipt"): "Mailbox.u",
    ("GET", "/plans/{plan}/deliveries"): "Mailbox.s",
    ("POST", "/plans/{plan}/missed"): "Mailbox.u",
    ("GET", "/tasks"): "Task.s",
    ("POST", "/tasks/{task}/seen-to"): "Task.u",
    ("POST", "/deliveries/{delivery}/hand-over"): "Delivery.u",
    ("POST", "/deliveries/{delivery}/forward"): "Delivery.u",
    ("POST", "/deliveries/{delivery}/not-sent"): "Delivery.u",
    ("POST", "/deliveries/{delivery}/accept-losses"): "Delivery.u",
    ("GET", "/plans/{plan}/letters"): "Letter.s",
    ("POST", "/plans/{plan}/letters/{message}/seen-to"): "Letter.u",
    ("POST", "/plans/{plan}/answer-no"): "Proposal.u",
    ("POST", "/citizens/link-number"): "Patient.u",
    ("GET", "/plans/{plan}/access-record"): "AuditEvent.s",
    ("GET", "/plans/{plan}/provenance"): "Provenance.s",
    ("GET", "/proposals"): "Proposal.s",
    ("GET", "/proposals/{proposal}"): "Proposal.r",
    ("POST", "/proposals/{proposal}/accept"): "Proposal.u",
    ("POST", "/proposals/{proposal}/reject"): "Proposal.u",
    ("POST", "/proposals/{proposal}/reword"): "Proposal.u",
    # An operator's client. Opening content is a scope of its own.
    ("GET", "/operations/deliveries"): "Operation.r",
    ("POST", "/operations/deliveries/{delivery}/accept-losses"): "Operation.u",
    ("POST", "/operations/deliveries/{delivery}/entered-in-error"): "Operation.u",
    ("POST", "/operations/messages/{message}/entered-in-error"): "Operation.u",
    ("POST", "/operations/deliveries/preview"): "Operation.r",
    ("POST", "/operations/deliveries/act"): "Operation.u",
    ("GET", "/operations/actions"): "Operation.r",
    ("GET", "/operations/actions/{action}"): "Operation.r",
    ("POST", "/operations/messages/{message}/release"): "Operation.u",
    ("GET", "/operations/dead-letters"): "Operation.r",
    ("GET", "/operations/dead-letters/{letter}"): "Operation.r",
    ("POST", "/operations/dead-letters/preview"): "Operation.r",
    ("POST", "/operations/dead-letters/act"): "Operation.u",
    ("POST", "/operations/dead-letters/{letter}/bytes"): "Content.r",
    ("POST", "/operations/dead-letters/{letter}/replay"): "Operation.u",
    ("POST", "/operations/dead-letters/{letter}/discard"): "Operation.u",
    ("GET", "/operations/losses"): "Operation.r",
    ("GET", "/operations/plans/{plan}"): "Operation.r",
    ("GET", "/operations/queues"): "Operation.r",
    ("GET", "/operations/parties"): "Operation.r",
    ("GET", "/operations/endpoints"): "Operation.r",
    ("POST", "/operations/endpoints/reset"): "Operation.u",
    ("GET", "/operations/messages"): "Operation.r",
    ("GET", "/operations/messages/{message}"): "Operation.r",
    ("POST", "/operations/messages/{message}/bytes"): "Content.r",
    ("POST", "/operations/parties/{party}/pause"): "Operation.u",
    ("POST", "/operations/parties/{party}/resume"): "Operation.u",
    ("GET", "/operations/subscriptions"): "Operation.r",
    ("GET", "/operations/subscriptions/{subscription}"): "Operation.r",
    ("POST", "/operations/subscriptions/{subscription}/suspend"): "Operation.u",
    ("POST", "/operations/subscriptions/{subscription}/resume"): "Operation.u",
    ("GET", "/operations/audit"): "AuditEvent.s",
    ("GET", "/metrics"): "Metrics.r",
}

_LETTERS: Final = {"GET": "r", "POST": "c", "PUT": "u"}


def needed(method: str, path: str, kind: str) -> str | None:
    """What a route needs, by its path as it is declared; None for one that is not listed."""
    found = NEEDS.get(("GET" if method == "HEAD" else method, path))
    return None if found is None else found.replace("{kind}", kind)


def of_query(query: Query) -> Iterator[str]:
    """What a search needs beyond its own type: what is brought along, and what it asks about."""
    for one in query.includes:
        if one.reverse:
            yield f"{one.source}.s"
        else:
            target = one.target or (one.parameter.target if one.parameter else None)
            yield f"{target or '*'}.r"
    for has in query.has:
        yield f"{has.type}.s"
        yield from _of_chain(has.inner)
    for criterion in query.criteria:
        yield from _of_chain(criterion)


def _of_chain(criterion: Criterion) -> Iterator[str]:
    for kind, inner in criterion.chain.items():
        yield f"{kind}.s"
        yield from _of_chain(inner)


def of_bundle(bundle: Resource, base: str) -> Iterator[str]:
    """What the entries of a transaction or batch need; one that is none is answered as such."""
    entries = bundle.get("entry")
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        yield from _of_entry(entry, number, base)


def _of_entry(entry: Any, number: int, base: str) -> Iterable[str]:
    try:
        one = of_entry(entry, number, base)
        if one.method != "GET":
            own = [f"{one.kind}.{_LETTERS[one.method]}"]
            return own + ([f"{one.kind}.s"] if one.if_none_exist else [])
        if one.id:
            return [f"{one.kind}.r"]
        return [f"{one.kind}.s", *of_query(parse(one.kind, parse_qsl(one.query)))]
    except HubError:
        return []

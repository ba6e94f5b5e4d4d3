"""The receiver's own last order, re-issued with other parties' efforts "til orientering".

Only the municipality may make an order, so its own entries stay as they are in content; the hub
adds RelatedCarePlan entries, and replaces those of an earlier issue. The header says who sends
now: the plan's lead's unit, to the municipality.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from adapters.vum import parts, units
from adapters.vum.account import account
from adapters.vum.local import to_local
from adapters.vum.message import Entry, Message, as_written
from adapters.vum.parse import read_order
from adapters.vum.related import Related, related_plans
from adapters.vum.roles import is_of_others
from adapters.vum.urls import profile
from hub.codes import LocalCodes
from hub.contract import Context, Notice, Party, PlanView, Receipt, Rendered, SourceDocument
from hub.errors import CannotRender, InputRefused
from hub.fhir.codec import dump_json
from hub.fhir.reading import PlanReader
from hub.fhir.wire import JSON, XML, is_xml, read
from hub.fhir.xml import to_xml

FORMAT: Final = "vum"


@dataclass(frozen=True)
class _Own:
    """The receiver's own order, made ready to be sent again."""

    message: Message
    kept: tuple[Entry, ...]
    urls: dict[int, str]
    """Entry index to its fullUrl in the re-issue."""


def render(content: PlanView | Notice | Receipt, receiver: Party, context: Context) -> Rendered:
    """The receiver's order with what others do.

    Raises CannotRender for anything but a plan for a municipality that has sent an order of its
    own about the same citizen.
    """
    if not isinstance(content, PlanView):
        raise CannotRender("An FFB order carries a plan only; use ki-notice or fhir for this")
    if content.own is None or content.own.format != FORMAT:
        raise CannotRender(
            "The receiver has sent no FFB order of its own, and only it may make one; "
            "use medcom-carecommunication or fhir for it"
        )
    try:
        document = read(content.own.body, content.own.media_type)
        message, _ = read_order(document, context.local)
    except InputRefused as e:
        raise CannotRender("The receiver's own last order can no longer be read") from e
    reader = PlanReader(content.resources)
    _same_citizen(message, reader)
    own = _own(message, as_written(document), context)
    citizen = own.urls[message.of("citizen")[0].index]
    related = related_plans(content, reader, citizen, lambda key: context.id_for(f"vum/{key}"))
    bundle, message_id = _bundle(own, related, receiver, context)
    _conforms(bundle, context.local)
    losses = (*related.losses, *account(content, reader, related.used))
    body, kind = _written(bundle, content.own)
    return Rendered(body, kind, message_id=message_id, losses=losses)


def _same_citizen(message: Message, reader: PlanReader) -> None:
    """Two citizens in one message would disclose one to the other's case."""
    numbers = {n.value for n in parts.citizen_ids(message.of("citizen")[0])}
    if reader.cpr not in numbers:
        raise CannotRender("The receiver's own order is about another citizen than the plan")


def _own(message: Message, written: Sequence[Entry], context: Context) -> _Own:
    """The receiver's entries without those of others' plans, each with an absolute fullUrl.

    The message tells what they are; they are sent again as they were written.
    """
    own = (e for e in message.entries[1:] if not is_of_others(message, e))
    kept = tuple(written[e.index] for e in own)
    urls = {
        e.index: e.full_url
        if ":" in e.full_url
        else f"urn:uuid:{context.id_for(f'vum/own/{e.full_url}')}"
        for e in kept
    }
    return _Own(message, kept, urls)


def _bundle(
    own: _Own, related: Related, receiver: Party, context: Context
) -> tuple[dict[str, Any], str]:
    order = own.message.of("orderCarePlan")[0]
    header_id = context.id_for("vum/message-header")
    header = _header(own, related, receiver, context)
    entries = [{"fullUrl": f"urn:uuid:{header_id}", "resource": {**header, "id": header_id}}]
    for entry in own.kept:
        resource = _readdressed(own, entry.resource)
        if entry.index == order.index:
            info = [*resource.get("supportingInfo", ()), *({"reference": u} for u in related.plans)]
            resource = {**resource, **({"supportingInfo": info} if info else {})}
        if ":" not in entry.full_url and "id" not in resource:
            resource = {**resource, "id": entry.key}
        entries.append({"fullUrl": own.urls[entry.index], "resource": resource})
    added = related.entries
    if context.local is not None:
        added = [to_local(entry, context.local) for entry in added]
    entries += added
    bundle = {
        "resourceType": "Bundle",
        "id": context.id_for("vum/bundle"),
        "meta": {"profile": [profile("orderMessage")]},
        "type": "message",
        "timestamp": context.now.isoformat(timespec="seconds"),
        "entry": entries,
    }
    return bundle, header_id


def _header(own: _Own, related: Related, receiver: Party, context: Context) -> dict[str, Any]:
    """The own header with the ends turned: from the lead's unit to the municipality."""
    header = own.message.header.resource
    back = own.message.find(header.get("sender"))
    to = (
        own.urls[back.index]
        if back is not None and back.index in own.urls
        else related.add(f"Party/{receiver.id}/end", units.messaging_organization(receiver))
    )
    sender = units.messaging_organization(context.sender)
    endpoint = header.get("source", {}).get("endpoint")
    return {
        **_readdressed(own, {k: v for k, v in header.items() if k != "destination"}),
        "source": {"endpoint": context.base_url},
        "destination": [
            {**({"endpoint": endpoint} if endpoint else {}), "receiver": {"reference": to}}
        ],
        "sender": {"reference": related.add(f"Party/{context.sender.id}/end", sender)},
    }


def _readdressed(own: _Own, resource: dict[str, Any]) -> dict[str, Any]:
    """A copy whose references name the new fullUrls; those to the hub's old entries are gone."""
    copied = deepcopy(resource)
    gone = {e.index for e in own.message.entries if is_of_others(own.message, e)}
    info = copied.get("supportingInfo")
    if isinstance(info, list):
        kept = [
            link for link in info if (e := own.message.find(link)) is None or e.index not in gone
        ]
        copied = {k: v for k, v in copied.items() if k != "supportingInfo"}
        copied |= {"supportingInfo": kept} if kept else {}
    for reference in _references(copied):
        target = own.message.find(reference)
        if target is not None and target.index in own.urls:
            reference["reference"] = own.urls[target.index]
    return copied


def _references(value: Any) -> Iterable[dict[str, Any]]:
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value
        for member in value.values():
            yield from _references(member)
    elif isinstance(value, list):
        for member in value:
            yield from _references(member)


def _written(bundle: dict[str, Any], own: SourceDocument) -> tuple[bytes, str]:
    """The message in JSON or XML, as the receiver's own order was, and its media type."""
    if is_xml(own.body, own.media_type):
        return to_xml(bundle), XML[0]
    return dump_json(bundle), JSON[0]


def _conforms(bundle: dict[str, Any], local: LocalCodes | None) -> None:
    """What is sent is read back by the same rules as what comes in."""
    try:
        read_order(bundle, local)
    except InputRefused as e:
        places = ", ".join(i.expression or "" for i in e.issues)
        raise CannotRender(f"The re-issued order breaks its profile at {places}") from e

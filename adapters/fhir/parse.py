"""The canonical Bundle or Consent, understood: checked, given hub ids, put in order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.dk_core import CITIZEN_SYSTEMS
from adapters.fhir.decision import read_decision
from adapters.fhir.document import SHARED, Document, identifiers, read_document
from adapters.fhir.identity import Identity, identify
from adapters.fhir.normal import normal_plan, normal_resource
from adapters.fhir.rules import check, has_error, refused
from adapters.fhir.terms import EVENT_SYSTEM
from hub.contract import (
    CitizenRef,
    Context,
    Identifier,
    Loss,
    Parsed,
    PlanUpdate,
    RawMessage,
    Receipt,
    Resource,
)
from hub.errors import Invalid, Issue, Malformed, Unsupported
from hub.fhir import names
from hub.fhir.bundles import Entry, entries, reachable, rewritten
from hub.fhir.extract import extension_value, has_code
from hub.fhir.kinds import declaring, undeclared
from hub.fhir.wire import read

_SENDER = "Bundle.entry[0].resource.sender"


def parse(message: RawMessage, context: Context) -> Parsed:
    """What the document says.

    It is validated as it came, every part held to its KI profile; if it is legal R4, the rules
    that speak of several resources at once are asked as well. Raises Malformed (not legal R4),
    UnknownCode, Unsupported or Invalid, with every issue.
    """
    document = read(message.body, message.media_type)
    told = tuple(context.check(declaring(document)))
    if has_error(told) and has_error(context.check(undeclared(document))):
        raise refused(Malformed, "The document is not legal FHIR R4", told)
    kind = document.get("resourceType")
    if kind == "Consent":
        return read_decision(document, context, told)
    if kind != "Bundle":
        place = str(kind or "resourceType")
        raise Unsupported("Send a Bundle with one plan, or one Consent", at=place)
    if document["type"] == "message":
        header = _header(document)
        if "response" in header:
            if has_error(told):
                raise refused(Invalid, "The receipt breaks a rule", told)
            return _receipt(document, header)
        return _update(document, context, header, told)
    if document["type"] != "collection":
        raise Unsupported("Send a Bundle of type collection or message", at="Bundle.type")
    return _update(document, context, None, told)


def _header(bundle: Mapping[str, Any]) -> Resource:
    found = entries(bundle)
    first: Resource = found[0].resource if found else {}
    if first.get("resourceType") != "MessageHeader":
        text = "The first entry of a message is its MessageHeader (bdl-12)"
        raise Malformed(text, at="Bundle.entry[0].resource")
    event = first.get("eventCoding", {})
    if (event.get("system"), event.get("code")) != (EVENT_SYSTEM, "plan-update"):
        place = "Bundle.entry[0].resource.eventCoding"
        raise Unsupported("Only the event plan-update is understood here", at=place)
    return first


def _receipt(bundle: Mapping[str, Any], header: Resource) -> Receipt:
    response = header["response"]
    outcomes = {"ok": "ok", "transient-error": "transient", "fatal-error": "permanent"}
    sender = header.get("sender", {}).get("identifier", {})
    claimed = (
        (Identifier(sender["system"], sender["value"]),)
        if sender.get("system") and sender.get("value")
        else ()
    )
    return Receipt(
        of=str(response["identifier"]),
        outcome=outcomes[response["code"]],  # type: ignore[arg-type]
        issues=tuple(_reported(bundle)),
        claimed_sender=claimed,
        claimed_at=_SENDER,
    )


def _reported(bundle: Mapping[str, Any]) -> list[Issue]:
    """The receiver's findings: severity, code and place; its free text stays in the message."""
    return [
        Issue(found["severity"], found["code"], "Reported by the receiver", place)
        for entry in bundle.get("entry", ())
        if entry.get("resource", {}).get("resourceType") == "OperationOutcome"
        for found in entry["resource"]["issue"]
        for place in (next(iter(found.get("expression", ())), None),)
    ]


def _update(
    bundle: Mapping[str, Any], context: Context, header: Resource | None, told: tuple[Issue, ...]
) -> PlanUpdate:
    document = read_document(bundle)
    issues = (*told, *check(document))
    if has_error(issues):
        raise refused(Invalid, "The plan breaks a rule of the KI-plan", issues)
    identity = identify(document, context)
    resources = _resources(document, identity, context)
    plan_key = identity.key(document.plan)
    kept = reachable(resources, [plan_key])
    _one_plan(resources, kept, plan_key)
    claimed, claimed_at = _claimed(document, header, identity.plan_id)
    own_version = document.plan.resource.get("meta", {}).get("versionId")
    return PlanUpdate(
        part=document.part,
        citizen=_citizen(document),
        resources=tuple(r for k, r in resources.items() if k in kept),
        case=document.case,
        plan_id=identity.plan_id,
        base_version=_base_version(document.plan.resource, identity.plan_id, own_version),
        complete=True,
        ordered=True,
        claimed_sender=claimed,
        claimed_at=claimed_at,
        issues=issues,
        losses=tuple(_left_out(document, identity, kept)),
        validated=True,
        places={identity.key(e): e.path for e in document.index.entries},
    )


def _resources(document: Document, identity: Identity, context: Context) -> dict[str, Resource]:
    """Every entry under its hub key, references rewritten, the plan first."""
    ordered = [document.plan, *(e for e in document.index.entries if e is not document.plan)]
    found = {}
    for entry in ordered:
        key = identity.key(entry)
        made = normal_resource(entry.resource, key.split("/")[1])
        if entry is document.plan:
            made = normal_plan(made, lambda n: identity.activity_id(n, context))
        found[key] = rewritten(made, identity.references_from(entry))
    return found


def _one_plan(resources: Mapping[str, Resource], kept: set[str], plan_key: str) -> None:
    others = [k for k in kept if k.startswith("CarePlan/") and k != plan_key]
    if others:
        text = "A plan does not refer to another plan; a sector plan says partOf"
        raise Invalid(text, at="Bundle.entry")


def _citizen(document: Document) -> CitizenRef:
    found = [i for i in identifiers(document.patient) if i.system in CITIZEN_SYSTEMS]
    return CitizenRef(tuple(found))


def _base_version(plan: Resource, plan_id: str | None, own: str | None) -> int | None:
    stated = extension_value(plan, names.BASE_VERSION)
    if isinstance(stated, int) and not isinstance(stated, bool):
        return stated
    if plan_id is not None and own is not None and own.isascii() and own.isdigit():
        return int(own)
    return None


def _claimed(
    document: Document, header: Resource | None, plan_id: str | None
) -> tuple[tuple[Identifier, ...], str]:
    """Who the document says sent it, and where.

    A message says so itself. Otherwise a first publication comes from the unit of its author;
    but a document written on the hub's own plan may be anyone's proposal, and its author still
    is the lead: it claims no sender.
    """
    if header is not None and "sender" in header:
        sender = header["sender"]
        direct = sender.get("identifier", {})
        if direct.get("system") and direct.get("value"):
            return (Identifier(direct["system"], direct["value"]),), _SENDER
        entry = document.follow(sender, document.index.entries[0])
        return identifiers(document.unit_of(entry)), _SENDER
    author = f"{document.plan.path}.author"
    if document.part == SHARED and plan_id is not None:
        return (), author
    return identifiers(document.unit_of(document.author)), author


def _left_out(document: Document, identity: Identity, kept: set[str]) -> list[Loss]:
    """What of the document is not in the update, in document order."""
    found = []
    for entry in document.index.entries:
        kind = entry.resource["resourceType"]
        if kind == "MessageHeader":
            continue
        if identity.key(entry) not in kept:
            found.append(Loss(entry.path, "dropped", _why(entry)))
        elif "text" in entry.resource:
            reason = "a narrative is not kept: it may say more than each receiver may see"
            found.append(Loss(f"{entry.path}.text", "dropped", reason))
    return found


def _why(entry: Entry) -> str:
    kind = entry.resource["resourceType"]
    if kind == "CarePlan" and not has_code(
        entry.resource.get("category", ()), names.CATEGORY, "ki-plan"
    ):
        return "another plan is changed only by its owner, in a message of its own"
    if kind == "Consent":
        return "a consent or approval is sent by itself"
    if kind in {"Provenance", "AuditEvent"}:
        return "the hub keeps its own record of who did what"
    return "nothing in the plan refers to it"

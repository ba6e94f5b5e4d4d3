"""One document from one format to another, without server or store. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID, uuid5

from hub.codes import LocalCodesOf, no_local_codes
from hub.contract import (
    Adapter,
    Audience,
    Check,
    Context,
    Identifier,
    Loss,
    Parsed,
    Party,
    PlanUpdate,
    PlanView,
    Printer,
    RawMessage,
    Resource,
    SourceDocument,
)
from hub.errors import CannotRender, Issue, Unsupported
from hub.fhir import names
from hub.mapping.trace import passed_on, traced
from hub.model.alone import is_alone
from hub.model.party import CITIZEN
from hub.model.plan import SHARED, identifiers
from hub.model.reduction import shareable
from hub.ports import audiences_of
from hub.services.media import media_type_of

_IDS = UUID("7d0f3a6e-9c0b-5f0e-8a57-1f6f0a3c2b11")
"""Namespace of ids made outside a hub: a fixed, random UUID."""

_CANONICAL = "fhir"

THE_CITIZEN = Party(CITIZEN, "Borgeren", "citizen", "")
"""The receiver of the citizen's own copy."""


@dataclass(frozen=True)
class Translation:
    """The receiver's document, and what it does not say that the source did."""

    body: bytes
    media_type: str
    losses: tuple[Loss, ...]
    """In order: not carried in, declared not to be shared, kept by an owner, not carried out."""
    issues: tuple[Issue, ...] = ()
    """Warnings about the source; it was translated all the same."""
    resources: Mapping[str, Resource] = field(default_factory=dict)
    """The view it was written from, ``Type/id`` to resource."""
    own: SourceDocument | None = None
    """The receiver's own document that was re-issued or enclosed."""


def translate(
    source: bytes,
    source_adapter: Adapter,
    target_adapter: Adapter,
    *,
    sender: Party,
    receiver: Party,
    now: datetime,
    printer: Printer | None,
    own: SourceDocument | None,
    check: Check,
    parties: Iterable[Party] = (),
    local: LocalCodesOf = no_local_codes,
) -> Translation:
    """The source as the receiver would get it; equal input gives equal bytes.

    ``own`` is the receiver's own last document in the target format, ``check`` the validator.
    ``local`` gives the parties' own codes, ``parties`` the units that can be recognised besides
    sender and receiver. Whether the law permits the exchange is not asked: nothing leaves this
    function but its result. The receiver :data:`THE_CITIZEN` gets the citizen's own version.
    Raises an InputRefused for the source, CannotRender for the target.
    """
    audience: Audience = "citizen" if receiver.id == CITIZEN else "party"
    if audience not in audiences_of(target_adapter):
        raise CannotRender("This format has no version for the citizen")
    known = [sender, receiver, *parties]
    context = traced(context_of(sender, now=now, printer=printer, parties=known, check=check))
    reading = replace(context, local=local(sender.id, source_adapter.format))
    update = read_plan(source, source_adapter, reading)
    mine = receiver.id == sender.id
    if is_alone(update.part):
        _as_itself_only(source_adapter.format, target_adapter.format, mine=mine)
    resources = _by_key(update)
    kept_back: tuple[Loss, ...] = ()
    if not mine:
        resources, kept_back = shareable(resources, owned_by(receiver, resources))
    resources = passed_on(resources)
    if own is None and mine and source_adapter.format == target_adapter.format:
        kind = media_type_of(source_adapter, source)
        own = SourceDocument(source_adapter.format, source, kind)
    lead = _lead(update, context)
    view = _view(update, resources, own, format=source_adapter.format, mine=mine, lead=lead)
    view = replace(view, audience=audience)
    writing = replace(context, local=local(receiver.id, target_adapter.format))
    rendered = target_adapter.render(view, receiver, writing)
    return Translation(
        body=rendered.body,
        media_type=rendered.media_type,
        losses=(*update.losses, *update.not_shared, *kept_back, *rendered.losses),
        issues=update.issues,
        resources=resources,
        own=own,
    )


def _as_itself_only(source: str, target: str, *, mine: bool) -> None:
    """A plan that stands alone never looks like a part of a shared plan, and stays where it is."""
    if not mine:
        raise CannotRender("A plan of this kind is shown to nobody but the unit that made it")
    if target not in {source, _CANONICAL}:
        raise CannotRender("A plan of this kind is rendered as itself only, never as a KI-plan")


def _view(
    update: PlanUpdate,
    resources: Mapping[str, Resource],
    own: SourceDocument | None,
    *,
    format: str,
    mine: bool,
    lead: Party | None,
) -> PlanView:
    first = update.resources[0]
    # What the owner gets back is its own document; of its other plans that tells nothing.
    theirs = mine and update.part != SHARED and (own is None or own.format == format)
    return PlanView(
        plan_id=update.plan_id or str(first["id"]),
        version=update.base_version or 1,
        resources=resources,
        # A decision of the citizen's is no part of a document: nothing here can know of one.
        approved=False,
        lead=lead,
        own=own,
        own_part=f"CarePlan/{first['id']}" if theirs else None,
    )


def _by_key(update: PlanUpdate) -> dict[str, Resource]:
    return {f"{r['resourceType']}/{r['id']}": r for r in update.resources}


def read_plan(source: bytes, adapter: Adapter, context: Context) -> PlanUpdate:
    """The plan content of a document; Unsupported if it is of another kind."""
    found = read_any(source, adapter, context)
    if not isinstance(found, PlanUpdate):
        raise Unsupported("The document is no plan; only plans are translated")
    return found


def read_any(source: bytes, adapter: Adapter, context: Context) -> Parsed:
    """What a document says; Unsupported for a format that nothing comes in."""
    if not adapter.media_types:
        raise Unsupported("Nothing comes in in this format; it is for receivers only")
    message = RawMessage(
        sender=context.sender,
        format=adapter.format,
        body=source,
        media_type=media_type_of(adapter, source),
        message_id=f"sha256:{hashlib.sha256(source).hexdigest()}",
        received_at=context.now,
    )
    return adapter.parse(message, context)


def context_of(
    sender: Party,
    *,
    now: datetime,
    printer: Printer | None,
    parties: Iterable[Party],
    check: Check,
) -> Context:
    """A context whose ids depend on the sender and the key alone."""
    return Context(
        now=now,
        id_for=lambda key: str(uuid5(_IDS, f"{sender.id}\n{key}")),
        find_party=party_finder(parties),
        sender=sender,
        base_url=names.BASE,
        check=check,
        printer=printer,
    )


def party_finder(
    parties: Iterable[Party],
) -> Callable[[tuple[Identifier, ...]], Party | None]:
    """Finds a unit by an identifier that names a unit; CVR and kommunekode never do."""
    known: dict[Identifier, Party] = {}
    for party in parties:
        for identifier in party.identifiers:
            if identifier.system in names.UNIT_SYSTEMS:
                known.setdefault(identifier, party)

    def find(wanted: tuple[Identifier, ...]) -> Party | None:
        plain = (
            replace(i, system=names.GLN) if i.system in names.GLN_ALIASES else i for i in wanted
        )
        return next((known[i] for i in plain if i in known), None)

    return find


def owned_by(viewer: Party, resources: Mapping[str, Resource]) -> Callable[[Resource], bool]:
    """Tells of a sector plan whether its author's unit is the viewer."""
    find = party_finder([viewer])
    return lambda plan: find(_unit(plan, resources)) is not None


def _lead(update: PlanUpdate, context: Context) -> Party | None:
    if update.part != SHARED:
        return None
    return context.find_party(_unit(update.resources[0], _by_key(update)))


def _unit(plan: Resource, resources: Mapping[str, Resource]) -> tuple[Identifier, ...]:
    """Identifiers of the unit that a plan's author is, or works for."""
    reference = plan.get("author", {}).get("reference", "")
    author = resources.get(reference, {})
    if author.get("resourceType") == "PractitionerRole":
        author = resources.get(author.get("organization", {}).get("reference", ""), {})
    return identifiers(author)

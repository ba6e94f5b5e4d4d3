"""A document that stands alone, made for one of its parties and frozen.

What it holds is what its owner marked for others, as it is looked up; the statute is asked once
more in the transaction that commits the bytes. Everything after that is as for every delivery.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from hub.contract import PlanView, Rendered, Resource
from hub.errors import CannotRender
from hub.model.delivery import State
from hub.model.party import SYSTEM, Directory, RegisteredParty
from hub.model.records import Delivery, Part
from hub.ports import carries_alone
from hub.services.again import audit_disclosure
from hub.services.attempts import ACTOR, subscription_of
from hub.services.document_route import follow_document
from hub.services.documents import as_sent, digest_of, reached, told_by, why_not_document
from hub.services.gate import stopped
from hub.services.holding import held_back
from hub.services.hub import Hub
from hub.services.outgoing import conforming
from hub.store.work import UnitOfWork


def freeze_document(hub: Hub, delivery: Delivery, token: str) -> Delivery | None:
    """Make it and commit its bytes; None if it is not to be sent now."""
    with hub.store.reading() as work:
        part = work.documents.get(delivery.document)
        registered = work.parties.get(delivery.receiver)
        directory = work.parties.directory()
        content = as_sent(work, part) if part is not None else {}
        current = part is not None and digest_of(content) == delivery.digest
    made = None
    if part is not None and registered is not None and current:
        made = _rendered(hub, delivery, part, registered, directory, content)
    now = hub.clock()
    with hub.store.writing() as work:
        goes = _frozen(hub, work, delivery, made, token, now)
        frozen = work.deliveries.get(delivery.id, SYSTEM, body=True) if goes else None
        work.commit()
    return frozen


def _frozen(
    hub: Hub, work: UnitOfWork, delivery: Delivery, made: Rendered | None, token: str, now: datetime
) -> bool:
    """Decide in the caller's transaction; True if it may have left from its commit on."""
    part = work.documents.lock(delivery.document)
    current = work.deliveries.lock(delivery.id, token)
    assert part is not None
    if current is None or current.state is not State.DUE:
        return False
    directory = work.parties.directory()
    refused = why_not_document(work, current, now)
    content = as_sent(work, part)
    if refused:
        work.deliveries.move(current, State.CANCELLED, refused, ACTOR, now)
        audit_disclosure(work, current, now, "denied", reason=refused)
    elif made is None or digest_of(content) != current.digest or stopped(work, current.receiver):
        # Something changed while it was made: decide anew.
        work.deliveries.release(current.id)
        follow_document(hub, work, part, directory, actor=ACTOR)
    elif not held_back(hub, work, current, work.parties.get(current.receiver), made.losses):
        basis = reached(work, part, directory, now)[current.receiver]
        _write(work, current, made, told_by(work, part, content), basis, now)
        work.deliveries.lease(current.id, now + hub.limits.send_lease, token)
        return True
    return False


def _write(
    work: UnitOfWork,
    current: Delivery,
    made: Rendered,
    told: frozenset[str],
    basis: str,
    now: datetime,
) -> None:
    work.deliveries.move(
        current, State.SENDING, "Frozen; on its way", ACTOR, now,
        body=made.body,
        media_type=made.media_type,
        message_id=made.message_id,
        basis=basis,
        sections=sorted(told),
        sequence=work.deliveries.next_sequence(
            "", current.receiver, current.format, document=current.document
        ),
        attempts=current.attempts + 1,
    )  # fmt: skip
    work.losses.add(made.losses, delivery_id=current.id)
    audit_disclosure(work, current, now, "success", basis=basis)


def _rendered(
    hub: Hub,
    delivery: Delivery,
    part: Part,
    registered: RegisteredParty,
    directory: Directory,
    content: Mapping[str, Resource],
) -> Rendered:
    """As itself; raises CannotRender for a format that would make something else of it."""
    adapter = hub.adapters.adapter(delivery.format)
    if not carries_alone(adapter):
        raise CannotRender("A plan of this kind is rendered as itself only, never as a KI-plan")
    owner = directory.get(part.owner)
    assert owner is not None
    subscription = subscription_of(registered, delivery)
    context = hub.context(
        directory, owner, delivery.id,
        options=subscription.options if subscription else {},
        local=hub.local(delivery.receiver, delivery.format),
    )  # fmt: skip
    view = PlanView(part.id, delivery.version, content, approved=False, lead=owner)
    return conforming(hub, adapter.render(view, registered.party, context))

"""A party makes, changes and ends its FHIR Subscriptions. They are nobody else's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from hub.contract import Party, Resource
from hub.errors import InputRefused, Invalid, Issue, NotFound, StaleBase
from hub.model.delivery import State
from hub.model.party import Viewer
from hub.model.subscription import KEEPALIVE, FhirSubscription, Status, Wish
from hub.model.subscription_wish import read_wish, with_default_content
from hub.services.hub import Hub, new_id
from hub.services.subscription_events import begin
from hub.services.subscription_state import SUSPENDED, greet, silence, write
from hub.store.work import UnitOfWork

UNKNOWN: Final = "No such resource is known to you"
MOST: Final = 100
"""Live subscriptions of one party."""


@dataclass(frozen=True)
class Version:
    """One version of the resource, saying which it is."""

    resource: Resource
    number: str
    modified: datetime


@dataclass(frozen=True)
class Found:
    """A subscription with all its versions, the newest first."""

    subscription: FhirSubscription
    versions: Sequence[Version]

    @property
    def newest(self) -> Version:
        """As it stands; of a deleted one, as it stood last."""
        return self.versions[0]


def subscribe(hub: Hub, party: Party, sent: Resource) -> Version:
    """Keep it as requested, and send the handshake; raises InputRefused with every issue."""
    resource, wish = _checked(hub, sent)
    now = hub.clock()
    subscription_id = new_id()
    resource = {"resourceType": "Subscription", "id": subscription_id} | {
        k: v for k, v in resource.items() if k not in {"resourceType", "id"}
    }
    status: Status = "off" if resource.get("status") == "off" else "requested"
    with hub.store.writing() as work:
        if len(work.subscriptions.listing(Viewer.of(party))) >= MOST:
            text = f"You have {MOST} subscriptions; delete one first"
            raise Invalid(text, issues=(Issue("error", "too-costly", text, "Subscription"),))
        made = FhirSubscription(
            id=subscription_id, party=party.id, wish=wish, status=status, error=None, version=0,
            events=0, told_at=None, suspended_by=None, suspended_reason=None, created_at=now,
        )  # fmt: skip
        work.subscriptions.add(made)
        made = write(work, made, resource, now, party.id)
        begin(work, made, now)
        if status == "requested":
            greet(work, made, party.id, now)
        _audit(work, party, "subscribe", made, now)
        work.commit()
    hub.wake.set()
    return find(hub, party, subscription_id).newest


def change(
    hub: Hub, party: Party, subscription_id: str, sent: Resource, expected: str | None
) -> Version:
    """Put another in its place. A changed channel, or one not active, must answer first.

    ``expected``: the version it was written on. Raises NotFound, StaleBase, InputRefused.
    """
    resource, wish = _checked(hub, sent)
    now = hub.clock()
    with hub.store.writing() as work:
        before = _own(work, party, subscription_id)
        if expected is not None and expected != str(before.version):
            raise StaleBase("It was changed since that version; read it again")
        status = _status(before, wish, str(resource.get("status")))
        error = SUSPENDED if before.suspended_by is not None else None
        changed = replace(before, wish=wish, status=status, error=error)
        changed = write(work, changed, resource | {"id": subscription_id}, now, party.id)
        if status == "off" and before.suspended_by is None:
            silence(work, subscription_id, "The subscriber turned it off", party.id, now)
        if _begins_anew(before, changed):
            _drop_events(work, changed, party.id, now)
            work.subscriptions.forget(subscription_id)
            begin(work, changed, now)
        if status == "requested":
            greet(work, changed, party.id, now)
        _audit(work, party, "subscription-change", changed, now)
        work.commit()
    hub.wake.set()
    return find(hub, party, subscription_id).newest


def end(hub: Hub, party: Party, subscription_id: str) -> None:
    """Stop it for good; doing it twice is doing it once. Raises NotFound."""
    now = hub.clock()
    with hub.store.writing() as work:
        before = _own(work, party, subscription_id, deleted=True)
        if before.deleted_at is not None:
            return
        work.subscriptions.save(replace(before, status="off", deleted_at=now))
        silence(work, subscription_id, "The subscriber deleted it", party.id, now)
        _audit(work, party, "subscription-delete", before, now)
        work.commit()


def find(hub: Hub, party: Party, subscription_id: str) -> Found:
    """One with its versions, deleted ones too; raises NotFound."""
    with hub.store.reading() as work:
        found = work.subscriptions.get(subscription_id, Viewer.of(party))
        if found is None:
            raise NotFound(UNKNOWN)
        return _found(work, found, hub.clock())


def own(hub: Hub, party: Party, *, deleted: bool = False) -> list[Found]:
    """All of a party's, oldest first."""
    with hub.store.reading() as work:
        listed = work.subscriptions.listing(Viewer.of(party), deleted=deleted)
        return [_found(work, one, hub.clock()) for one in listed]


def _found(work: UnitOfWork, subscription: FhirSubscription, now: datetime) -> Found:
    stored = work.resources.versions("Subscription", [subscription.id], now)
    versions = []
    for one in reversed(stored):
        number = str(one.key[2])
        head = {k: one.resource[k] for k in ("resourceType", "id")}
        meta = {**one.resource.get("meta", {}), "versionId": number,
                "lastUpdated": one.at.isoformat()}  # fmt: skip
        rest = {k: v for k, v in one.resource.items() if k not in {"resourceType", "id", "meta"}}
        versions.append(Version(head | {"meta": meta} | rest, number, one.at))
    return Found(subscription, versions)


def _checked(hub: Hub, sent: Resource) -> tuple[Resource, Wish]:
    wrong = [i for i in hub.validator.check((sent,)) if i.severity in {"error", "fatal"}]
    if wrong:
        raise InputRefused("The content is not valid FHIR R4", issues=tuple(wrong))
    meta: dict[str, Any] = {k: v for k, v in sent.get("meta", {}).items()
                            if k not in {"versionId", "lastUpdated"}}  # fmt: skip
    resource = {k: v for k, v in sent.items() if k != "meta"} | ({"meta": meta} if meta else {})
    resource = with_default_content(resource)
    return resource, read_wish(resource, hub.base_url, hub.reach)


def _own(
    work: UnitOfWork, party: Party, subscription_id: str, *, deleted: bool = False
) -> FhirSubscription:
    found = work.subscriptions.lock(subscription_id)
    gone = found is not None and found.deleted_at is not None and not deleted
    if found is None or found.party != party.id or gone:
        raise NotFound(UNKNOWN)
    return found


def _status(before: FhirSubscription, wish: Wish, asked: str) -> Status:
    if asked == "off" or before.suspended_by is not None:
        return "off"
    old = before.wish
    same = (wish.channel, wish.endpoint, wish.payload, wish.headers, wish.content) == (
        old.channel, old.endpoint, old.payload, old.headers, old.content
    )  # fmt: skip
    return "active" if before.status == "active" and asked == "active" and same else "requested"


def _begins_anew(before: FhirSubscription, after: FhirSubscription) -> bool:
    """It asks for other events, or none were kept for it while it was off."""
    old, new = before.wish, after.wish
    others = (old.topic, old.patients, old.ids) != (new.topic, new.patients, new.ids)
    was_off = before.status == "off" and before.suspended_by is None
    return others or (was_off and after.status != "off")


def _drop_events(
    work: UnitOfWork, subscription: FhirSubscription, actor: str, now: datetime
) -> None:
    for row in work.deliveries.of_subscription(subscription.id, State.DUE):
        if row.about not in KEEPALIVE:
            text = "The subscription asks for other events now"
            work.deliveries.move(row, State.CANCELLED, text, actor, now)


def _audit(
    work: UnitOfWork, party: Party, action: str, subscription: FhirSubscription, now: datetime
) -> None:
    work.journal.audit(
        now, party.id, action, f"Subscription/{subscription.id}", party=party.id,
        detail=subscription.status,
    )  # fmt: skip

"""``$status`` and ``$events`` of a party's own FHIR Subscriptions."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from hub.contract import Party, Resource
from hub.errors import NotFound
from hub.fhir.notification import Event, Told, notification, status_parameters
from hub.model.party import Viewer
from hub.model.records import Delivery
from hub.model.subscription import Content, FhirSubscription
from hub.services.disclose import disclose
from hub.services.entries import Disclosure
from hub.services.hub import Hub, new_id
from hub.services.sight import Sight
from hub.services.subscription_events import Shown, shown
from hub.services.subscription_send import event_of
from hub.services.subscriptions import UNKNOWN
from hub.store.work import UnitOfWork

MOST: Final = 100
"""Events told of at once; the rest is asked for from the next number."""


def statuses(
    hub: Hub, party: Party, ids: Collection[str] | None, wanted: Collection[str] | None
) -> list[Resource]:
    """The status of each that is asked for, oldest first; None: of all, whatever it is."""
    with hub.store.reading() as work:
        found = work.subscriptions.listing(Viewer.of(party))
    return [
        status_parameters(hub.base_url, told_of(one), "query-status", new_id())
        for one in found
        if (ids is None or one.id in ids) and (wanted is None or one.status in wanted)
    ]


def told_of(one: FhirSubscription) -> Told:
    """What is said of it now."""
    return Told(one.id, one.wish.topic, one.status, one.events, one.error)


def events(
    hub: Hub, party: Party, subscription_id: str, since: int, until: int, content: Content | None
) -> Resource:
    """Past events as they may be read now; both ends included, at most a hundred.

    Of what the party may not know of any more there is the number alone.
    """
    viewer = Viewer.of(party)

    def look(sight: Sight, work: UnitOfWork) -> tuple[Resource, list[Disclosure]]:
        subscription = work.subscriptions.get(subscription_id, viewer)
        if subscription is None or subscription.deleted_at is not None:
            raise NotFound(UNKNOWN)
        level = content or subscription.wish.content
        full = level == "full-resource"
        seen: dict[str, Shown | None] = {}
        found: list[Event] = []
        for one in work.deliveries.events(subscription_id, since, until, MOST):
            if one.about not in seen:
                seen[one.about] = shown(work, sight, one, full=full)
            found.append(_event(one, seen[one.about]))
        bundle = notification(
            hub.base_url, told_of(subscription), "query-event", (new_id(), new_id()),
            hub.clock(), found, silent=level == "empty",
        )  # fmt: skip
        return bundle, [s.why for s in seen.values() if s is not None]

    return disclose(hub, viewer, "events", look)


def _event(delivery: Delivery, found: Shown | None) -> Event:
    assert delivery.event is not None
    return Event(delivery.event) if found is None else event_of(delivery, found.resources)

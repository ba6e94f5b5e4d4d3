"""What an action on many deliveries would do: the exact set, counted, before anything is done."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from hub.errors import Invalid, NotFound
from hub.model.operate import ACTS, Act
from hub.model.party import SYSTEM, Viewer
from hub.model.records import Delivery
from hub.services.hub import Hub, sha256
from hub.services.operate.one import objection_to
from hub.services.operate.standing import States
from hub.services.overview import for_operators
from hub.store.operating import Wanted

_AT_ONCE: Final = 200
"""Deliveries looked at in one transaction."""
SHOWN: Final = 500
"""Deliveries that a preview lists; it counts them all."""


@dataclass(frozen=True)
class Would:
    """What would become of one delivery."""

    delivery: Delivery
    objection: str
    """Why nothing would; empty if it would be done."""


@dataclass(frozen=True)
class Preview:
    """What would be done, oldest first, and what not."""

    act: Act
    wanted: Wanted
    items: tuple[Would, ...]

    @cached_property
    def count(self) -> int:
        """How many it would be done to."""
        return sum(not i.objection for i in self.items)

    @property
    def refused(self) -> int:
        """How many not."""
        return len(self.items) - self.count

    @cached_property
    def objections(self) -> Counter[str]:
        """Why not, and how many."""
        return Counter(i.objection for i in self.items if i.objection)

    @cached_property
    def token(self) -> str:
        """Of exactly this: another set, or another verdict on one of it, has another token."""
        said = [self.act, [[i.delivery.id, i.objection] for i in self.items]]
        return sha256(json.dumps(said).encode())

    @property
    def shown(self) -> tuple[Would, ...]:
        """The first of them, those that would be done before the others."""
        ordered = sorted(self.items, key=lambda i: bool(i.objection))
        return tuple(ordered[:SHOWN])


def preview(hub: Hub, viewer: Viewer, act: Act, wanted: Wanted) -> Preview:
    """Look, and change nothing. Raises Invalid where nothing says which deliveries are meant."""
    for_operators(viewer)
    if not wanted.said():
        raise Invalid("Say which deliveries: nothing is done to all there are")
    for name in ("since", "until"):
        moment = getattr(wanted, name)
        if moment is not None and moment.tzinfo is None:
            raise Invalid("Give the time with its offset from UTC", at=name)
    with hub.store.reading() as work:
        ids = work.operating.chosen(wanted)
    return Preview(act, wanted, tuple(_looked_at(hub, act, ids)))


def possible(hub: Hub, viewer: Viewer, delivery_id: str) -> dict[Act, str]:
    """Every act on one delivery, and why it would not be done now; empty if it would."""
    for_operators(viewer)
    with hub.store.reading() as work:
        delivery = work.deliveries.get(delivery_id, viewer)
        if delivery is None:
            raise NotFound("No such delivery is known to you")
        states = States(work, hub.clock())
        return {act: objection_to(hub, work, act, delivery, states) for act in ACTS}


def _looked_at(hub: Hub, act: Act, ids: list[str]) -> Iterator[Would]:
    for start in range(0, len(ids), _AT_ONCE):
        with hub.store.reading() as work:
            states = States(work, hub.clock())
            for one in ids[start : start + _AT_ONCE]:
                delivery = work.deliveries.get(one, SYSTEM)
                assert delivery is not None
                yield Would(delivery, objection_to(hub, work, act, delivery, states))


def preview_row(found: Preview) -> dict[str, Any]:
    """As API and CLI give it."""
    return {
        "act": found.act,
        "wanted": found.wanted.said(),
        "count": found.count,
        "refused": found.refused,
        "refused_because": dict(found.objections.most_common()),
        "token": found.token,
        "deliveries": [
            {
                "delivery": i.delivery.id,
                "receiver": i.delivery.receiver,
                "plan": i.delivery.plan_id or None,
                "version": i.delivery.version,
                "format": i.delivery.format,
                "state": i.delivery.state.value,
                "reason": i.delivery.reason,
                "refused": i.objection or None,
            }
            for i in found.shown
        ],
    }

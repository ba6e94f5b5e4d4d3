"""An action on many deliveries: begun as rows, then done one by one, by whoever goes on with it.

Each delivery is decided on anew when its turn comes, in a transaction of its own with its audit
row. A crash leaves the rest to the next worker; nothing is done twice.
"""

from __future__ import annotations

from typing import Any, Final

import structlog

from hub.errors import HubError, NotFound, Temporary
from hub.model.operate import Act
from hub.model.party import Viewer
from hub.services.hub import Hub, new_id
from hub.services.kept import kept_reason
from hub.services.operate.as_seen import require_as_seen
from hub.services.operate.choose import SHOWN, Preview, preview
from hub.services.operate.one import Order, do
from hub.services.overview import for_operators
from hub.services.queries import the_one
from hub.store.operating import Action, ActionItem, Outcome, Wanted

LOG = structlog.get_logger()
BATCH: Final = 50
"""Deliveries that one round of a worker does."""


def begin(
    hub: Hub,
    viewer: Viewer,
    act: Act,
    wanted: Wanted,
    *,
    reason: str,
    actor: str | None = None,
    token: str | None = None,
    expect: int | None = None,
) -> str:
    """Write down everything that is to be done; returns the action's id.

    With ``token`` (a preview's) or ``expect`` (how many) nothing is begun if it is not what a
    person saw any more: PreconditionFailed. Raises Invalid for a reason that cannot be kept, and
    where nothing would be done.
    """
    for_operators(viewer)
    why = kept_reason(reason)
    seen = preview(hub, viewer, act, wanted)
    require_as_seen(seen.count, seen.token, token=token, expect=expect)
    by = actor or viewer.id
    action = Action(new_id(), act, wanted.said(), by, why, hub.clock())
    with hub.store.writing() as work:
        work.operating.begin(action, _items(seen))
        work.journal.audit(
            action.created_at, by, "operate", f"action/{action.id}", role="operator", reason=why,
            detail=f"{act}: {seen.count} of {len(seen.items)}",
        )  # fmt: skip
        work.commit()
    hub.wake.set()
    return action.id


def _items(found: Preview) -> list[ActionItem]:
    return [
        ActionItem(n, i.delivery.id, "refused" if i.objection else "waits", i.objection)
        for n, i in enumerate(found.items, start=1)
    ]


def go_on(hub: Hub) -> int:
    """One batch of what is begun and not done; returns how many deliveries."""
    with hub.store.reading() as work:
        open_ = work.operating.unfinished()
    return sum(advance(hub, action_id) for action_id in open_[:1])


def advance(hub: Hub, action_id: str, at_most: int = BATCH) -> int:
    """Do the next ones of the action; returns how many were looked at."""
    with hub.store.reading() as work:
        action = work.operating.action(action_id)
        waiting = work.operating.waiting(action_id, at_most)
    if action is None:
        raise NotFound("No such action is known to you")
    order = Order(action.kind, action.actor, action.reason, action.id)
    for item in waiting:
        _one(hub, order, item)
    if len(waiting) < at_most:
        with hub.store.writing() as work:
            work.operating.finish(action_id, hub.clock())
            work.commit()
    return len(waiting)


def _one(hub: Hub, order: Order, item: ActionItem) -> None:
    try:
        with hub.store.writing() as work:
            if work.operating.take(order.action, item.number):
                done, told = do(hub, work, item.delivery_id, order)
                outcome: Outcome = "done" if done else "refused"
                work.operating.settle(order.action, item.number, outcome, told)
                work.commit()
    except Temporary:
        raise
    except HubError as e:
        _settle(hub, order, item, "refused", e.text)
    except Exception as e:
        # One delivery that breaks the hub must not stop the others; it is told, and is as it was.
        LOG.error("action.failed", delivery=item.delivery_id, error=type(e).__name__)
        _settle(hub, order, item, "failed", f"The hub failed on it ({type(e).__name__})")


def _settle(hub: Hub, order: Order, item: ActionItem, outcome: Outcome, told: str) -> None:
    with hub.store.writing() as work:
        work.operating.settle(order.action, item.number, outcome, told)
        work.commit()


def whole_action_id(hub: Hub, viewer: Viewer, beginning: str) -> str:
    """The id of the action that begins so; NotFound, or Invalid for several."""
    for_operators(viewer)
    with hub.store.reading() as work:
        return the_one(work.operating.beginning(beginning) if beginning else [], "action")


def action_rows(hub: Hub, viewer: Viewer) -> list[dict[str, Any]]:
    """The newest actions, with how far they are."""
    for_operators(viewer)
    with hub.store.reading() as work:
        return [_row(a, work.operating.counts(a.id)) for a in work.operating.actions()]


def action_row(hub: Hub, viewer: Viewer, action_id: str) -> dict[str, Any]:
    """One, with what became of each delivery, those that were not done first."""
    for_operators(viewer)
    with hub.store.reading() as work:
        action = work.operating.action(action_id)
        if action is None:
            raise NotFound("No such action is known to you")
        items = work.operating.items(action_id, SHOWN)
        row = _row(action, work.operating.counts(action_id))
    told = [
        {"delivery": i.delivery_id, "outcome": i.outcome, "told": i.told or None} for i in items
    ]
    return row | {"deliveries": told}


def _row(action: Action, counts: dict[Outcome, int]) -> dict[str, Any]:
    return {
        "action": action.id,
        "act": action.kind,
        "wanted": dict(action.wanted),
        "by": action.actor,
        "reason": action.reason,
        "created_at": action.created_at.isoformat(),
        "done_at": action.done_at.isoformat() if action.done_at else None,
        "waits": counts.get("waits", 0),
        "done": counts.get("done", 0),
        "refused": counts.get("refused", 0),
        "failed": counts.get("failed", 0),
    }

"""What a failed attempt leads to: another one, or the end of it."""

from __future__ import annotations

import structlog

from hub.errors import BusUnavailable, CannotRender, HubError, Temporary
from hub.model.delivery import State
from hub.model.records import Delivery, Task
from hub.sending import Confirm, Endpoint, Outgoing
from hub.services.hub import Hub, repeatable
from hub.services.subscription_state import broken
from hub.store.journal import OPERATOR
from hub.store.work import UnitOfWork

LOG = structlog.get_logger()
ACTOR = "hub"


class _Away(Confirm):
    """Not accepted, because the hub's own broker is away; the receiver is not to blame."""


def outgoing(delivery: Delivery) -> Outgoing:
    """A frozen delivery as a transport gets it."""
    assert delivery.body is not None
    return Outgoing(
        key=delivery.id,
        body=delivery.body,
        media_type=delivery.media_type or "application/octet-stream",
        headers={
            "ki-delivery": delivery.id,
            "ki-format": delivery.format,
            "ki-sequence": str(delivery.sequence),
            "ki-attempt": str(delivery.attempts),
        }
        # What the number counts in; the receiver's own format may have no name for it.
        | ({"ki-plan": delivery.plan_id} if delivery.plan_id else {}),
    )


def hand_over(hub: Hub, name: str, message: Outgoing, endpoint: Endpoint) -> Confirm:
    """Give it to the transport of that name, once; what it said, or why nobody knows."""
    transport = hub.transports.get(name)
    if transport is None:
        raise CannotRender("The receiver's transport is not installed")
    try:
        return transport.send(message, endpoint)
    except BusUnavailable as e:
        return _Away(False, e.text)
    except Temporary as e:
        return Confirm(False, e.text)
    except HubError:
        raise
    except Exception as e:
        # Whether it left is not known, and the cause may pass: the budget of attempts decides.
        LOG.error("transport.broke", delivery=message.key, error=type(e).__name__)
        return Confirm(False, f"The transport failed ({type(e).__name__})")


def retry_or_fail(
    hub: Hub, work: UnitOfWork, delivery: Delivery, reason: str, *, ours: bool = False
) -> None:
    """Schedule the next attempt, or give up when the budget is spent; ``ours`` spends nothing."""
    now = hub.clock()
    spent = min(delivery.attempts, hub.retry.attempts - 1) if ours else delivery.attempts
    at = hub.retry.after_failure(spent, now, hub.random())
    if at is None:
        fail(hub, work, delivery, f"{reason} (every attempt is spent)")
    else:
        work.deliveries.move(delivery, State.RETRY_AT, reason, ACTOR, now, retry_at=at)


def retry_after(hub: Hub, work: UnitOfWork, delivery: Delivery, said: Confirm) -> None:
    """The next attempt after what the transport said.

    While the hub's own broker is away nothing is spent: however long that lasts, nobody's delivery
    dies of it.
    """
    retry_or_fail(hub, work, delivery, said.reason, ours=isinstance(said, _Away))


def fail(hub: Hub, work: UnitOfWork, delivery: Delivery, reason: str) -> None:
    """Permanently: the operator's move, or the subscriber's."""
    now = hub.clock()
    work.deliveries.move(delivery, State.DEAD, reason, ACTOR, now)
    if delivery.subscription:
        broken(work, delivery.subscription, reason, now)
        return
    text = "A delivery could not be made; see its history, mend the cause and send it anew"
    task_id = repeatable("task", "dead", delivery.id)
    work.journal.open_task(
        Task(task_id, "dead", OPERATOR, text, delivery.plan_id or None, delivery.id, None, now)
    )

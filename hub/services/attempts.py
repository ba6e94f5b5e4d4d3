"""What a failed attempt leads to: another one, or the end of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from hub.errors import BusUnavailable, CannotRender, HubError, StoreUnavailable, Temporary
from hub.model.delivery import State
from hub.model.party import RegisteredParty, Subscription
from hub.model.records import Delivery, Task
from hub.model.retry import RetryPolicy, Spent, began
from hub.sending import Confirm, Outgoing, Transport
from hub.services.hub import Hub, repeatable
from hub.services.subscription_state import broken
from hub.store.journal import OPERATOR
from hub.store.work import UnitOfWork

LOG = structlog.get_logger()
ACTOR = "hub"


class _Away(Confirm):
    """Not accepted, because the hub's own broker or database is away; nobody else is to blame."""


def is_ours(confirm: Confirm) -> bool:
    """What failed is the hub's own: it says nothing of the receiver."""
    return isinstance(confirm, _Away)


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
        | ({"ki-plan": delivery.plan_id} if delivery.plan_id else {})
        | ({"ki-document": delivery.document} if delivery.document else {}),
    )


def transport_of(hub: Hub, name: str) -> Transport:
    """The transport of that name; CannotRender where it is not installed."""
    transport = hub.transports.get(name)
    if transport is None:
        raise CannotRender("The receiver's transport is not installed")
    return transport


def asked(call: Callable[[], list[Confirm]], keys: Sequence[str]) -> list[Confirm]:
    """What a transport said of these deliveries, once; or, for all alike, why nobody knows."""
    try:
        return call()
    except (BusUnavailable, StoreUnavailable) as e:
        failed: Confirm = _Away(False, e.text)
    except Temporary as e:
        failed = Confirm(False, e.text)
    except HubError:
        raise
    except Exception as e:
        # Whether it left is not known, and the cause may pass: the budget of attempts decides.
        LOG.error("transport.broke", deliveries=list(keys), error=type(e).__name__)
        failed = Confirm(False, f"The transport failed ({type(e).__name__})")
    return [failed] * len(keys)


def subscription_of(receiver: RegisteredParty | None, delivery: Delivery) -> Subscription | None:
    """How the delivery goes to its receiver, as the parties file says now; None if it does not."""
    return receiver.subscription(delivery.format, delivery.content) if receiver else None


def policy_of(hub: Hub, work: UnitOfWork, delivery: Delivery) -> RetryPolicy:
    """How it is tried again: as its subscription says, else its party, else the settings."""
    registered = work.parties.get(delivery.receiver)
    if registered is None:
        return hub.retry
    return registered.retries(hub.retry, delivery.format, delivery.content)


def retry_or_fail(
    hub: Hub, work: UnitOfWork, delivery: Delivery, reason: str, *, ours: bool = False
) -> None:
    """Schedule the next attempt, or give up when the attempts or the time for it are spent;
    ``ours`` spends nothing and is never given up."""
    now, policy, spent = hub.clock(), policy_of(hub, work, delivery), delivery.attempts
    history = work.deliveries.history(delivery.id)
    if ours:
        sends = sum(step.state is State.SENDING for step in history)
        at: datetime | Spent = policy.once_more(sends, now, hub.random())
        # It may have left all the same, so it never counts as not tried.
        spent = max(1, spent - 1)
    else:
        at = policy.after_failure(spent, now, hub.random(), began(history))
    if isinstance(at, Spent):
        fail(hub, work, delivery, f"{reason} ({at})")
        return
    work.deliveries.move(delivery, State.RETRY_AT, reason, ACTOR, now, retry_at=at, attempts=spent)


def retry_after(hub: Hub, work: UnitOfWork, delivery: Delivery, said: Confirm) -> None:
    """The next attempt after what the transport said.

    While the hub's own broker or database is away nothing is spent: however long that lasts,
    nobody's delivery dies of it.
    """
    retry_or_fail(hub, work, delivery, said.reason, ours=is_ours(said))


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

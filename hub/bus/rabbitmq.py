"""The bus on RabbitMQ (3.10 or newer, with its management plugin). Implements hub.ports.Bus."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Event

import pika
import structlog

from hub.bus.admin import Management
from hub.bus.alarm import AlarmWatch
from hub.bus.asking import Asking
from hub.bus.connection import connected, parameters
from hub.bus.consuming import ListenerSettings
from hub.bus.declaring import count, declare, missing
from hub.bus.listener import listen
from hub.bus.publisher import Publisher
from hub.bus.publishing import Unroutable
from hub.bus.recall import take_back
from hub.bus.topology import (
    DELIVERY_LIMIT,
    OUTBOUND,
    Binding,
    Topology,
    is_hub_queue,
    party_rights,
    queue,
    topology,
)
from hub.errors import Misconfigured
from hub.ports import InboundHandler, PartyAccess, QueueDepth, Waits
from hub.sending import Confirm, Outgoing

_log = structlog.get_logger(__name__)


class RabbitBus:
    """The hub's bus on a RabbitMQ broker. Thread-safe; connects when first used."""

    def __init__(
        self,
        url: str,
        admin_url: str | None = None,
        *,
        listener: ListenerSettings | None = None,
        delivery_limit: int = DELIVERY_LIMIT,
    ) -> None:
        """``url`` and ``admin_url`` are the settings KI_HUB_BUS_URL and KI_HUB_BUS_ADMIN_URL.

        The administrator's URL is needed for users, rights and depths only, so a worker can do
        without it. ``delivery_limit`` must be the same in every process of a deployment. Raises
        Misconfigured for an unreadable URL.
        """
        self._params = parameters(url, "ki-hub")
        self._publisher = Publisher(parameters(url, "ki-hub publisher"))
        self._alarms = AlarmWatch(parameters(url, "ki-hub alarms"))
        self._asking = Asking(parameters(url, "ki-hub readiness"))
        self._listener_params = parameters(url, "ki-hub listener")
        self._settings = listener or ListenerSettings()
        self._delivery_limit = delivery_limit
        vhost = self._params.virtual_host
        self._management = None if admin_url is None else Management(admin_url, vhost)

    def publish(self, queue: str, message: Outgoing) -> Confirm:
        """See PartyQueues."""
        return self.publish_many([(queue, message)])[0]

    def publish_many(self, batch: Sequence[tuple[str, Outgoing]]) -> list[Confirm]:
        """See Bus. A party's queue that somebody has deleted is made again."""
        confirms = self._publisher.publish_many(batch)
        lost = [
            index
            for index, (name, _) in enumerate(batch)
            if isinstance(confirms[index], Unroutable) and is_hub_queue(name)
        ]
        if not lost:
            return confirms
        self._make_again(sorted({batch[index][0] for index in lost}))
        again = self._publisher.publish_many([batch[index] for index in lost])
        for index, confirm in zip(lost, again, strict=True):
            confirms[index] = confirm
        return confirms

    def _make_again(self, names: Sequence[str]) -> None:
        """The queues with their bindings; whoever deleted them is told in the log."""
        queues = tuple(queue(name, self._delivery_limit) for name in names)
        bindings = tuple(Binding(OUTBOUND, name, name) for name in names)
        with connected(self._params) as connection:
            declare(connection, Topology((), queues, bindings))
        _log.warning("bus.queues_made_again", queues=list(names))

    def listen(
        self, handler: InboundHandler, stop: Event, ready: Callable[[], None] = lambda: None
    ) -> None:
        """See Bus; hub.bus.consuming says what becomes of each message. A queue of the hub's own
        that somebody has deleted is made again."""
        listen(self._listener_params, handler, stop, self._settings, self._mend, ready)

    def _mend(self, connection: pika.BlockingConnection, names: Sequence[str]) -> None:
        lost = missing(connection, names)
        if lost:
            declare(connection, topology([], self._delivery_limit))
            _log.warning("bus.queues_made_again", queues=lost)

    def ready(self, queue: str) -> int:
        """See Bus."""
        with connected(self._params) as connection:
            return count(connection, queue)

    def take_back(self, queue: str, note: Callable[[Sequence[Waits]], None]) -> None:
        """See Bus. What the party's own system holds unacknowledged is not there to take; nor is
        anything in a queue that somebody has deleted. It is made again when something goes there,
        and nothing does before this is over."""
        with connected(self._params) as connection:
            if not missing(connection, [queue]):
                take_back(connection.channel(), queue, note)

    def provision(self, parties: Sequence[PartyAccess]) -> None:
        """See Bus. Raises Misconfigured, naming it, when something of the same name is different
        on the broker, or when a secret is to be set and there is no KI_HUB_BUS_ADMIN_URL."""
        wanted = topology([access.party.id for access in parties], self._delivery_limit)
        with connected(self._params) as connection:
            declare(connection, wanted)
        for access in parties:
            self._put_party(access)
        _log.info("bus.provisioned", parties=len(parties), queues=len(wanted.queues))

    def depths(self) -> list[QueueDepth]:
        """See Bus; Misconfigured without KI_HUB_BUS_ADMIN_URL."""
        if self._management is None:
            raise Misconfigured("KI_HUB_BUS_ADMIN_URL is needed to see the queues")
        return self._management.depths()

    def check(self) -> None:
        """See Bus: on a connection that is kept for it."""
        self._asking.ask()
        self._alarms.expect_none()

    def expect_room(self) -> None:
        """See Bus."""
        self._alarms.expect_none()

    def close(self) -> None:
        """See Bus."""
        self._alarms.close()
        self._asking.close()
        self._publisher.close()
        if self._management is not None:
            self._management.close()

    def _put_party(self, access: PartyAccess) -> None:
        party = access.party.id
        if self._management is not None:
            self._management.put_party(party, access.secret, party_rights(party))
        elif access.secret is not None:
            raise Misconfigured(f"KI_HUB_BUS_ADMIN_URL is needed to give {party} its password")
        else:
            _log.warning("bus.rights_not_set", party=party)

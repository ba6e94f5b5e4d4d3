"""The last act of a process: another one goes on at once with what this one had in hand."""

from __future__ import annotations

import structlog

from hub.errors import Temporary
from hub.services.hub import Hub

LOG = structlog.get_logger()


def let_go(hub: Hub) -> None:
    """Give every claim of this process back; where the database is away, they lapse by themselves.

    What was being sent may have left, and is sent again under the same id.
    """
    messages = hub.hand.messages()
    try:
        with hub.store.writing() as work:
            deliveries = work.deliveries.let_go(hub.hand.process)
            for item_id in messages:
                work.inbox.release(item_id, None, counted=False)
            if deliveries or messages:
                work.commit()
    except Temporary as e:
        LOG.warning("claims.lapse", number=e.number)
        return
    if deliveries or messages:
        LOG.info("claims.let_go", deliveries=deliveries, messages=len(messages))

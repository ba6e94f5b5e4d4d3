"""The clock was ahead and has been set right: nothing waits for a time that is hours away.

What happened keeps the time it was given; consents, deadlines and logins follow the wall clock.
"""

from __future__ import annotations

import structlog

from hub.services.hub import Hub

LOG = structlog.get_logger()


def follow_clock(hub: Hub) -> int:
    """Mend what a clock that was ahead has left; returns how many rows. Does nothing otherwise."""
    lease = max(hub.limits.send_lease, hub.limits.process_lease)
    with hub.store.writing() as work:
        rows = work.timers.set_back(hub.clock(), lease)
        if rows:
            work.commit()
    if rows:
        LOG.warning("clock.was_ahead", rows=rows)
    return rows

"""How much a party may send: documents in a minute, bytes in a day.

Counted where the bytes are kept, in the same transaction: what is refused was not kept, and does
not count. A resend of what was kept does not count either.
"""

from __future__ import annotations

from datetime import datetime

from hub.errors import OverQuota
from hub.model.client import Quota
from hub.services.hub import Hub
from hub.store.clients import DAY, MINUTE
from hub.store.work import UnitOfWork


def within_quota(hub: Hub, work: UnitOfWork, party: str, more: int) -> None:
    """One more document of the party's, of so many bytes; or one request for what it missed, and
    the bytes it is sent once more. Raises OverQuota, and then nothing must be committed."""
    work.parties.lock(party)
    registered = work.parties.get(party)
    own = registered.quota if registered else Quota()
    usual = hub.limits.quota
    documents = _limit(own.documents_a_minute, usual.documents_a_minute)
    size = _limit(own.bytes_a_day, usual.bytes_a_day)
    if not documents and not size:
        return
    now = hub.clock()
    counted = work.clients.count(party, more, now)
    sent, _, ends = counted[MINUTE]
    if documents and sent > documents:
        text = "You have sent as many documents as you may in a minute; send this one again later"
        raise OverQuota(text, wait=_seconds(ends, now))
    _, total, ends = counted[DAY]
    if size and total > size:
        text = "You have sent as many bytes as you may in a day; send this document again later"
        raise OverQuota(text, wait=_seconds(ends, now))


def _limit(own: int | None, usual: int | None) -> int:
    """0: none."""
    return (usual if own is None else own) or 0


def _seconds(ends: datetime, now: datetime) -> int:
    return max(1, int((ends - now).total_seconds()) + 1)

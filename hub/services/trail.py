"""The state of the audit trail as an operator or auditor asks for it."""

from __future__ import annotations

from typing import Any

from hub.services.hub import Hub
from hub.services.seal import seal
from hub.store.trail import Checked


def check(hub: Hub, head: str | None = None) -> Checked:
    """Follow the whole chain in one consistent view; ``head``: a chain hash kept elsewhere."""
    with hub.store.reading() as work:
        return work.trail.check(head)


def head(hub: Hub) -> dict[str, Any]:
    """The newest seal, once what waits is sealed; to be kept where who runs this database cannot
    change it."""
    seal(hub)
    with hub.store.reading() as work:
        newest = work.trail.head()
    if newest is None:
        return {"position": 0, "chain_hash": None, "sealed_at": None}
    return {
        "position": newest.position,
        "chain_hash": newest.chain_hash,
        "sealed_at": newest.sealed_at.isoformat(),
    }


def checked_row(found: Checked) -> dict[str, Any]:
    """What a check found, for machines."""
    broken = found.found
    return {
        "intact": broken is None,
        "rows": found.rows,
        "expired": found.expired,
        "unsealed": found.unsealed,
        "head": found.head,
        "break": None
        if broken is None
        else {"position": broken.position, "audit_id": broken.audit_id, "text": broken.text},
    }

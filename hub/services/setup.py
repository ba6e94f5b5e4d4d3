"""What a database is for: a demo's is never mixed with anyone's real one."""

from __future__ import annotations

from hub.services.hub import Hub

KIND = "kind"


def claim_for(hub: Hub, kind: str) -> bool:
    """Mark an empty database for this use; False if it is already used for another."""
    with hub.store.writing() as work:
        found = work.journal.meta(KIND)
        if found is None and not work.parties.all():
            work.journal.set_meta(KIND, kind)
            work.commit()
            return True
    return found == kind

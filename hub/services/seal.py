"""The sealer: gives committed audit rows their place in the chain. One at a time, anywhere."""

from __future__ import annotations

from typing import Final

from hub.services.hub import Hub

_BATCH: Final = 1_000
"""Rows in one transaction; writers wait no longer than that takes."""


def seal(hub: Hub) -> int:
    """Seal what waits; returns how many rows. Whoever else is sealing does it then."""
    with hub.store.reading() as work:
        if not work.trail.waits():
            return 0
    total = 0
    while True:
        with hub.store.writing() as work:
            done = work.trail.seal(hub.clock(), _BATCH)
            if done:
                work.commit()
        total += done
        if done < _BATCH:
            return total

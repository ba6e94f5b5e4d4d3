"""A process and everything below it: PostgreSQL's backends have sessions of their own."""

from __future__ import annotations

import os
import signal
from collections import defaultdict
from pathlib import Path


def family(pid: int) -> list[int]:
    """The process first, then its descendants."""
    children: dict[int, list[int]] = defaultdict(list)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            # It ended while we looked.
            continue
        children[int(fields[1])].append(int(stat.parent.name))
    found = [pid]
    for one in found:
        found += children[one]
    return found


def signal_all(pid: int, sign: signal.Signals) -> None:
    """To the process and its descendants, as they are now."""
    for one in family(pid):
        try:
            os.kill(one, sign)
        except ProcessLookupError:
            # It ended by itself meanwhile.
            continue

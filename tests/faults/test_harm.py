"""What the faults are made of does what it says: whole families are stopped, a disk is full."""

from __future__ import annotations

import errno
import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from tests.faults.disk import SmallDisk
from tests.faults.processes import family, signal_all


def until(look: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not look():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_signal_reaches_descendants_in_sessions_of_their_own() -> None:
    with subprocess.Popen(["/bin/sh", "-c", "setsid sleep 60 & sleep 60"]) as parent:
        until(lambda: len(family(parent.pid)) == 3)
        signal_all(parent.pid, signal.SIGKILL)
        assert parent.wait(10) == -signal.SIGKILL
        until(lambda: family(parent.pid) == [parent.pid])


def test_a_full_disk_is_full_until_it_is_emptied() -> None:
    with SmallDisk(megabytes=2) as disk:
        file = disk.path / "file"
        if not disk.own:
            with pytest.raises(AssertionError, match="never filled"):
                disk.fill()
            return
        disk.fill()
        with pytest.raises(OSError, match="No space left") as refused:
            file.write_bytes(b"x")
        assert refused.value.errno == errno.ENOSPC
        disk.empty()
        file.write_bytes(b"x")
    assert not disk.path.exists()

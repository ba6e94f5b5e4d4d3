"""A small disk of its own for the database, so that it can be full: a tmpfs, mounted by root."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers.process import program

MEGABYTES = 640


class SmallDisk:
    """A context manager; where mounting is not allowed, a plain folder that is never full."""

    def __init__(self, megabytes: int = MEGABYTES) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="kihub-disk-", dir="/tmp"))
        self._size = f"size={megabytes}m"
        self.own = False
        """It can be filled."""

    def __enter__(self) -> Self:
        command = [program("mount"), "-t", "tmpfs", "-o", self._size, "tmpfs", str(self.path)]
        self.own = subprocess.run(command, capture_output=True, check=False).returncode == 0
        self.path.chmod(0o755)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.own:
            subprocess.run([program("umount"), "-l", str(self.path)], check=True)
        shutil.rmtree(self.path, ignore_errors=True)

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Nothing can be written meanwhile; whatever is open for writing must be closed before."""
        self._remount("ro")
        try:
            yield
        finally:
            self._remount("rw")

    def _remount(self, how: str) -> None:
        assert self.own, "this machine's disk is never read-only"
        command = [program("mount"), "-o", f"remount,{how}", str(self.path)]
        subprocess.run(command, check=True, capture_output=True)

    @property
    def _filler(self) -> Path:
        return self.path / "filler"

    def fill(self) -> None:
        """Nothing more can be written."""
        assert self.own, "this machine's disk is never filled"
        free = shutil.disk_usage(self.path).free
        # Unbuffered: what a buffer holds back would fail once more when the file is closed.
        with self._filler.open("wb", buffering=0) as file:
            try:
                for _ in range(free // 65536 + 2):
                    file.write(bytes(65536))
            except OSError:
                # No space left on device, which is what was wanted.
                return

    def empty(self) -> None:
        """There is room again."""
        self._filler.unlink(missing_ok=True)

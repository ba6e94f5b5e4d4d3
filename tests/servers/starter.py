"""``ki-hub`` in processes of their own that begin with everything imported.

A second of each start is spent on imports, which are the same for all of them. A helper imports
once and forks for each run: arguments, environment, output, signals and exit code are those of a
command that was started by itself. The helper is :mod:`tests.servers.forking`.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any


@cache
def starter() -> Starter:
    """The one helper of this process."""
    made = Starter()
    atexit.register(made.close)
    return made


class Started:
    """A command that runs, as :class:`subprocess.Popen` has it."""

    def __init__(self, helper: Starter, pid: int) -> None:
        self._helper = helper
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit code, if it has ended."""
        if self.returncode is None:
            self.returncode = self._helper.ask("wait", self.pid, False)
        return self.returncode

    def wait(self, timeout: float = 60) -> int:
        """Until it ends; TimeoutExpired after that many seconds."""
        end = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired("ki-hub", timeout)
            time.sleep(0.01)
        return code

    def send_signal(self, sign: signal.Signals) -> None:
        """If it has not ended: until it was waited for, its id is nobody else's."""
        if self.poll() is None:
            os.kill(self.pid, sign)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Starter:
    """The helper; it runs until it is closed."""

    def __init__(self) -> None:
        pipe = subprocess.PIPE
        command = [sys.executable, "-m", "tests.servers.forking"]
        self._helper = subprocess.Popen(
            command, cwd=Path(__file__).parents[2], stdin=pipe, stdout=pipe, text=True
        )
        self._one_at_a_time = Lock()

    def close(self) -> None:
        """It ends when nothing more can come."""
        self._helper.communicate()

    def ask(self, what: str, *about: Any) -> Any:
        """One request to the helper, and its answer."""
        assert self._helper.stdin is not None
        assert self._helper.stdout is not None
        with self._one_at_a_time:
            self._helper.stdin.write(json.dumps([what, *about]) + "\n")
            self._helper.stdin.flush()
            return json.loads(self._helper.stdout.readline())

    def start(
        self, arguments: Sequence[str], environment: Mapping[str, str], out: Path, err: Path
    ) -> Started:
        """A command that goes on; what it writes is added to the files."""
        about = (list(arguments), dict(environment), str(out), str(err), str(Path.cwd()))
        return Started(self, self.ask("start", *about))

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[bytes]:
        """One command to its end."""
        with tempfile.TemporaryDirectory() as folder:
            out, err = Path(folder) / "out", Path(folder) / "err"
            started = self.start(arguments, environment, out, err)
            code = self.ask("wait", started.pid, True)
            return subprocess.CompletedProcess(
                list(arguments), code, out.read_bytes(), err.read_bytes()
            )

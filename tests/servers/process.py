"""Starting, waiting for and ending one server process."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

INSTALL = "deploy/install-prerequisites test"


class MissingProgram(RuntimeError):
    """A program that the tests start is not installed; the text names the command that helps."""

    def __init__(self, program: str) -> None:
        super().__init__(f"{program} is not installed. Run: {INSTALL}")


class ServerFailed(RuntimeError):
    """A server ended by itself or did not get ready; the end of its log is in the text."""


def _own_ports() -> Iterator[int]:
    """Ports that the kernel gives to nobody by itself. One of its own choice may belong to any
    client's connection by the time that a stopped server wants it back."""
    first, last = map(int, _EPHEMERAL.read_text().split())
    own = [port for port in range(10_000, 65_536) if not first <= port <= last]
    start = random.SystemRandom().randrange(len(own))
    return itertools.cycle(own[start:] + own[:start])


_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_PORTS = _own_ports()


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nothing listens on, and that nothing is given by chance."""
    return next(port for port in _PORTS if _unused(port))


def _unused(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def program(name: str) -> str:
    """The path of a program on PATH or in the sbin folders; MissingProgram if there is none."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if path is None:
        raise MissingProgram(name)
    return path


class ServerProcess:
    """One process with its output in a log file.

    It runs in a session of its own, so that Ctrl-C in the terminal reaches only the tests, which
    then end it in order; and the kernel ends it (``pdeathsig``) if the tests themselves are
    killed. It must be started from a thread that lives as long as the server is needed, because
    the kernel means the thread, not the process, by "parent".
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        death_signal: str = "KILL",
        as_user: tuple[int, int] | None = None,
    ) -> None:
        self._log = log
        prefix = [program("setpriv"), "--pdeathsig", death_signal]
        if as_user is not None:
            prefix += [f"--reuid={as_user[0]}", f"--regid={as_user[1]}", "--clear-groups"]
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*prefix, "--", *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if env is None else dict(env),
                cwd=cwd,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id, also that of its process group."""
        return self._process.pid

    def running(self) -> bool:
        """Has not ended."""
        return self._process.poll() is None

    def wait_ready(self, ready: Callable[[], bool], timeout: float) -> None:
        """Poll ``ready`` (no exceptions from it) until true; ServerFailed after ``timeout`` s."""
        end = time.monotonic() + timeout
        while not ready():
            if not self.running():
                raise ServerFailed(f"ended with {self._process.returncode}\n{self._tail()}")
            if time.monotonic() > end:
                raise ServerFailed(f"not ready after {timeout:.0f} s\n{self._tail()}")
            time.sleep(0.05)

    def end(self, sign: signal.Signals, timeout: float) -> None:
        """Send a signal and wait; SIGKILL to the whole group when ``timeout`` s were not enough."""
        if self.running():
            self._process.send_signal(sign)
            try:
                self._process.wait(timeout)
            except subprocess.TimeoutExpired:
                self._kill_group()
        self._kill_group()

    def ended(self, timeout: float = 60) -> int:
        """Wait until it ends by itself; its exit code."""
        return self._process.wait(timeout)

    def send(self, sign: signal.Signals) -> None:
        """Send it, if there is somebody to have it."""
        if self.running():
            self._process.send_signal(sign)

    def kill(self) -> None:
        """SIGKILL, as a power cut would do it (the kernel's page cache survives)."""
        self._kill_group()

    def _kill_group(self) -> None:
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            # Nothing of the group is left, which is what was wanted.
            return
        finally:
            self._process.wait()

    def _tail(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-30:])

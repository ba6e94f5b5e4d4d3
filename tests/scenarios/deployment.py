"""A hub as an operator runs it: real processes of the real command, killed and started again."""

from __future__ import annotations

import json
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from tests.leaks import written
from tests.servers.process import free_port
from tests.servers.starter import Started, starter

PARTIES = Path(__file__).parents[2] / "hub" / "demo" / "parties.yaml"


@dataclass
class Deployment:
    """``commands`` run beside each other; settings come from the environment alone."""

    folder: Path
    commands: tuple[str, ...]
    settings: dict[str, str]
    port: int = field(default_factory=free_port)
    processes: list[Started] = field(default_factory=list)
    kills: int = 0

    @property
    def base(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What all its processes wrote to stderr."""
        return self.folder / "hub.log"

    def environment(self) -> dict[str, str]:
        """Settings for a fast test: short leases, so that a crash is taken over soon."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith("KI_HUB_")}
        return clean | {
            "KI_HUB_DATA": str(self.folder / "data"),
            "KI_HUB_PORT": str(self.port),
            "KI_HUB_LEASE_SECONDS": "2",
            # One process wakes itself; of two, each must look for what the other has written.
            "KI_HUB_POLL_SECONDS": "0.05" if len(self.commands) > 1 else "0.25",
            "KI_HUB_RETRY_FIRST_SECONDS": "0.2",
            "KI_HUB_LOG_JSON": "true",
            **self.settings,
        }

    def run(self, *arguments: str) -> str:
        """One command to its end; its stdout."""
        done = starter().run(arguments, self.environment())
        assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stderr.decode()}"
        return done.stdout.decode()

    def prepare(self) -> dict[str, str]:
        """Migrate, apply the parties; returns the new credentials."""
        self.run("migrate")
        secrets = self.folder / "credentials.json"
        self.run("parties", "apply", str(PARTIES), "--credentials-to", str(secrets), "--json")
        found: dict[str, str] = json.loads(secrets.read_text())
        return found

    def start(self) -> None:
        """Start every process and wait until it is ready."""
        log = self.log
        self.processes = [
            starter().start([c], self.environment(), out=log, err=log) for c in self.commands
        ]
        end = time.monotonic() + 30
        # One client without authorities: reading them takes longer than the pause.
        with httpx.Client(base_url=self.base, timeout=5, verify=False) as client:
            while True:
                try:
                    if client.get("/health/ready").status_code == 200:
                        return
                except httpx.TransportError:
                    assert time.monotonic() < end, self.log.read_text()[-3000:]
                time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL to every process at once: nothing is finished, flushed or released."""
        for process in self.processes:
            process.send_signal(signal.SIGKILL)
        for process in self.processes:
            process.wait()
        self.kills += 1

    def stop(self) -> list[int]:
        """SIGTERM; returns the exit codes."""
        for process in self.processes:
            process.terminate()
        return [process.wait(timeout=20) for process in self.processes]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
        if self.log.exists():
            written("log", self.log.read_text(errors="replace"))

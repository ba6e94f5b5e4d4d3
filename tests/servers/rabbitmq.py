"""A private RabbitMQ node: own ports, own epmd, own cookie, own data."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

import httpx

from tests.servers.process import MissingProgram, ServerProcess, free_port, program

_SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""The script itself: the one in /usr/sbin insists on running as the user rabbitmq."""

_ALARMS: Final = {
    "memory": (("set_vm_memory_high_watermark", "0"),
               ("set_vm_memory_high_watermark", "absolute", "1GB")),
    "disk": (("set_disk_free_limit", "900GB"), ("set_disk_free_limit", "50MB")),
}  # fmt: skip

CROWDED: Final = 10
"""Virtual hosts from which a new node costs less than going on with the old one."""


@dataclass(frozen=True)
class Vhost:
    """One virtual host of a server, with what a client needs to reach it."""

    name: str
    host: str
    port: int
    user: str
    password: str
    admin_url: str

    def url(self, user: str | None = None, password: str | None = None) -> str:
        """The AMQP URL; the administrator's unless another user is given."""
        who, secret = user or self.user, password or self.password
        return f"amqp://{who}:{secret}@{self.host}:{self.port}/{self.name}"


class RabbitServer:
    """One node; a context manager that deletes everything on exit."""

    def __init__(self) -> None:
        if not _SERVER.exists():
            raise MissingProgram("RabbitMQ")
        self._home = Path(tempfile.mkdtemp(prefix="kihub-mq-", dir="/tmp"))
        self._password = secrets.token_hex(16)
        self._node: ServerProcess | None = None
        self._epmd: ServerProcess | None = None
        self.name = f"kihub{secrets.token_hex(4)}@localhost"
        self.port, self.admin_port = free_port(), free_port()
        self._dist_port, self._epmd_port = free_port(), free_port()
        self._vhosts = 0

    def __enter__(self) -> Self:
        try:
            self._configure()
            self._start_epmd()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _configure(self) -> None:
        (self._home / "rabbitmq.conf").write_text(
            f"""listeners.tcp.1 = 127.0.0.1:{self.port}
management.tcp.ip = 127.0.0.1
management.tcp.port = {self.admin_port}
default_user = hub
default_pass = {self._password}
default_user_tags.administrator = true
disk_free_limit.absolute = 50MB
vm_memory_high_watermark.absolute = 1GB
raft.wal_max_size_bytes = 33554432
collect_statistics_interval = 500
log.file.level = warning
"""
        )
        (self._home / "advanced.config").write_text("[{rabbit, [{quorum_tick_interval, 500}]}].\n")
        (self._home / "env.conf").write_text("")
        (self._home / "enabled_plugins").write_text("[rabbitmq_management].\n")
        cookie = self._home / ".erlang.cookie"
        cookie.write_text(secrets.token_hex(16))
        cookie.chmod(0o400)

    def _environment(self) -> dict[str, str]:
        home = str(self._home)
        kept = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
        return kept | {
            "HOME": home,
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": self.name,
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "RABBITMQ_CONF_ENV_FILE": f"{home}/env.conf",
            "RABBITMQ_CONFIG_FILE": f"{home}/rabbitmq.conf",
            "RABBITMQ_ADVANCED_CONFIG_FILE": f"{home}/advanced.config",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{home}/enabled_plugins",
            "RABBITMQ_MNESIA_BASE": f"{home}/mnesia",
            "RABBITMQ_LOG_BASE": f"{home}/log",
            "RABBITMQ_SCHEMA_DIR": f"{home}/schema",
            "RABBITMQ_GENERATED_CONFIG_DIR": f"{home}/config",
            "RABBITMQ_PID_FILE": f"{home}/pid",
            # Schedulers that spin while idle would take the two cores from the tests.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "+sbwt none +sbwtdcpu none +sbwtdio none "
                "-kernel inet_dist_use_interface {127,0,0,1}"
            ),
            # The script then becomes the Erlang machine instead of supervising it, so that a
            # signal to this process is a signal to the broker.
            "RUNNING_UNDER_SYSTEMD": "true",
        }

    def _start_epmd(self) -> None:
        """An epmd of our own: one that a node starts for itself outlives the node."""
        command = [program("epmd"), "-port", str(self._epmd_port), "-address", "127.0.0.1"]
        self._epmd = ServerProcess(command, log=self._home / "epmd.log", env=self._environment())
        self._epmd.wait_ready(lambda: _listens(self._epmd_port), 10)

    def start(self) -> None:
        """Start (again) and wait until AMQP and management answer."""
        self._node = ServerProcess(
            ["/bin/sh", str(_SERVER)],
            log=self._home / "server.log",
            env=self._environment(),
            cwd=self._home,
        )
        self._node.wait_ready(self._answers, 120)

    @property
    def process(self) -> ServerProcess:
        """The Erlang machine."""
        assert self._node is not None
        return self._node

    def stop(self) -> None:
        """Shut down in order."""
        if self._node is not None:
            self._node.end(signal.SIGTERM, 60)

    def kill(self) -> None:
        """kill -9."""
        if self._node is not None:
            self._node.kill()

    def restart(self) -> None:
        """Stop and start on the same ports with the same data."""
        self.stop()
        self.start()

    @contextmanager
    def at_work(self) -> Iterator[Self]:
        """It runs meanwhile, and is halted afterwards. The node ticks for each queue that it ever
        had, twice a second, and recovers each one when it is started again: sixty virtual hosts are
        a ninth of a core for nothing, and a start of nine seconds."""
        if self._vhosts > CROWDED:
            self._empty()
        else:
            self.process.send(signal.SIGCONT)
        try:
            yield self
        finally:
            self.process.send(signal.SIGSTOP)

    def _empty(self) -> None:
        """A new node with nothing in it, in the old one's place."""
        self.kill()
        shutil.rmtree(self._home / "mnesia")
        self._vhosts = 0
        self.start()

    def close(self) -> None:
        """Stop and delete everything."""
        try:
            for process in (self._node, self._epmd):
                if process is not None:
                    # The data are thrown away, so nothing is gained by an orderly end.
                    process.kill()
        finally:
            shutil.rmtree(self._home, ignore_errors=True)

    @property
    def admin_url(self) -> str:
        """The management API, with the administrator's credentials."""
        return f"http://hub:{self._password}@127.0.0.1:{self.admin_port}"

    def ctl(self, *arguments: str) -> None:
        """``rabbitmqctl`` on this node."""
        command = [str(_SERVER.with_name("rabbitmqctl")), "-n", self.name, *arguments]
        subprocess.run(command, env=self._environment(), check=True, capture_output=True)

    @contextmanager
    def alarm(self, kind: Literal["memory", "disk"]) -> Iterator[None]:
        """The node is short of it meanwhile, and holds its publishers back."""
        short, enough = _ALARMS[kind]
        self.ctl(*short)
        try:
            yield
        finally:
            self.ctl(*enough)

    def vhost(self) -> Vhost:
        """A fresh virtual host; much cheaper than a broker of its own.

        It is never deleted: in RabbitMQ 3.10 the deletion of a queue with at-least-once dead
        lettering can end the supervisor of all dead-letter workers (reached_max_restart_intensity),
        and then the node starts no such queue until it is restarted.
        """
        self._vhosts += 1
        name = f"test-{secrets.token_hex(6)}"
        with httpx.Client(base_url=self.admin_url, timeout=30, verify=False) as api:
            api.put(f"/api/vhosts/{name}").raise_for_status()
            everything = {"configure": ".*", "write": ".*", "read": ".*"}
            api.put(f"/api/permissions/{name}/hub", json=everything).raise_for_status()
        return Vhost(name, "127.0.0.1", self.port, "hub", self._password, self.admin_url)

    def _answers(self) -> bool:
        """The AMQP listener is the last thing that a node opens."""
        if not _listens(self.port):
            return False
        address = f"{self.admin_url}/api/health/checks/port-listener/{self.port}"
        try:
            answer = httpx.get(address, timeout=5, verify=False)
        except httpx.TransportError:
            return False
        return answer.status_code == 200


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0

"""The deployment under test: PostgreSQL, RabbitMQ, one ``serve`` and two ``worker`` processes,
with a proxy before each server. Whoever ends by itself or is killed is started again, as a
service manager does it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
from psycopg import sql

from tests.faults.clocks import Clocks
from tests.faults.disk import SmallDisk
from tests.faults.processes import signal_all
from tests.faults.proxy import Proxy
from tests.servers.postgres import PostgresServer
from tests.servers.process import ServerFailed, ServerProcess, free_port
from tests.servers.rabbitmq import RabbitServer
from tests.servers.starter import starter

COMMAND = Path(sys.executable).with_name("ki-hub")
PARTIES = Path(__file__).with_name("parties.yaml")
HEARTBEAT = 2
"""Seconds, on every AMQP connection of the hub."""
SILENCE = 4
"""Seconds without a receipt after which the hub looks whether a message is still there."""
OURS = ("serve", "worker-1", "worker-2")
ALL = (*OURS, "postgres", "rabbitmq")
_OPTIONS = {
    # Room on the small disk.
    "max_wal_size": "64MB",
    "min_wal_size": "32MB",
}


class Site:
    """A context manager. ``settings`` are added to the hub's environment. ``servers`` that run
    already may be shared with others by whoever does them no harm. ``clocks``: those of the hub's
    processes can be set."""

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, str] | None = None,
        servers: tuple[PostgresServer, RabbitServer] | None = None,
        *,
        clocks: bool = False,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port, self.hook_port = free_port(), free_port()
        self.secrets: dict[str, str] = {}
        self.disk: SmallDisk | None = None
        self.clocks = Clocks(folder) if clocks else None
        self.settings = dict(settings or {})
        self._servers = servers
        self._ours: dict[str, ServerProcess] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.postgres, self.rabbitmq = self._servers or self._own(stack)
            self._database = stack.enter_context(self.postgres.database())
            self._vhost = self.rabbitmq.vhost()
            self.proxies = {
                "database": stack.enter_context(Proxy(self.postgres.port)),
                "broker": stack.enter_context(Proxy(self.rabbitmq.port)),
                "api": stack.enter_context(Proxy(self.port)),
            }
            self._prepare()
            stack.callback(self.end_ours)
            self._stack = stack.pop_all()
        return self

    def _own(self, stack: ExitStack) -> tuple[PostgresServer, RabbitServer]:
        self.disk = stack.enter_context(SmallDisk())
        home = self.disk.path / "pg"
        home.mkdir()
        postgres = stack.enter_context(PostgresServer(home=home, options=_OPTIONS))
        return postgres, stack.enter_context(RabbitServer())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Told of the error, so that one while closing does not hide it.
        self._stack.__exit__(kind, error, trace)

    @property
    def base(self) -> str:
        """Where sectors reach the hub."""
        return f"http://127.0.0.1:{self.proxies['api'].port}"

    def amqp(self, party: str) -> str:
        """Where a party's system reaches the broker."""
        user, secret = party, self.secrets[party]
        vhost, port = self._vhost.name, self.proxies["broker"].port
        return f"amqp://{user}:{secret}@127.0.0.1:{port}/{vhost}?heartbeat={HEARTBEAT}"

    @property
    def database(self) -> str:
        """The database's name, for :meth:`PostgresServer.connect`."""
        return self._database.rpartition("/")[2]

    def environment(self) -> dict[str, str]:
        """The hub's settings: short leases and waits, so that what is lost is taken up soon."""
        database = self._database.replace(
            f":{self.postgres.port}/", f":{self.proxies['database'].port}/"
        )
        vhost = self._vhost
        bus = f"amqp://{vhost.user}:{vhost.password}@127.0.0.1:{self.proxies['broker'].port}"
        clean = {k: v for k, v in os.environ.items() if not k.startswith("KI_HUB_")}
        return clean | {
            "KI_HUB_DATABASE_URL": database,
            "KI_HUB_BUS_URL": f"{bus}/{vhost.name}?heartbeat={HEARTBEAT}",
            "KI_HUB_BUS_ADMIN_URL": vhost.admin_url,
            "KI_HUB_BASE_URL": f"http://127.0.0.1:{self.port}/fhir",
            "KI_HUB_PORT": str(self.port),
            "KI_HUB_LEASE_SECONDS": "5",
            "KI_HUB_SEND_TIMEOUT": "4",
            "KI_HUB_POLL_SECONDS": "0.25",
            "KI_HUB_RETRY_FIRST_SECONDS": "0.5",
            "KI_HUB_ENDPOINT_PAUSE_SECONDS": "1",
            "KI_HUB_RECEIPT_SECONDS": str(SILENCE),
            "KI_HUB_STATIC_CREDENTIALS": "true",
            "KI_HUB_OUTGOING_NETWORKS": "127.0.0.0/8",
            "KI_HUB_LOG_JSON": "true",
            **self.settings,
        }

    def ask(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """One command to its end, as an operator gives it."""
        return subprocess.run(
            [COMMAND, *arguments], env=self.environment(), capture_output=True, timeout=120,
            check=False,
        )  # fmt: skip

    def run(self, *arguments: str) -> None:
        """One command, which must do what it is asked."""
        done = starter().run(arguments, self.environment())
        assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stderr.decode()}"

    def _prepare(self) -> None:
        parties, credentials = self.folder / "parties.yaml", self.folder / "credentials.json"
        parties.write_text(PARTIES.read_text("utf-8").replace("HOOK", str(self.hook_port)), "utf-8")
        self.run("migrate")
        self.run("parties", "apply", str(parties), "--credentials-to", str(credentials))
        self.secrets = json.loads(credentials.read_text("utf-8"))
        credentials.unlink()

    def process(self, name: str) -> ServerProcess:
        """One of :data:`ALL`."""
        servers = {"postgres": self.postgres, "rabbitmq": self.rabbitmq}
        return servers[name].process if name in servers else self._ours[name]

    def signal(self, name: str, sign: signal.Signals) -> None:
        """To all of one of :data:`ALL`."""
        signal_all(self.process(name).pid, sign)

    def kill(self, name: str) -> None:
        """kill -9, whoever it is, at once."""
        self.signal(name, signal.SIGKILL)
        self.process(name).kill()

    def end(self, name: str) -> None:
        """SIGTERM to one of the hub's own, and wait for its end."""
        process = self._ours[name]
        process.send(signal.SIGTERM)
        process.ended()

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """The database takes no changes meanwhile; who was connected is cut off."""
        name = sql.Identifier(self.database)
        said = sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = {}")
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        with self.postgres.connect() as connection:
            connection.execute(said.format(name, sql.Literal("on")))
            connection.execute(cut, [self.database])
        try:
            yield
        finally:
            with self.postgres.connect() as connection:
                connection.execute(said.format(name, sql.Literal("off")))

    def start(self, *names: str) -> None:
        """Start those that do not run; ready or not."""
        for name in names:
            if name == "postgres":
                self.postgres.start()
            elif name == "rabbitmq":
                self.rabbitmq.start()
            else:
                self._ours[name] = self._started(name)

    def _started(self, name: str) -> ServerProcess:
        clocks, settings = self.clocks, self.environment()
        process = ServerProcess(
            [str(COMMAND), name.partition("-")[0]],
            log=self.folder / f"{name}.log",
            env=clocks.environment(name, settings) if clocks else settings,
        )
        if clocks:
            clocks.started(name, process.pid)
        return process

    def tend(self) -> list[str]:
        """Start again whoever has ended by itself, as a service manager does; says who."""
        ended = [name for name in ALL if not self._runs(name)]
        for name in ended:
            try:
                self.start(name)
            except ServerFailed:
                # It cannot start yet (a full disk, an old process); it is tried again.
                continue
        return ended

    def _runs(self, name: str) -> bool:
        if name in OURS and name not in self._ours:
            return True
        return self.process(name).running()

    def ready(self) -> bool:
        """The API says so."""
        try:
            answer = httpx.get(
                f"http://127.0.0.1:{self.port}/health/ready", timeout=5, verify=False
            )
        except httpx.TransportError:
            return False
        return answer.status_code == 200

    def wait_ready(self, seconds: float = 90) -> None:
        """Until it is ready; AssertionError with the end of its log after that."""
        end = time.monotonic() + seconds
        while not self.ready():
            self.tend()
            assert time.monotonic() < end, (self.folder / "serve.log").read_text()[-3000:]
            time.sleep(0.1)

    def end_ours(self) -> None:
        """The hub's own processes, at once."""
        for process in self._ours.values():
            process.kill()
        self._ours.clear()
        if self.clocks:
            self.clocks.close()

    def delete_queue(self, name: str) -> None:
        """As an operator does it by mistake."""
        url = f"{self._vhost.admin_url}/api/queues/{self._vhost.name}/{name}"
        answer = httpx.delete(url, timeout=30)
        assert answer.status_code in {204, 404}, answer.text

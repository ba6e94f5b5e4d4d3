"""A private PostgreSQL: ``initdb`` in a temporary folder, durable as in production."""

from __future__ import annotations

import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql

from tests.servers.process import MissingProgram, ServerFailed, ServerProcess, free_port, program

_BINARIES = Path("/usr/lib/postgresql")


def _bin_dir() -> Path:
    """The newest installed version's programs (Debian keeps them off PATH)."""
    found = sorted(
        _BINARIES.glob("*/bin/initdb"),
        key=lambda path: [int(n) for n in re.findall(r"\d+", path.parts[4])],
    )
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    if on_path is None:
        raise MissingProgram("PostgreSQL (initdb)")
    return Path(on_path).resolve().parent


def _unprivileged() -> tuple[int, int] | None:
    """Uid and gid to run as when this is root, because PostgreSQL refuses root; else None."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise ServerFailed("neither the user postgres nor nobody exists")


class PostgresServer:
    """One PostgreSQL cluster; a context manager that deletes everything on exit."""

    def __init__(
        self, *, home: Path | None = None, options: Mapping[str, str] | None = None
    ) -> None:
        """``home``: an empty folder of the caller's, such as a disk of its own; its content is
        deleted on exit. ``options``: settings beside, or instead of, the usual ones."""
        self._bin = _bin_dir()
        self._user = _unprivileged()
        # The path of a unix socket has at most 107 bytes, so the folder is not pytest's.
        self._home = home or Path(tempfile.mkdtemp(prefix="kihub-pg-", dir="/tmp"))
        self._options = dict(options or {})
        self._password = secrets.token_hex(16)
        self._process: ServerProcess | None = None
        self.port = free_port()

    def __enter__(self) -> Self:
        try:
            self._init()
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

    def _init(self) -> None:
        secret = self._home / "password"
        secret.write_text(self._password)
        if self._user is not None:
            for path in (self._home, secret):
                os.chown(path, *self._user)
        command = [str(self._bin / "initdb"), "-D", str(self._home / "data"), "-U", "postgres"]
        command += ["--auth-host=scram-sha-256", "--auth-local=trust", f"--pwfile={secret}"]
        # --no-sync is for this command alone: an unfinished initdb is thrown away anyway.
        command += ["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        if self._user is not None:
            uid, gid = self._user
            setpriv = [program("setpriv"), f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]
            command = [*setpriv, "--", *command]
        done = subprocess.run(command, cwd=self._home, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ServerFailed(f"initdb failed\n{done.stdout}\n{done.stderr}")

    def start(self) -> None:
        """Start (again) and wait until it answers."""
        options = {
            "fsync": "on",
            "full_page_writes": "on",
            "synchronous_commit": "on",
            "shared_buffers": "64MB",
            "max_connections": "100",
            "track_commit_timestamp": "on",
            "logging_collector": "off",
            "unix_socket_permissions": "0700",
            **self._options,
        }
        command = [str(self._bin / "postgres"), "-D", str(self._home / "data")]
        command += ["-k", str(self._home), "-h", "127.0.0.1", "-p", str(self.port)]
        for key, value in options.items():
            command += ["-c", f"{key}={value}"]
        end = time.monotonic() + 30
        while True:
            self._process = ServerProcess(
                command,
                log=self._home / "server.log",
                cwd=self._home,
                death_signal="INT",
                as_user=self._user,
            )
            try:
                self._process.wait_ready(self._answers, 60)
            except ServerFailed:
                # After a kill -9 the old backends hold the shared memory for some moments more.
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)
            else:
                return

    @property
    def process(self) -> ServerProcess:
        """The postmaster."""
        assert self._process is not None
        return self._process

    def stop(self) -> None:
        """Shut down in order: clients are disconnected, what is committed stays."""
        if self._process is not None:
            self._process.end(signal.SIGINT, 30)

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()

    def restart(self) -> None:
        """Stop and start on the same port with the same data."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop and delete everything."""
        try:
            if self._process is not None:
                self._process.end(signal.SIGINT, 30)
        finally:
            shutil.rmtree(self._home, ignore_errors=True)

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of a database in this cluster."""
        return f"postgresql+psycopg://postgres:{self._password}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """A superuser's connection in autocommit mode."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user="postgres",
            password=self._password,
            dbname=database,
            autocommit=True,
            connect_timeout=5,
        )

    @contextmanager
    def database(self) -> Iterator[str]:
        """A fresh empty database; gives its URL and drops it afterwards, clients or not."""
        name = f"test_{secrets.token_hex(6)}"
        with self.connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield self.url(name)
        finally:
            with self.connect() as connection:
                drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
                connection.execute(drop.format(sql.Identifier(name)))

    def dump(self, url: str, file: Path) -> None:
        """``pg_dump`` of a database that may be in use."""
        self._tool("pg_dump", "--format=custom", f"--file={file}", _plain(url))

    def restore(self, url: str, file: Path) -> None:
        """``pg_restore`` into an empty one."""
        self._tool("pg_restore", "--exit-on-error", f"--dbname={_plain(url)}", str(file))

    def _tool(self, name: str, *arguments: str) -> None:
        subprocess.run([str(self._bin / name), *arguments], check=True, capture_output=True)

    @contextmanager
    def on_disk(self, database: str, folder: Path) -> Iterator[None]:
        """The tables of a database that nobody uses lie in that folder meanwhile."""
        if self._user is not None:
            os.chown(folder, *self._user)
        space = sql.Identifier(f"disk_{database}")
        name = sql.Identifier(database)
        with self.connect() as connection:
            place = sql.Literal(str(folder))
            connection.execute(sql.SQL("CREATE TABLESPACE {} LOCATION {}").format(space, place))
            connection.execute(sql.SQL("ALTER DATABASE {} SET TABLESPACE {}").format(name, space))
        try:
            yield
        finally:
            with self.connect() as connection:
                drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
                connection.execute(drop.format(name))
                connection.execute(sql.SQL("DROP TABLESPACE {}").format(space))

    def _answers(self) -> bool:
        try:
            with self.connect():
                return True
        except psycopg.OperationalError:
            return False


def _plain(url: str) -> str:
    """As PostgreSQL's own programs read it."""
    return url.replace("postgresql+psycopg:", "postgresql:", 1)

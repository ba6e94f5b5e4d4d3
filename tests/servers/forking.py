"""The helper of :mod:`tests.servers.starter`: ``python -m tests.servers.forking``.

A line of JSON a request on stdin: ``start`` (arguments, environment, file for its stdout, file for
its stderr, folder) is answered with the process id, ``wait`` (that id, and whether to wait for its
end) with its exit code, or null while it runs.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pkgutil import iter_modules
from typing import NoReturn

import hub.cli
from hub.cli.main import main
from hub.runtime.registry import Registry

LATE = (
    "hub.runtime.bootstrap", "hub.runtime.web", "hub.runtime.sealing", "hub.runtime.loops",
    "hub.console", "hub.bus.rabbitmq", "hub.store.migrate", "alembic.command",
    "sqlalchemy.dialects.sqlite", "sqlalchemy.dialects.postgresql.psycopg",
)  # fmt: skip
"""What commands import when they need it."""
_PR_SET_PDEATHSIG = 1


def serve() -> None:
    """Until stdin ends; a child leaves by the exit of its command."""
    _import()
    gc.freeze()
    for line in sys.stdin:
        what, *about = json.loads(line)
        answer = _start(*about) if what == "start" else _wait(*about)
        print(json.dumps(answer), flush=True)  # noqa: T201


def _start(
    arguments: Sequence[str], environment: Mapping[str, str], out: str, err: str, folder: str
) -> int:
    child = os.fork()
    if child == 0:
        _become(arguments, environment, out, err, folder)
    return child


def _wait(child: int, until_it_ends: bool) -> int | None:
    found, status = os.waitpid(child, 0 if until_it_ends else os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


def _import() -> None:
    """All that a command imports when it runs."""
    commands = [module.name for module in iter_modules(hub.cli.__path__, "hub.cli.")]
    for name in (*commands, *LATE):
        import_module(name)
    installed = Registry()
    installed.adapters()
    installed.printer()
    installed.profiles()
    for name in installed.transport_names():
        installed.transport(name)


def _become(
    arguments: Sequence[str], environment: Mapping[str, str], out: str, err: str, folder: str
) -> NoReturn:
    # Whoever kills the helper has killed the tests.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    write = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    files = ((os.devnull, os.O_RDONLY), (out, write), (err, write))
    for number, (path, how) in enumerate(files):
        opened = os.open(path, how, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    main(arguments)
    raise AssertionError("a command ends by its exit")


if __name__ == "__main__":
    serve()

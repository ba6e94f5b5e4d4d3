"""The helper of :mod:`tests.servers.starter`: ``python -m tests.servers.forking``.

A line of JSON a command on stdin (arguments, environment, file for its stdout, file for its stderr,
folder), and its exit code on stdout.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules

import hub.cli
from hub.cli.main import main
from hub.runtime.registry import Registry

LATE = (
    "hub.runtime.bootstrap", "hub.store.migrate", "alembic.command", "sqlalchemy.dialects.sqlite",
    "sqlalchemy.dialects.postgresql.psycopg",
)  # fmt: skip
"""What commands import when they need it."""


def serve() -> None:
    """Until stdin ends; a child leaves by the exit of its command."""
    _import()
    for line in sys.stdin:
        arguments, environment, out, err, folder = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(environment, out, err, folder)
            main(arguments)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201


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


def _become(environment: Mapping[str, str], out: str, err: str, folder: str) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    write = os.O_WRONLY | os.O_CREAT
    files = ((os.devnull, os.O_RDONLY), (out, write), (err, write))
    for number, (path, how) in enumerate(files):
        opened = os.open(path, how, 0o600)
        os.dup2(opened, number)
        os.close(opened)


if __name__ == "__main__":
    serve()

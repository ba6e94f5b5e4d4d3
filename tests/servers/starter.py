"""``ki-hub`` in processes of their own that begin with everything imported.

Half a second of each start is spent on imports, which are the same for all of them. A helper
imports once and forks for each run: arguments, environment, output and exit code are those of a
command that was started by itself. The helper is :mod:`tests.servers.forking`.
"""

from __future__ import annotations

import atexit
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path


@cache
def starter() -> Starter:
    """The one helper of this process."""
    made = Starter()
    atexit.register(made.close)
    return made


class Starter:
    """The helper; it runs until it is closed."""

    def __init__(self) -> None:
        pipe = subprocess.PIPE
        command = [sys.executable, "-m", "tests.servers.forking"]
        self._helper = subprocess.Popen(
            command, cwd=Path(__file__).parents[2], stdin=pipe, stdout=pipe, text=True
        )

    def close(self) -> None:
        """It ends when nothing more can come."""
        self._helper.communicate()

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[bytes]:
        """One command to its end."""
        assert self._helper.stdin is not None
        assert self._helper.stdout is not None
        with tempfile.TemporaryDirectory() as folder:
            out, err = Path(folder) / "out", Path(folder) / "err"
            wanted = [list(arguments), dict(environment), str(out), str(err), str(Path.cwd())]
            self._helper.stdin.write(json.dumps(wanted) + "\n")
            self._helper.stdin.flush()
            code = int(self._helper.stdout.readline())
            return subprocess.CompletedProcess(
                list(arguments), code, out.read_bytes(), err.read_bytes()
            )

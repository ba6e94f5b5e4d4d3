"""Someone who follows a page at a shell, in a copy of the checkout."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from tests.docs.pages import ROOT, fences
from tests.servers.process import ServerProcess, free_port

START = re.compile(r"^\.venv/bin/ki-hub all\b.*$", re.M)
"""The one command that stays: it is started, not waited for."""

Step = tuple[str, str]
"""A command, and what it prints; empty where the page does not say."""
_BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```$", re.M | re.S)


def steps(page: Path) -> list[Step]:
    """Every command of the page, in order."""
    found: list[Step] = []
    for kind, content in _BLOCK.findall(page.read_text("utf-8")):
        if kind == "sh":
            found.append((content, ""))
        else:
            command, before = found[-1]
            assert not before, "one answer for each command"
            found[-1] = (command, content)
    return found


def prints(told: str, printed: str) -> bool:
    """``…`` stands for anything; how it is broken into lines does not matter."""
    pieces = [r"\s*".join(map(re.escape, p.split())) for p in printed.strip().split("…")]
    return re.fullmatch(r"\s*" + r".*?".join(pieces) + r"\s*", told, re.S) is not None


def copied(to: Path) -> Path:
    """The working tree as a fresh clone has it, with this environment as its ``.venv``."""
    made = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "data", "node_modules")
    shutil.copytree(ROOT, to, ignore=made, dirs_exist_ok=True)
    (to / ".venv").symlink_to(sys.prefix)
    for consent in (to / "fhir_profiles" / "examples").glob("consent-*.json"):
        _of_this_year(consent)
    return to


def _of_this_year(consent: Path) -> None:
    """Whoever follows the page next year makes the citizen's consent anew."""
    resource = json.loads(consent.read_text("utf-8"))
    today = datetime.now(UTC).date()
    resource["dateTime"] = f"{today - timedelta(days=7)}T10:00:00+01:00"
    resource["provision"]["period"] = {
        "start": str(today - timedelta(days=7)),
        "end": str(today + timedelta(days=357)),
    }
    consent.write_text(json.dumps(resource, ensure_ascii=False, indent=2), "utf-8")


@dataclass
class Reader:
    """What a block exports or sets is there in the next; another port than the page's is free."""

    folder: Path
    port: int = field(default_factory=free_port)
    server: ServerProcess | None = None

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def script(self, block: str) -> str:
        """The block in a shell that goes on where the last one ended."""
        kept = ". ./.shell 2>/dev/null || true\nset -eu -o pipefail\n"
        return f"{kept}set -a\n{block.replace('127.0.0.1:8080', f'127.0.0.1:{self.port}')}\n"

    def environment(self) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("KI_HUB_")}
        return clean | {"KI_HUB_PORT": str(self.port), "KI_HUB_BASE_URL": f"{self.base}/fhir"}

    def does(self, block: str) -> str:
        """Run it to its end; its output."""
        done = subprocess.run(
            ["bash", "-c", f"{self.script(block)}export -p > .shell"],
            cwd=self.folder, env=self.environment(), capture_output=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{block}\n{done.stdout.decode()}\n{done.stderr.decode()}"
        return done.stdout.decode()

    def starts(self, command: str) -> None:
        """Start it beside the shell and wait until it is ready."""
        self.server = ServerProcess(
            ["bash", "-c", f"{self.script('')}exec {command.partition('#')[0]}"],
            cwd=self.folder, env=self.environment(), log=self.folder / "hub.log",
        )  # fmt: skip
        self.server.wait_ready(self._ready, 60)

    def _ready(self) -> bool:
        try:
            answer = httpx.get(f"{self.base}/health/ready", timeout=5, verify=False)
        except httpx.TransportError:
            return False
        return answer.status_code == 200

    def follows(self, page: Path) -> list[str]:
        """Every ``sh`` block of the page, in order; what each printed."""
        printed = []
        for block in fences(page, "sh"):
            start = START.search(block)
            if start is None:
                printed.append(self.does(block))
            else:
                assert block.strip() == start[0], "the block holds nothing else"
                self.starts(start[0])
                printed.append("")
        return printed

    def leaves(self) -> None:
        """End what it started."""
        if self.server is not None:
            self.server.kill()

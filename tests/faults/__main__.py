"""The fault suite's commands.

``python -m tests.faults run --faults N --seed S`` does that many faults; ``make faults`` is the
same. Each seed is a part of its own, so that a long run can be done in parts. ``report FILE...``
adds parts to those recorded and writes the table of all of them into docs/reliability.md.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from tests.faults import report
from tests.faults.run import Outcome, run

PARTS = Path("data/faults")


def main() -> int:
    """0: nothing that should not be; 1: violations, or a run that broke off."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run", help="do faults, judge, and print one line at the end")
    running.add_argument("--faults", type=int, default=1000)
    running.add_argument("--seed", type=int, default=1)
    running.add_argument("--kinds", help="exactly these, with commas between, instead of --faults")
    running.add_argument("--only", help="draw none but these kinds, with commas between")
    reporting = commands.add_parser("report", help="add parts and write the table of all")
    reporting.add_argument("files", nargs="*", type=Path)
    told = parser.parse_args()
    if told.command == "report":
        click.echo(json.dumps(report.write(told.files)))
        return 0
    # A job that is cancelled takes everything down in order, like Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    only = told.only.split(",") if told.only else ()
    return _run(told.kinds.split(",") if told.kinds else told.faults, told.seed, only)


def _run(kinds: list[str] | int, seed: int, only: Sequence[str]) -> int:
    folder = Path(tempfile.mkdtemp(prefix=f"ki-hub-faults-{seed}-"))
    outcome = run(folder, kinds, seed, click.echo, only=only)
    line = outcome.line()
    click.echo(report.table([line]))
    if outcome.violations:
        _tell(outcome, folder)
    else:
        shutil.rmtree(folder)
    PARTS.mkdir(parents=True, exist_ok=True)
    (PARTS / f"seed-{seed}.json").write_text(json.dumps(line) + "\n", "utf-8")
    click.echo(json.dumps(line))
    return 1 if outcome.violations else 0


def _tell(outcome: Outcome, folder: Path) -> None:
    for violation in outcome.violations[:50]:
        click.echo(f"{violation.kind}: {violation.text}")
    if len(outcome.violations) > 50:
        click.echo(f"... and {len(outcome.violations) - 50} more")
    click.echo(f"What everybody did, and the hub's logs: {folder}")


if __name__ == "__main__":
    sys.exit(main())

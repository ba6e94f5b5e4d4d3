"""``python -m tests.bench [--runs N] [--citizens N] [--only PLACE]``, or ``make bench``.

Medians of several runs on one database; each run has the bare loop of the same writes beside it.
Nothing passes or fails: a time says something only beside another one of the same minute.
"""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Callable, Sequence
from statistics import median

import structlog

from tests.bench.bare import Bare
from tests.bench.counting import Counted
from tests.bench.places import KINDS, Kind, place
from tests.bench.steps import begun, measured, plan_of

_HEAD = ("what", "a second", "bare loop", "times slower", "CPU ms", "statements", "transactions")


def main() -> None:
    """Print a table for each place."""
    read = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    read.add_argument("--only", choices=KINDS)
    read.add_argument("--runs", type=int, default=5)
    read.add_argument("--citizens", type=int, default=20)
    said = read.parse_args()
    quiet = structlog.make_filtering_bound_logger(logging.ERROR)
    structlog.configure(wrapper_class=quiet)
    for name in [n for n in os.environ if n.startswith("KI_HUB_")]:
        del os.environ[name]
    for kind in [said.only] if said.only else KINDS:
        _print(kind, _runs(kind, said.runs, said.citizens), said.citizens)


def _runs(kind: Kind, runs: int, citizens: int) -> dict[str, list[tuple[Counted, Counted | None]]]:
    """What each kind of act took in each run, and the bare loop beside it."""
    found: dict[str, list[tuple[Counted, Counted | None]]] = {}
    with place(kind) as where:
        bare = Bare(where)
        # Statements are compiled and pools filled before anything is timed.
        measured(begun(where.hub, 2, seed=0))
        for number in range(1, runs + 1):
            run = begun(where.hub, citizens, seed=number)
            hub = measured(run)
            bodies = [plan_of(c) for c in run.citizens]
            loops = {
                "document": bare.documents(bodies),
                "delivery": bare.deliveries(bodies * 6),
            }
            for name, counted in hub.items():
                found.setdefault(name, []).append((counted, loops.get(name)))
    return found


def _print(
    kind: Kind, found: dict[str, list[tuple[Counted, Counted | None]]], citizens: int
) -> None:
    rows = [_HEAD, *(_row(name, runs) for name, runs in found.items())]
    runs = len(next(iter(found.values())))
    print(f"\n{kind}: medians of {runs} runs with {citizens} citizens")  # noqa: T201
    widths = [max(len(r[i]) for r in rows) for i in range(len(_HEAD))]
    for first, *others in rows:
        told = [f"{cell:>{width}}" for cell, width in zip(others, widths[1:], strict=True)]
        print(f"  {first:<{widths[0]}}  {'  '.join(told)}")  # noqa: T201


def _row(name: str, runs: Sequence[tuple[Counted, Counted | None]]) -> tuple[str, ...]:
    def middle(figure: Callable[[Counted], float]) -> float:
        return median(figure(hub) for hub, _ in runs)

    beside = [(hub, bare) for hub, bare in runs if bare is not None]
    bare_rate = f"{median(b.each_second for _, b in beside):.0f}" if beside else ""
    slower = f"{median(b.each_second / h.each_second for h, b in beside):.1f}" if beside else ""
    return (
        name,
        f"{middle(lambda c: c.each_second):.1f}",
        bare_rate,
        slower,
        f"{middle(lambda c: c.cpu_each):.1f}",
        f"{middle(lambda c: c.statements_each):.1f}",
        f"{middle(lambda c: c.commits_each):.2f}",
    )


if __name__ == "__main__":
    main()

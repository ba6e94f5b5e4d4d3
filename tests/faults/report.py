"""Parts of a run put together, and the page that tells of them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from tests.faults.checker import KINDS

ROOT = Path(__file__).resolve().parents[2]
RECORDED = Path(__file__).with_name("recorded.jsonl")
PAGE = ROOT / "docs" / "reliability.md"
_BEGIN, _END = "<!-- table: made by `python -m tests.faults report` -->\n", "<!-- end -->"
Part = Mapping[str, Any]


def parts(*files: Path) -> list[Part]:
    """One for each seed, the one read last where several have it; in the order of the seeds."""
    found: dict[int, Part] = {}
    for file in files:
        for line in file.read_text("utf-8").splitlines():
            if line.startswith("{"):
                part = json.loads(line)
                found[part["seed"]] = part
    return [found[seed] for seed in sorted(found)]


def total(found: Iterable[Part]) -> dict[str, Any]:
    """The sums, the longest recovery, and all recoveries by kind."""
    known = list(found)
    recoveries: dict[str, list[float]] = defaultdict(list)
    for part in known:
        for kind, seconds in part["recovery_s"].items():
            recoveries[kind] += seconds
    summed = {name: sum(p[name] for p in known) for name in ("faults", "acknowledged", *KINDS)}
    return summed | {
        "longest_recovery_s": max((p["longest_recovery_s"] for p in known), default=0.0),
        "seeds": [p["seed"] for p in known],
        "recovery_s": dict(recoveries),
    }


def table(found: Sequence[Part]) -> str:
    """By kind of fault: how many, and how long until the hub was well again; then what was found
    wrong."""
    summed = total(found)
    lines = ["| Fault | n | well again after, median | longest |", "|---|---:|---:|---:|"]
    for kind, seconds in sorted(summed["recovery_s"].items()):
        middle, longest = median(seconds), max(seconds)
        lines.append(f"| {kind} | {len(seconds)} | {middle:.1f} s | {longest:.1f} s |")
    counts = ", ".join(f"{name.replace('_', ' ')} {summed[name]}" for name in KINDS)
    lines += ["", f"{summed['faults']} faults, {summed['acknowledged']} acknowledged messages: "
              f"{counts}."]  # fmt: skip
    return "\n".join(lines)


def page(text: str, found: Sequence[Part]) -> str:
    """The page with its table renewed."""
    before, _, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    assert end, "the page has lost the place of its table"
    return f"{before}{_BEGIN}{table(found)}\n{end}{after}"


def write(files: Sequence[Path]) -> dict[str, Any]:
    """Keep these parts, renew the page; returns the sums."""
    known = [RECORDED] if RECORDED.exists() else []
    found = parts(*known, *files)
    RECORDED.write_text("".join(f"{json.dumps(part)}\n" for part in found), "utf-8")
    PAGE.write_text(page(PAGE.read_text("utf-8"), found), "utf-8")
    return total(found)

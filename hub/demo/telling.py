"""The report in a person's words."""

from __future__ import annotations

from collections import Counter
from typing import Any


def summary(report: dict[str, Any]) -> str:
    """A table of deliveries and what was held back."""
    lines = ["", f"{'receiver':<18} {'format':<26} {'version':>7}  {'state':<11} reason"]
    for d in report["deliveries"]:
        row = f"{d['receiver']:<18} {d['format']:<26} {d['version']:>7}"
        lines.append(f"{row}  {d['state']:<11} {d['reason']}")
    states = Counter(d["state"] for d in report["deliveries"])
    lines += [
        "",
        f"{len(report['plans'])} plans, {len(report['deliveries'])} deliveries "
        f"({', '.join(f'{n} {s}' for s, n in sorted(states.items()))}), "
        f"{len(report['losses'])} named losses, {len(report['blocked'])} times held back.",
    ]
    return "\n".join(lines)

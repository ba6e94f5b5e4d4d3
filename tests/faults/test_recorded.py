"""What is written down is read back; parts are put together; a schedule is repeatable."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

from tests.faults import cases, recorder, report
from tests.faults.checker import Violation
from tests.faults.faults import KINDS, schedule
from tests.faults.recorder import Recorder
from tests.faults.records import Arrival, Op
from tests.faults.run import Outcome

ABOUT: dict[str, Any] = {"by": cases.RUS, "case": "case-1", "plan": "p"}


def test_operations_are_read_back_answered_or_not(tmp_path: Path) -> None:
    kept = Recorder(tmp_path)
    first = kept.begin(kind="decide", permits=frozenset({"b", "a"}), **ABOUT)
    kept.end(first, status="ok", why="")
    kept.end(kept.begin(kind="write", token="t", **ABOUT), status="unknown", version=0)
    kept.begin(kind="read", **ABOUT)
    kept.close()
    decided, unknown, cut_off = recorder.operations(tmp_path)
    assert isinstance(decided, Op)
    assert (decided.permits, decided.status) == (frozenset({"a", "b"}), "ok")
    assert decided.end is not None
    assert decided.begin <= decided.end
    assert (unknown.status, unknown.end) == ("unknown", None)
    assert (cut_off.status, cut_off.end) == ("unknown", None)


def test_arrivals_are_written_with_their_hash_and_not_with_their_text(tmp_path: Path) -> None:
    kept = Recorder(tmp_path)
    arrival = Arrival(cases.RUS, "d-1", 1, "hash", 1.0, 2.0)
    kept.arrival(arrival, b"Karla vil t-shared-0123456789 noget")
    kept.close()
    assert recorder.arrivals(tmp_path) == (arrival,)
    assert "Karla" not in (tmp_path / "arrivals.jsonl").read_text("utf-8")
    assert kept.has(cases.RUS, "t-shared-0123456789")
    assert not kept.has(cases.PSYK, "t-shared-0123456789")


def test_a_schedule_is_repeatable_and_has_every_kind_by_its_share() -> None:
    found = schedule(random.Random(5), 1000, disk=True)
    assert found == schedule(random.Random(5), 1000, disk=True)
    assert found != schedule(random.Random(6), 1000, disk=True)
    counted = Counter(found)
    assert set(counted) == set(KINDS)
    kills = [counted[f"kill -9 {who}"] for who in ("serve", "worker", "postgres", "rabbitmq")]
    assert min(kills) >= 50, "a full run has at least fifty of each"
    assert "disk full" not in schedule(random.Random(5), 500, disk=False)


def part(seed: int, **changes: Any) -> dict[str, Any]:
    outcome = Outcome(seed, {"commit cut": [1.0, 3.0], "disk full": [9.0 + seed]}, 70)
    return outcome.line() | changes


def test_parts_are_summed(tmp_path: Path) -> None:
    file = tmp_path / "parts.jsonl"
    lines = [part(1), part(2, lost=1), part(1, acknowledged=75)]
    file.write_text("1/3  commit cut\n" + "".join(f"{json.dumps(x)}\n" for x in lines), "utf-8")
    found = report.parts(file)
    summed = report.total(found)
    assert (summed["faults"], summed["acknowledged"], summed["lost"]) == (6, 145, 1)
    assert (summed["seeds"], summed["longest_recovery_s"]) == ([1, 2], 11.0)
    table = report.table(found)
    assert "| commit cut | 4 | 2.0 s | 3.0 s |" in table
    assert "| disk full | 2 | 10.5 s | 11.0 s |" in table
    assert "6 faults, 145 acknowledged messages: lost 1, duplicated 0" in table


def test_an_outcome_counts_its_violations() -> None:
    outcome = Outcome(1, {}, 0, [Violation("lost", "a"), Violation("lost", "b")])
    assert (outcome.line()["lost"], outcome.line()["leaked"]) == (2, 0)
    assert outcome.line()["longest_recovery_s"] == 0.0


def test_the_page_tells_of_what_is_recorded() -> None:
    text = report.PAGE.read_text("utf-8")
    assert report.page(text, report.parts(report.RECORDED)) == text

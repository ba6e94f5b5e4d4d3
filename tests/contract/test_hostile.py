"""Hostile documents in every format: the right class of error, and a bounded price.

Each format's largest sample is damaged in every way of :mod:`tests.contract.hostile`, in a
process of its own that may use no more memory and processor time than is set here.
"""

from __future__ import annotations

import multiprocessing
import resource
from pathlib import Path
from typing import Any

import pytest

from hub.errors import HubError, InputRefused
from tests.contract.adapter_samples import Sample, adapter_of, message, read, sender_of
from tests.contract.hostile import Hostile, hostile
from tests.contract.test_adapters import INBOUND, private_values, understood

MEMORY = 1 << 30
"""Bytes of address space on top of what the process had: a body of 10 MB may cost many times
its size, not a hundred times."""
SECONDS = 300
"""Of the processor, for all of one format's documents."""

LARGEST = {
    s.format: s for s in sorted((s for s in INBOUND if understood(s)), key=lambda s: len(s.body))
}


def outcome(sample: Sample, case: Hostile) -> str:
    """Empty if it went as it must, else what was wrong."""
    adapter, sender = adapter_of(sample.format), sender_of(sample)
    assert adapter is not None
    if not adapter.fingerprint(message(sample, sender, case.body)):
        return "no fingerprint"
    try:
        read(sample, sender, case.body)
    except InputRefused as e:
        said = repr((e.text, str(e), [(i.text, i.expression) for i in e.issues]))
        known = understood(sample)
        leaks = [v for v in (private_values(known) if known else ()) if v in said]
        return "it repeats a value" if leaks else ""
    except HubError as e:
        return f"{type(e).__name__} is not the sender's to mend"
    except Exception as e:
        return f"{type(e).__name__} came through"
    return "accepted" if case.refused else ""


def _all(sample: Sample, answers: Any) -> None:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    for case in hostile(sample.body):
        answers.send((case.name, "begun"))
        answers.send((case.name, outcome(sample, case)))
    answers.send(("", "done"))


@pytest.mark.parametrize("sample", LARGEST.values(), ids=lambda s: s.format)
def test_hostile_documents_are_refused_and_cost_little(sample: Sample) -> None:
    sender_of(sample)
    ours, theirs = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=_all, args=(sample, theirs))
    child.start()
    theirs.close()
    found: dict[str, str] = {}
    try:
        while True:
            name, said = ours.recv()
            found[name] = said
    except EOFError:
        child.join()
    wrong = {name: said for name, said in found.items() if said not in {"", "done"}}
    assert wrong == {}
    assert found.get("") == "done", (found, child.exitcode)
    assert len(found) > 15

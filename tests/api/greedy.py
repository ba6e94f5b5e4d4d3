"""Posts greedy documents to a hub of its own; prints the answers, and the megabytes they cost.

Run as a program, so that the peak of the process is these documents' and nothing else's:
``python -m tests.api.greedy FOLDER``.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from pathlib import Path

from hub.fhir.codec import MAX_PARTS
from tests.api.world import PSYK, RUS, founded

MEGA = 1024 * 1024
LIMIT = 64 * MEGA
"""Twice the default, so that it is not the size that is refused."""
BOMB = (
    "<!DOCTYPE b ["
    + '<!ENTITY e0 "ha">'
    + "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 12))
    + ']><a b="&e11;">&e11;</a>'
)
DOCUMENTS: dict[str, tuple[str, str, Callable[[], bytes]]] = {
    "nested lists, 50 MB": (RUS, "fhir", lambda: b"[" * (50 * MEGA)),
    "nested lists, as many as are read": (RUS, "fhir", lambda: b"[" * MAX_PARTS),
    "nested elements, 50 MB": (PSYK, "behandlingsplan", lambda: b"<abc>" * (10 * MEGA)),
    "nested elements, as many as are read": (
        PSYK, "behandlingsplan", lambda: b"<abc>" * MAX_PARTS,
    ),
    "empty lists, 32 MB": (RUS, "fhir", lambda: b'{"a":[' + b"[]," * (10 * MEGA) + b"[]]}"),
    "empty lists, as many as are read": (
        RUS, "fhir", lambda: b'{"a":[' + b"[]," * (MAX_PARTS // 2 - 9) + b"[]]}",
    ),
    "empty elements, 32 MB": (
        PSYK, "behandlingsplan", lambda: b"<a>" + b"<b/>" * (8 * MEGA) + b"</a>",
    ),
    "empty elements, as many as are read": (
        PSYK, "behandlingsplan", lambda: b"<a>" + b"<b/>" * (MAX_PARTS - 2) + b"</a>",
    ),
    "entity bomb": (PSYK, "behandlingsplan", BOMB.encode),
    "entity bomb in UTF-16": (
        PSYK,
        "behandlingsplan",
        lambda: f'<?xml version="1.0" encoding="utf-16"?>{BOMB}'.encode("utf-16"),
    ),
}  # fmt: skip


def peak() -> float:
    """Megabytes, the most this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(folder: str) -> None:
    """Post them all; one JSON object on stdout, document to status and cost so far."""
    world = founded(Path(folder), max_body_bytes=LIMIT)
    world.post("/documents/fhir", RUS, b"{}")
    world.post("/documents/behandlingsplan", PSYK, b"<a/>")
    before = peak()
    found = {}
    for name, (who, format, body) in DOCUMENTS.items():
        answer = world.post(f"/documents/{format}", who, body())
        assert answer.json()["resourceType"] == "OperationOutcome"
        found[name] = (answer.status_code, round(peak() - before))
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])

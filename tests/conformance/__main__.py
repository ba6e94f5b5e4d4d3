"""``make conformance [NATIONAL=folder]``: exit 0 only if the official validator finds no error."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from hub.errors import HubError
from hub.runtime.official_validator import TARGET, prepare
from tests.conformance.documents import Document, declared, emitted, on_disk, rendered
from tests.conformance.official import Official, running
from tests.conformance.report import MAKERS, Result, as_report, dumped, makers, ran, table

REPORT = "conformance.json"


def main(arguments: Sequence[str]) -> int:
    """Returns the exit code: 0 no errors, 1 errors, 4 not ready (a program is missing)."""
    parser = argparse.ArgumentParser(prog="make conformance", description=__doc__)
    parser.add_argument("--national", type=Path, help="folder of FHIR packages (*.tgz)")
    parser.add_argument("--into", type=Path, default=TARGET.parent, help="folder of the report")
    given = parser.parse_args(arguments)
    try:
        prepared = prepare(national=given.national)
    except HubError as e:
        sys.stderr.write(f"{e.text}\n")
        return 4
    supplied = makers(prepared.canonicals)
    allowed = [
        begin for maker, begins in MAKERS.items() if maker not in supplied for begin in begins
    ]
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        documents = [*on_disk(), *rendered(), *emitted(Path(folder))]
        with running(prepared, Path(folder) / "validator.log", allowed) as official:
            results = list(judged(official, documents))
    what_ran = ran(results, prepared.canonicals, prepared.missing)
    given.into.mkdir(parents=True, exist_ok=True)
    (given.into / REPORT).write_text(dumped(as_report(results, what_ran)), "utf-8")
    took = f"{time.monotonic() - began:.0f} s; the whole report: {given.into / REPORT}"
    sys.stdout.write(f"{table(results, what_ran)}\n{took}\n")
    return 1 if any(r.errors() for r in results) else 0


def judged(official: Official, documents: Sequence[Document]) -> Iterator[Result]:
    """What the validator says of each."""
    for document in documents:
        found = official.findings(document.body, document.media_type)
        yield Result(document, frozenset(declared(document)), tuple(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""``python -m tests.conformance.record``: asks the real validator and writes its answers down."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import httpx

from hub.runtime.official_validator import prepare
from hub.validators.hl7 import Hl7Validator, Sidecar
from tests.conformance.official import running
from tests.contract.hl7_cases import CASES, RECORDED

_LINE = "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-"


def record(base: str) -> list[dict[str, Any]]:
    """Every request that the client makes for the cases, with its answer."""
    exchanges: list[dict[str, Any]] = []

    def keep(answer: httpx.Response) -> None:
        answer.read()
        query = dict(answer.request.url.params.multi_items())
        exchanges.append(
            {
                "body": json.loads(answer.request.content),
                "profile": query.get("profile"),
                "status": answer.status_code,
                "answer": _without_lines(answer.json()),
            }
        )

    validator = Hl7Validator(Sidecar(base, seconds=120))
    validator._client.event_hooks = {"response": [keep]}
    for case in CASES.values():
        validator.check(case.resources, profile=case.profile)
    validator.close()
    return exchanges


def _without_lines(outcome: dict[str, Any]) -> dict[str, Any]:
    """Neither narrative nor places in the bytes: they say nothing that is used."""
    issues = [
        issue | {"extension": [e for e in issue["extension"] if not e["url"].startswith(_LINE)]}
        if "extension" in issue
        else issue
        for issue in outcome["issue"]
    ]
    return {"resourceType": outcome["resourceType"], "issue": issues}


def main() -> None:
    """Start the validator, ask, write."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(prepare(), Path(folder) / "validator.log") as official,
    ):
        found = record(official.base)
    RECORDED.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()

"""What was received is returned with every number and timestamp as it was written."""

from __future__ import annotations

import json

from tests.api.fhir.client import get
from tests.api.world import PLAN_1, RUS, World

NUMBERS = ("1.50", "0.0000001", "1e3", "1E+3", "-0.0", "-0", "100", "12345678901234567.80")
MOMENTS = ("2026-09-15T10:00:00.000+02:00", "2026-09-15T10:00:00Z", "2026-09-15T10:00:00-00:00",
           "2026-09")  # fmt: skip
PLACE = "1234.5678"
"""Stands in the text where a number will."""


def written(numbers: tuple[str, ...], moments: tuple[str, ...]) -> bytes:
    """The plan; each goal has a measure for each number, and the status notes those moments."""
    bundle = json.loads(PLAN_1)
    measure = {
        "measure": {"text": "Søvn"},
        "detailQuantity": {"value": float(PLACE), "unit": "timer"},
    }
    resources = [entry["resource"] for entry in bundle["entry"]]
    notes = [r for r in resources if r["resourceType"] == "Observation"]
    for note, moment in zip(notes, moments, strict=False):
        note["effectiveDateTime"] = moment
    assert len(notes) >= len(moments)
    goal = next(r for r in resources if r["resourceType"] == "Goal")
    goal["target"] = [measure] * len(numbers)
    text = json.dumps(bundle)
    for number in numbers:
        text = text.replace(PLACE, number, 1)
    return text.encode()


def test_numbers_and_moments_keep_their_lexeme(planned: World, plan: str) -> None:
    planned.clock.advance(minutes=1)
    answer = planned.post("/documents/fhir", RUS, written(NUMBERS, MOMENTS))
    assert answer.status_code == 200, answer.text
    urls = (f"CarePlan/{plan}/$everything", f"CarePlan/{plan}/$document", "Goal", "Goal/_history",
            "Observation", "Observation/_history")  # fmt: skip
    for url in urls:
        plain = get(planned, url, RUS).text
        marked = get(planned, url, RUS, Accept="application/fhir+xml").text
        if not url.startswith("Observation"):
            for number in NUMBERS:
                assert f'"detailQuantity":{{"value":{number},"unit":"timer"}}' in plain, url
                assert f'<detailQuantity><value value="{number}"/>' in marked, url
        if not url.startswith("Goal"):
            for moment in MOMENTS:
                assert f'"effectiveDateTime":"{moment}"' in plain, url
                assert f'<effectiveDateTime value="{moment}"/>' in marked, url


def test_another_lexeme_is_another_version(planned: World, plan: str) -> None:
    """``1.50`` is measured more finely than ``1.5``: nobody may take one for the other."""
    for numbers in (("1.5",), ("1.50",)):
        planned.clock.advance(minutes=1)
        assert planned.post("/documents/fhir", RUS, written(numbers, ())).status_code == 200
    history = get(planned, "Goal/_history", RUS).text
    assert history.count('"value":1.50,') == history.count('"value":1.5,') == 1

"""Extensions: their definition, where they may stand, and whether they change meaning."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.validation.instances import minimal
from tests.unit.validation.profiling import (
    BASE,
    extension,
    found,
    profile,
    validator,
)

PLAN = "CarePlan"


def test_extensions_keep_to_their_definition() -> None:
    rank = extension("rank", "CarePlan.goal", "CarePlan.activity", value="positiveInt")
    checker = validator(rank)

    def on(target: str, value: Any) -> list[tuple[str, str | None]]:
        extended = {"extension": [{"url": f"{BASE}rank", **value}]}
        patch = {
            "goal": {"goal": [{"reference": "Goal/1", **extended}]},
            "activity": {"activity": [{"detail": {"status": "unknown"}, **extended}]},
            "plan": extended,
            "subject": {"subject": {"reference": "Patient/1", **extended}},
            "title": {"title": "x", "_title": extended},
        }[target]
        return [(i.code, i.expression) for i in checker.check([minimal(PLAN, **patch)])]

    assert on("goal", {"valuePositiveInt": 1}) == []
    assert on("activity", {"valuePositiveInt": 1}) == []
    assert on("plan", {"valuePositiveInt": 1}) == [("extension", "CarePlan")]
    assert on("subject", {"valuePositiveInt": 1}) == [("extension", "CarePlan.subject")]
    assert on("title", {"valuePositiveInt": 1}) == [("extension", "CarePlan.title")]
    assert on("goal", {"valueString": "1"}) == [
        ("structure", "CarePlan.goal[0].extension[0].valueString"),
        ("required", "CarePlan.goal[0].extension[0].value"),
    ]


@pytest.mark.parametrize(
    ("context", "fits"),
    [
        ("Element", True),
        ("Reference", True),
        ("CarePlan.subject", True),
        ("Period", False),
        ("CarePlan", False),
    ],
)
def test_contexts_are_paths_types_and_what_types_derive_from(context: str, fits: bool) -> None:
    checker = validator(extension("e", context))
    on = {"reference": "Patient/1", "extension": [{"url": f"{BASE}e", "valueString": "x"}]}
    issues = checker.check([minimal(PLAN, subject=on)])
    assert [i.code for i in issues] == ([] if fits else ["extension"])


def test_contexts_inside_another_extension_and_by_fhirpath() -> None:
    inner = extension("inner", "-")
    inner["context"] = [
        {"type": "extension", "expression": f"{BASE}outer"},
        {"type": "fhirpath", "expression": "CarePlan.where(status = 'draft').subject"},
    ]
    checker = validator(inner)
    held = {"url": f"{BASE}inner", "valueString": "x"}
    outer = [{"url": f"{BASE}outer", "extension": [held]}]
    assert checker.check([minimal(PLAN, extension=outer)]) == []
    assert [i.code for i in checker.check([minimal(PLAN, extension=[held])])] == ["extension"]
    subject = {"reference": "Patient/1", "extension": [held]}
    assert checker.check([minimal(PLAN, status="draft", subject=subject)]) == []
    assert [i.code for i in checker.check([minimal(PLAN, subject=subject)])] == ["extension"]


def test_modifier_extensions_stand_apart() -> None:
    checker = validator(extension("m", "CarePlan", isModifier=True), extension("e", "CarePlan"))

    def put(where: str, name: str) -> list[str]:
        held = [{"url": f"{BASE}{name}", "valueString": "x"}]
        return [i.code for i in checker.check([minimal(PLAN, **{where: held})])]

    assert put("modifierExtension", "m") == put("extension", "e") == []
    assert put("extension", "unknown") == []
    assert put("extension", "m") == put("modifierExtension", "e") == ["extension"]
    assert put("modifierExtension", "unknown") == ["extension"]


def test_a_complex_extension_and_slices_of_extensions() -> None:
    move = profile(
        "move",
        "Extension",
        {"id": "Extension.extension:from", "min": 1, "max": "1"},
        {"id": "Extension.extension:from.url", "fixedUri": "from"},
        {"id": "Extension.extension:from.value[x]", "type": [{"code": "date"}], "min": 1},
        {"id": "Extension.url", "fixedUri": f"{BASE}move"},
        {"id": "Extension.value[x]", "max": "0"},
    )
    part = {
        "id": "CarePlan.extension:move",
        "min": 1,
        "max": "1",
        "type": [{"code": "Extension", "profile": [f"{BASE}move"]}],
    }
    checker = validator(move, profile("p", PLAN, part))

    def moved(*inner: dict[str, Any]) -> list[tuple[str, Any]]:
        return found(
            checker, minimal(PLAN, extension=[{"url": f"{BASE}move", "extension": list(inner)}])
        )

    assert moved({"url": "from", "valueDate": "2026-03-01"}) == []
    assert moved({"url": "from", "valueString": "marts"}) == [
        ("structure", "CarePlan.extension[0].extension[0].valueString"),
        ("required", "CarePlan.extension[0].extension[0].value"),
    ]
    assert moved({"url": "to", "valueDate": "2026-03-01"}) == [
        ("required", "CarePlan.extension[0].extension")
    ]
    assert found(checker, minimal(PLAN)) == [("required", "CarePlan.extension")]

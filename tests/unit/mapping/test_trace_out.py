"""Lineage on the way out: told without changing a byte, and true."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
from lxml import etree

from adapters.xml_plan.other_plans import NOTICE
from hub.contract import Party, SourceDocument
from hub.errors import Unsupported
from hub.mapping import mappings_folder
from hub.mapping.trace import Step, recorder, recording
from hub.mapping.trace_out import Known, leaves_of, steps_out
from hub.services.translate import Translation, translate
from tests.contract.adapter_samples import NOW, REGISTRY
from tests.views import check, parties

_OWN = {
    "behandlingsplan": ("psyk-nordstrand", "typical.xml"),
    "handleplan-141": ("social-havneby", "typical.xml"),
    "vum": ("social-havneby", "order-minimal.json"),
}
_FORMATS = (*_OWN, "fhir", "ki-plan-xml", "ki-plan-questionnaire", "medcom-carecommunication")
each_format = pytest.mark.parametrize("format", [*_FORMATS, "cpd", "html"])
PLAN = (mappings_folder("ki-plan-xml") / "samples/everything.xml").read_bytes()


def made(format: str) -> Translation:
    target = REGISTRY.adapter(format)
    to, name = _OWN.get(format, ("rus-havneby", ""))
    own = None
    if name:
        body = (mappings_folder(format) / "samples" / name).read_bytes()
        own = SourceDocument(format, body, target.media_types[0])
    known: Mapping[str, Party] = parties()
    return translate(
        PLAN, REGISTRY.adapter("ki-plan-xml"), target, sender=known["rus-havneby"],
        receiver=known[to], now=NOW, printer=REGISTRY.printer(), own=own, check=check,
        parties=known.values(),
    )  # fmt: skip


@cache
def told(format: str) -> tuple[Translation, list[Step]]:
    with recording() as found:
        result = made(format)
        own = result.own.body if result.own and format in _OWN else b""
        known = Known(result.resources, own, NOW, found.made)
        return result, list(steps_out(result.body, found, known))


@each_format
def test_recording_changes_no_byte_and_no_loss(format: str) -> None:
    plain, (result, _) = made(format), told(format)
    assert (result.body, result.losses) == (plain.body, plain.losses)
    assert recorder() is None


@each_format
def test_every_value_has_one_origin(format: str) -> None:
    result, steps = told(format)
    assert [(s.target, s.value) for s in steps] == list(leaves_of(result.body))
    assert len({s.target for s in steps}) == len(steps) > 50


@each_format
def test_what_was_read_stands_there(format: str) -> None:
    """A value that was written as it was read stands in the document where the lineage leads."""
    root, checked = etree.fromstring(PLAN), 0
    for step in told(format)[1]:
        earlier = step.origin.earlier
        if earlier is None or earlier.kind not in {"row", "source"} or step.origin.codes:
            continue
        if step.origin.source.rpartition(".")[2] in {"url", "system"}:
            continue  # a mark that the same row writes beside the value
        if earlier.codes or not earlier.source.startswith("/"):
            continue
        steps = [f"{{*}}{s}" for s in earlier.source.split("/")[2:]]
        (element,) = root.findall("/".join(steps)) if "@" not in earlier.source else (None,)
        text = (element.text or "").strip() if element is not None else ""
        assert _same(text, step.value), (step.target, earlier.source)
        checked += 1
    assert checked > 5


def _same(source: str, value: Any) -> bool:
    """Equal; a part or a truth value, where code took it so."""
    written = {True: "true", False: "false"}.get(value, str(value)) if value != 1 else str(value)
    return written in {source, source.partition("T")[0]} or written in source


def test_text_code_id_and_the_receivers_own() -> None:
    steps = {s.target: s.origin for s in told("handleplan-141")[1]}
    shared = "/ActionPlan/OtherPlans/SharedPlan"
    goal = steps[f"{shared}/Goal[2]/GoalText"]
    assert goal.source == "Goal[1].description.text"
    assert goal.earlier is not None
    assert goal.earlier.source == "/CoordinatedActionPlan/Goals/Goal[2]/GoalText"
    assert goal.earlier.table == "ki-plan-xml/goal.yaml"
    section = steps[f"{shared}/Goal[2]/SectionCode"]
    assert re.fullmatch(r"xml-plan/codes/section\.csv:\d+", section.codes)
    assert steps["/ActionPlan/MessageHeader/MessageIdentifier"].kind == "context"
    assert steps["/ActionPlan/MessageHeader/SentDateTime"].kind == "context"
    assert steps["/ActionPlan/Purpose/PurposeText"].kind == "own"


def test_a_row_of_a_table_is_told_both_ways() -> None:
    steps = {s.target: s.origin for s in told("ki-plan-xml")[1]}
    goal = steps["/CoordinatedActionPlan/Goals/Goal[1]/GoalStatusCode"]
    assert (goal.kind, goal.table) == ("row", "ki-plan-xml/goal.yaml")
    assert goal.codes.startswith("ki-plan-xml/codes/")
    assert goal.source == "Goal.lifecycleStatus"
    assert goal.earlier is not None
    assert goal.earlier.source == "/CoordinatedActionPlan/Goals/Goal[1]/GoalStatusCode"


def test_a_text_put_together_names_its_parts() -> None:
    text = next(
        s for s in told("vum")[1]
        if s.target.endswith(".detail.description") and "Hvis det ikke lykkes" in str(s.value)
    )  # fmt: skip
    assert text.origin.kind == "composed"
    parts = set(text.origin.source.split(", "))
    activity = "CarePlan.activity[0]"
    assert {f"{activity}.progress[0].text", f"{activity}.detail.code.text"} <= parts


def test_nothing_that_people_wrote_passes_for_the_adapters_own() -> None:
    """Of the part for others in an owner's document: its notice, marks and what it is."""
    own = {
        s.value for s in told("behandlingsplan")[1]
        if s.origin.kind == "code" and len(str(s.value)) < 1000
    }  # fmt: skip
    assert {v for v in own if " " in str(v)} <= {NOTICE, "Koordinerende indsatsplan"}
    assert NOTICE in own


def test_paper_has_no_paths() -> None:
    with pytest.raises(Unsupported):
        leaves_of(b"%PDF-1.7")

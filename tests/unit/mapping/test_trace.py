"""Lineage is told by the engine, changes nothing, and leads to what is really there."""

from __future__ import annotations

import re
from typing import Any

import pytest
from lxml import etree

from adapters.ki_plan_xml.document import FORMAT
from adapters.xml_plan import XmlPlan
from hub.contract import PlanUpdate
from hub.fhir.codec import parse_json
from hub.mapping import mappings_folder
from hub.mapping.paths import get
from hub.mapping.trace import Step, recorder, recording, sourced, traced
from tests.contract.adapter_samples import REGISTRY, Sample, context, message, sender_of

SAMPLES = [
    Sample(format, file)
    for format in ("behandlingsplan", "handleplan-141", "udskrivningsaftale", "ki-plan-xml", "vum")
    for file in sorted((mappings_folder(format) / "samples").iterdir())
]
each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: s.name)


def told(sample: Sample) -> tuple[PlanUpdate, list[Step]]:
    sender = sender_of(sample)
    with recording() as found:
        update = REGISTRY.adapter(sample.format).parse(
            message(sample, sender), traced(context(sender))
        )
        assert isinstance(update, PlanUpdate)
        return update, list(found.steps(update.resources))


@each_sample
def test_recording_changes_nothing(sample: Sample) -> None:
    sender = sender_of(sample)
    plain = REGISTRY.adapter(sample.format).parse(message(sample, sender), context(sender))
    assert told(sample)[0] == plain
    assert recorder() is None


@each_sample
def test_every_value_has_an_origin_and_every_row_a_line(sample: Sample) -> None:
    _, steps = told(sample)
    assert len({s.target for s in steps}) == len(steps)
    for step in steps:
        origin = step.origin
        if origin.kind in {"row", "fixed"}:
            lines = (mappings_folder("") / origin.table).read_text("utf-8").splitlines()
            assert lines[origin.line - 1].lstrip().startswith("- "), step.target
        if origin.kind == "row":
            source = origin.source.replace(".", "/").rpartition("/")[2].partition("[")[0]
            assert source in lines[origin.line - 1], step.target


def document(sample: Sample) -> dict[str, Any]:
    """The document as a tree below the name its paths begin with."""
    if sample.format == "vum":
        return {"Bundle": parse_json(sample.body)}
    adapter = REGISTRY.adapter(sample.format)
    format = adapter._format if isinstance(adapter, XmlPlan) else FORMAT
    root = format.read(sample.body)
    return {etree.QName(root).localname: format.record(root)}


@each_sample
def test_what_comes_from_the_document_is_at_the_path_that_is_told(sample: Sample) -> None:
    tree, same = document(sample), 0
    for step in told(sample)[1]:
        if step.origin.kind not in {"row", "source"}:
            continue
        path = step.origin.source.lstrip("/")
        if sample.format == "vum":
            path = path.replace(".", "/")
        else:
            path = re.sub(r"\[(\d+)\]", lambda m: f"[{int(m[1]) - 1}]", path)
        found = get(tree, path)
        assert found is not None, (step.target, step.origin.source)
        same += found == step.value
    assert same > 3


def test_the_kinds_of_origin() -> None:
    _, steps = told(next(s for s in SAMPLES if s.name == "behandlingsplan/typical.xml"))
    by = {s.target: s.origin for s in steps}
    assert by["CarePlan.intent"].kind == "fixed"
    assert by["CarePlan.id"].kind == "context"
    status = by["CarePlan.status"]
    assert (status.kind, status.codes) == ("row", "behandlingsplan/codes/plan-status.csv:2")
    assert status.source == "/TreatmentPlan/PlanVersion/PlanStatusCode"
    assert by["CarePlan.subject.reference"].kind == "code"
    marks = [o for t, o in by.items() if t.endswith("valueBoolean") and o.kind == "default"]
    assert {m.source.rpartition("/")[2] for m in marks} == {"CoordinationIndicator"}
    plan = next(s for s in SAMPLES if s.name == "ki-plan-xml/typical.xml")
    read = [s.origin for s in told(plan)[1] if s.origin.kind == "source"]
    assert "items.read_intervention" in " ".join(o.table for o in read)


def test_nothing_is_marked_when_nobody_records() -> None:
    record = {"A": "x"}
    assert sourced(record, "/Doc", 1) is record
    sender = sender_of(SAMPLES[0])
    given = context(sender)
    assert traced(given) is given

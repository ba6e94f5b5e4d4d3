"""Narratives: complete, escaped, without base64, and refused when they are not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from adapters.medcom.assemble import TEXT_LIMIT
from adapters.medcom.narrative import check, with_narrative
from hub.errors import CannotRender
from tests.unit.medcom.messages import copy_bundle, first, rendered
from tests.views import PLAN_1, view_of

Narrative = dict[str, Any]


def div(narrative: Narrative, spoken: str) -> None:
    narrative["div"] = narrative["div"].replace("</div>", f"{spoken}</div>")


DEFECTS: list[tuple[str, Callable[[Narrative], object]]] = [
    ("must have a narrative", lambda n: n.pop("div")),
    ("status", lambda n: n.update(status="generated")),
    ("well-formed", lambda n: div(n, "<p>")),
    ("plain elements", lambda n: div(n, "<script>x()</script>")),
    ("plain elements", lambda n: div(n, '<p xmlns="urn:x">x</p>')),
    ("show the id", lambda n: n.update(div='<div xmlns="http://www.w3.org/1999/xhtml"/>')),
]


@pytest.mark.parametrize(("said", "defect"), DEFECTS, ids=range(len(DEFECTS)))
def test_a_defect_of_the_narrative_is_caught(
    said: str, defect: Callable[[Narrative], object]
) -> None:
    communication = first(copy_bundle(), "Communication")
    assert list(check(communication)) == []
    defect(communication["text"])
    assert [i.text for i in check(communication) if said in i.text]


def test_base64_in_the_narrative_is_caught() -> None:
    communication = first(copy_bundle(), "Communication")
    data = communication["payload"][1]["contentAttachment"]["data"]
    assert data[:64] not in communication["text"]["div"]
    div(communication["text"], f"<p>{data}</p>")
    assert [i for i in check(communication) if "base64" in i.text]


def test_labels_are_danish_and_english_and_codes_are_spoken() -> None:
    spoken = first(copy_bundle(), "Communication")["text"]["div"]
    assert "<b>Emne, Tekst / Topic, Text:</b> Plan til orientering" in spoken
    assert "Forløbskoordinering / Care Coordination (carecoordination)" in spoken
    assert "PractitionerRole/" in spoken


def test_markup_in_a_name_is_text() -> None:
    patient = {
        "resourceType": "Patient", "id": "p", "name": [{"family": "<script>&amp;\x00\ud800"}],
    }  # fmt: skip
    made = with_narrative(patient)
    assert "&lt;script&gt;&amp;amp;\ufffd\ufffd" in made["text"]["div"]
    assert list(check(made)) == []


def test_what_a_sender_adds_is_shown() -> None:
    added = {"resourceType": "Organization", "id": "o", "active": True, "alias": ["Gammelt navn"]}
    spoken = with_narrative(added)["text"]["div"]
    assert "ja / yes" in spoken
    assert "Gammelt navn" in spoken


def test_a_text_longer_than_a_fhir_string_is_not_sent() -> None:
    view = view_of(PLAN_1)
    long = {"description": {"text": "å" * (TEXT_LIMIT + 1)}}
    resources = {k: r | long if k.startswith("Goal/") else r for k, r in view.resources.items()}
    with pytest.raises(CannotRender) as e:
        rendered(replace(view, resources=resources))
    assert [i.code for i in e.value.issues] == ["too-long"]

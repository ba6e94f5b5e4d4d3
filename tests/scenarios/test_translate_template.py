"""``ki-hub translate`` to and from the template's formats, as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lxml import etree

from adapters.ki_plan_xml.document import FORMAT
from hub.fhir.validation import EmbeddedValidator
from tests.scenarios.test_translate_command import FILES, losses_in, refusal, translate
from tests.views import ROOT

TEMPLATE = "ki-plan-xml"
FILE = ROOT / "mappings" / TEMPLATE / "samples" / "everything.xml"
OUT = ("html", "cpd", "ki-plan-questionnaire", "pdf", "medcom-carecommunication", "fhir", TEMPLATE)


def well_formed(format: str, body: bytes) -> None:
    """What each format promises of itself at the least."""
    if format == TEMPLATE:
        assert FORMAT.schema.issues_of(etree.fromstring(body)) == ()
    elif format == "cpd":
        assert etree.fromstring(body).tag == "{urn:hl7-org:v3}ClinicalDocument"
    elif format == "html":
        assert body.startswith(b"<!DOCTYPE html>")
    elif format == "pdf":
        assert body.startswith(b"%PDF-")
    else:
        issues = EmbeddedValidator().check([json.loads(body)])
        assert [i for i in issues if i.severity in {"error", "fatal"}] == []


@pytest.mark.parametrize("target", OUT)
def test_the_template_becomes_every_format_that_carries_a_plan(target: str, tmp_path: Path) -> None:
    losses = tmp_path / "losses.json"
    ran = translate(TEMPLATE, target, FILE, "--losses", losses, "--receiver", "rus-havneby")
    assert (ran.code, ran.err) == (0, b"")
    well_formed(target, ran.out)
    assert losses_in(losses)


@pytest.mark.parametrize("target", ["html", "cpd", "ki-plan-questionnaire", TEMPLATE])
def test_the_canonical_plan_becomes_each_of_them(target: str, tmp_path: Path) -> None:
    losses = tmp_path / "losses.json"
    ran = translate("fhir", target, FILES["fhir"], "--losses", losses)
    assert (ran.code, ran.err) == (0, b"")
    well_formed(target, ran.out)
    losses_in(losses)


def test_there_and_back_again_is_the_same_document() -> None:
    out = translate("fhir", TEMPLATE, FILES["fhir"])
    back = translate(TEMPLATE, "fhir", stdin=out.out)
    again = translate("fhir", TEMPLATE, stdin=back.out)
    assert (out.code, back.code, again.code) == (0, 0, 0)
    assert again.out == out.out


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("behandlingsplan", TEMPLATE),  # one sector's plan is no KI-plan
        ("vum", "cpd"),
        (TEMPLATE, "ki-notice"),  # a plan is no notice
        ("html", "fhir"),
        ("cpd", "fhir"),
        ("ki-notice", "fhir"),
        ("ki-plan-questionnaire", "fhir"),
    ],
)
def test_what_the_rules_forbid_exits_3_with_one_outcome(source: str, target: str) -> None:
    ran = translate(source, target, FILES.get(source, FILE), "--sender", "rus-havneby")
    refusal(ran)

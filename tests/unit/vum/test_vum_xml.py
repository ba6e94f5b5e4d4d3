"""The order as FHIR XML: read as the same order, and given back as XML."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from vum_documents import NAMES, context, own, parsed, raw, sample

from adapters.vum import ADAPTER
from hub.contract import PlanView, RawMessage, SourceDocument
from hub.errors import Malformed
from hub.fhir.xml import from_xml, to_xml
from tests.views import PLAN_1, parties, view_of


def as_xml(name: str = "order-full") -> RawMessage:
    return replace(raw(sample(name)), body=to_xml(sample(name)), media_type="application/fhir+xml")


@pytest.mark.parametrize("name", NAMES)
def test_xml_and_json_of_one_order_are_the_same_order(name: str) -> None:
    assert ADAPTER.parse(as_xml(name), context()) == parsed(sample(name))
    assert ADAPTER.fingerprint(as_xml(name)) == ADAPTER.fingerprint(raw(sample(name)))


@pytest.mark.parametrize("kind", ["application/xml", "text/xml; charset=utf-8", ""])
def test_xml_is_known_by_its_media_type_or_its_first_character(kind: str) -> None:
    message = replace(as_xml(), media_type=kind)

    assert ADAPTER.parse(message, context()) == parsed(sample())


def test_xml_that_is_no_fhir_is_malformed() -> None:
    with pytest.raises(Malformed):
        ADAPTER.parse(replace(as_xml(), body=b"<Bundle/>"), context())


def _view(document: SourceDocument) -> PlanView:
    return view_of(PLAN_1, own=document)


def test_who_sent_xml_gets_xml_with_the_same_content() -> None:
    document = sample("order-full")
    in_xml = SourceDocument("vum", to_xml(document), "application/fhir+xml")
    receiver = parties()["social-havneby"]

    made = ADAPTER.render(_view(in_xml), receiver, context("rus-havneby"))
    plain = ADAPTER.render(_view(own(document)), receiver, context("rus-havneby"))

    assert made.media_type == "application/fhir+xml"
    assert from_xml(made.body) == json.loads(plain.body)
    assert made.losses == plain.losses

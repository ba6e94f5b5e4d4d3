"""Notices: by their profile, by their schema, and without a word of the plan."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters.ki_notice import ADAPTER
from adapters.ki_notice.adapter import _NUMBER
from adapters.ki_notice.form import SCHEMA
from hub.contract import Context, Notice, RawMessage, Receipt, Rendered
from hub.errors import CannotRender, Unsupported
from hub.fhir import names
from hub.fhir.validation import EmbeddedValidator
from hub.mapping import CodeTable, mappings_folder
from tests.views import PLAN_1, ROOT, check, find_party, parties, view_of

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
WHO = parties()["social-havneby"]
PLAN = "b3c1a1de-5a0f-5d0e-9a53-0f6a3f2f7b11"
KINDS = ["consent-withdrawn", "consent-narrowed", "correction", "plan-ended"]


def context(**options: str) -> Context:
    return Context(
        now=NOW,
        id_for=lambda key: str(uuid.uuid5(uuid.NAMESPACE_URL, key)),
        find_party=find_party,
        sender=parties()["rus-havneby"],
        base_url=names.BASE,
        check=check,
        options=options,
    )


def render(notice: Notice, **options: str) -> Rendered:
    return ADAPTER.render(notice, WHO, context(**options))


def fields(made: Rendered) -> dict[str, str]:
    root = etree.fromstring(made.body)
    assert SCHEMA.issues_of(root) == ()
    return {etree.QName(e).localname: e.text or "" for e in root if not len(e)}


def test_every_kind_of_the_published_code_system_has_a_word() -> None:
    published = json.loads((ROOT / "fhir_profiles/CodeSystem-ki-notice.json").read_text("utf-8"))
    table = CodeTable.load(mappings_folder("ki-notice") / "codes" / "kind.csv")
    assert (
        [p.target_code for p in table.pairs] == [c["code"] for c in published["concept"]] == KINDS
    )
    assert {p.target_system for p in table.pairs} == {published["url"]}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", ["", "Der kommer ikke flere breve."])
def test_the_resource_keeps_its_profile(kind: str, text: str) -> None:
    made = render(Notice(PLAN, kind, text))
    resource = json.loads(made.body)
    assert (made.media_type, made.losses) == ("application/fhir+json", ())
    assert EmbeddedValidator().check([resource], profile=names.profile("KiNotice")) == []
    assert resource["meta"]["profile"] == [names.profile("KiNotice")]
    assert resource["category"][0]["coding"][0]["code"] == kind
    said = resource["payload"][0]["contentString"]
    assert said == text or (not text and said)


@pytest.mark.parametrize("kind", KINDS)
def test_the_form_says_the_same_as_the_resource(kind: str) -> None:
    notice = Notice(PLAN, kind, "")
    made = render(notice, **{"as": "xml"})
    resource = json.loads(render(notice).body)
    found = fields(made)
    assert made.media_type == "application/xml"
    assert found["SharedPlanIdentifier"] == resource["about"][0]["identifier"]["value"] == PLAN
    assert found["MessageIdentifier"] == resource["id"] == made.message_id
    assert found["SentDateTime"] == resource["sent"]
    assert found["NoticeText"] == resource["payload"][0]["contentString"]
    root = etree.fromstring(made.body)
    units = [e.text for e in root.iter("{*}SORIdentifier")]
    assert units == ["999000000203", "999000000202"]


@pytest.mark.parametrize("form", ["fhir", "xml"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_hubs_own_sentence_tells_of_no_plan_and_no_citizen(kind: str, form: str) -> None:
    body = render(Notice(PLAN, kind, ""), **{"as": form}).body.decode().lower()
    text = json.loads(body)["payload"] if form == "fhir" else fields(
        render(Notice(PLAN, kind, ""), **{"as": form})
    )["NoticeText"].lower()  # fmt: skip
    for word in ("indsatsplan", "ki-plan", "borger", "misbrug", "psyk", "rusmid", "patient"):
        assert word not in repr(text)


@given(text=st.text(st.characters(codec="utf-8"), min_size=1))
@settings(max_examples=100, deadline=None)
def test_the_text_is_carried_or_named(text: str) -> None:
    """Nothing is added to it, and it never becomes markup."""
    assume(not _NUMBER.search(text))
    assume(not text.strip() or any(c.isprintable() and not c.isspace() for c in text))
    made = render(Notice(PLAN, "correction", text), **{"as": "xml"})
    found = fields(made)["NoticeText"]
    assert len(etree.fromstring(made.body)) == 7
    told = text.strip()
    if told and made.losses == ():
        assert found == told
    elif told:
        assert [x.path for x in made.losses] == ["Notice/text"]


def test_what_is_refused() -> None:
    for notice in (
        Notice(PLAN, "greeting", ""),
        Notice(PLAN, "correction", "Det gælder 020160-9996."),
        Notice(PLAN, "correction", "Det gælder 0201609996."),
    ):
        with pytest.raises(CannotRender) as caught:
            render(notice)
        assert "9996" not in str(caught.value)
    with pytest.raises(CannotRender):
        render(Notice(PLAN, "correction", ""), **{"as": "pdf"})
    with pytest.raises(CannotRender):
        render(Notice("p" * 65, "correction", ""), **{"as": "xml"})
    for content in (view_of(PLAN_1), Receipt("d-1", "ok")):
        with pytest.raises(CannotRender):
            ADAPTER.render(content, WHO, context())
    with pytest.raises(Unsupported):
        ADAPTER.parse(RawMessage(WHO, "ki-notice", b"{}", "application/json", "m", NOW), context())


def test_the_same_notice_gives_the_same_bytes() -> None:
    notice = Notice(PLAN, "plan-ended", "")
    for form in ("fhir", "xml"):
        assert render(notice, **{"as": form}) == render(notice, **{"as": form})


def test_a_unit_without_numbers_is_named() -> None:
    nameless = replace(WHO, identifiers=())
    made = ADAPTER.render(Notice(PLAN, "correction", ""), nameless, context(**{"as": "xml"}))
    assert WHO.name in made.body.decode()
    fields(made)

"""Out: the owner's own document, re-issued; a coordination plan as itself only."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from xml_plan_documents import (
    AGREEMENT,
    COORDINATION,
    HANDLEPLAN_KIND,
    KINDS,
    Kind,
    changed,
    context,
    documents,
    element,
)

from adapters.xml_plan.other_plans import NOTICE
from hub.contract import Notice, PlanView, Receipt, Rendered, Resource, SourceDocument
from hub.errors import CannotRender
from hub.fhir.reading import PlanReader
from hub.mapping.paths import leaves
from hub.others import THE_SHARED_PART
from tests.views import PLAN_1, PLAN_2, parties, view_of

HEADER = {"MessageIdentifier", "SentDateTime", "SharedPlanIdentifier", "BaseVersion"}
SHARING = [HANDLEPLAN_KIND, AGREEMENT]
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.root)
each_sharing = pytest.mark.parametrize("kind", SHARING, ids=lambda k: k.root)


class PdfPrinter:
    def plan(self, view: PlanView, *, now: datetime) -> bytes:
        return b"%PDF-1.7 " + str(view.version).encode() + now.isoformat().encode()


@lru_cache(maxsize=1)
def shared_view() -> PlanView:
    return view_of(PLAN_1)


def own_resources(kind: Kind, body: bytes) -> dict[str, Resource]:
    return {f"{r['resourceType']}/{r['id']}": r for r in kind.parse(body).resources}


def own_view(kind: Kind, body: bytes, *, shared: bool) -> PlanView:
    """What the owner may see: its own plan, and the shared plan where there is one."""
    own = own_resources(kind, body)
    resources = own
    if shared:
        patient = next(r for r in own.values() if r["resourceType"] == "Patient")
        resources = {
            k: r | {"identifier": patient["identifier"]} if k.startswith("Patient/") else r
            for k, r in shared_view().resources.items()
        } | own
    return replace(
        shared_view(),
        resources=resources,
        own=SourceDocument(kind.format.name, body, "application/xml"),
        own_part=next(iter(own)),
    )


def render(kind: Kind, view: PlanView, printer: PdfPrinter | None = None) -> Rendered:
    return kind.adapter.render(view, kind.owner, context(kind.owner, "delivery", printer))


def own_content(body: bytes) -> list[tuple[str, dict[str, str], str | None]]:
    """The owner's leaves in order, exactly as written, without what the hub writes."""
    root = etree.fromstring(body)
    for name in HEADER:
        for found in root.findall(f"{{*}}MessageHeader/{{*}}{name}"):
            found.getparent().remove(found)  # type: ignore[union-attr]
    for found in root.findall("{*}OtherPlans"):
        root.remove(found)
    return [(str(e.tag), dict(e.attrib), e.text) for e in root.iter() if len(e) == 0]


@each_kind
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_reissue_is_valid_and_parses_to_the_same_own_content(
    kind: Kind, data: st.DataObject
) -> None:
    body = data.draw(documents(kind))
    shared = kind is not COORDINATION
    rendered = render(kind, own_view(kind, body, shared=shared))
    assert kind.format.schema.issues_of(etree.fromstring(rendered.body)) == ()
    again, before = kind.parse(rendered.body), kind.parse(body)
    assert again.resources == before.resources
    assert (again.losses, again.case, again.issues) == (before.losses, before.case, before.issues)
    assert own_content(rendered.body) == own_content(body)
    if shared:
        assert (again.plan_id, again.base_version) == (shared_view().plan_id, 1)


@each_kind
def test_without_an_own_document_nothing_is_made(kind: Kind) -> None:
    with pytest.raises(CannotRender):
        render(kind, shared_view())
    for content in (Notice("p", "withdrawn", "t"), Receipt("m", "ok")):
        with pytest.raises(CannotRender):
            kind.adapter.render(content, kind.owner, context(kind.owner))


@each_kind
def test_it_goes_to_no_other_unit_and_mixes_no_citizens(kind: Kind) -> None:
    view = own_view(kind, kind.sample(), shared=kind is not COORDINATION)
    with pytest.raises(CannotRender):
        kind.adapter.render(view, parties()["rus-havneby"], context(kind.owner))
    with pytest.raises(CannotRender) as caught:
        render(kind, replace(view, resources=view_of(PLAN_2).resources, own_part=None))
    assert "1507729995" not in str(caught.value)


@each_sharing
def test_others_plans_and_the_pdf_are_told_for_information(kind: Kind) -> None:
    view = own_view(kind, kind.sample("everything"), shared=True)
    rendered = render(kind, view, PdfPrinter())
    assert render(kind, view, PdfPrinter()) == rendered, "the same each time"
    root = etree.fromstring(rendered.body)
    (others,) = root.findall("{*}OtherPlans")
    assert element(others, "NoticeText").text == NOTICE
    assert len(others.findall("{*}SharedPlan/{*}Goal")) == 3
    assert others.findall("{*}OtherPlan") == [], "the own plan is not repeated"
    attached = element(others, "AttachedDocument/ContentBinary").text or ""
    assert base64.b64decode(attached).startswith(b"%PDF-1.7 1")
    header = kind.format.record(element(root, "MessageHeader"))
    assert header["SharedPlanIdentifier"] == view.plan_id
    assert header["MessageIdentifier"] == rendered.message_id
    again = own_view(kind, rendered.body, shared=True)
    assert render(kind, again, PdfPrinter()).body == rendered.body, "a re-issue is stable"


@each_sharing
def test_what_it_tells_of_others_is_read_back_in_its_words(kind: Kind) -> None:
    view = own_view(kind, kind.sample(), shared=True)
    found = kind.parse(render(kind, view, PdfPrinter()).body).said_of_others
    assert {s.plan for s in found} == {THE_SHARED_PART}
    reader = PlanReader(view.resources)
    wanted = {("goal", g.text, "") for g in reader.goals()}
    wanted |= {("challenge", c.text, c.label) for c in reader.challenges()}
    wanted |= {("intervention", i.text, "") for i in reader.interventions()}
    wanted |= {("status-note", n.text, n.actor) for n in reader.status_notes()}
    assert {(s.item, s.text, s.label) for s in found if s.item} == wanted
    assert len(wanted) > 10
    assert not any("JVBERi" in s.text for s in found), "a print is compared, never quoted"
    # An item's own text is told once; everything else that is written is told as well.
    elements = element(etree.fromstring(render(kind, view).body), "OtherPlans").iter()
    leaves_ = [e.text for e in elements if not len(e) and (e.text or "").strip()]
    assert len([s for s in found if not s.at.endswith("ContentBinary")]) == len(leaves_)
    assert kind.parse(kind.sample()).said_of_others == ()


@each_sharing
def test_nothing_in_the_output_was_in_neither_input(kind: Kind) -> None:
    view = own_view(kind, kind.sample(), shared=True)
    known = {str(value) for _, value in leaves(list(view.resources.values()))}
    root = etree.fromstring(render(kind, view).body)
    for leaf in element(root, "OtherPlans").iter():
        local = etree.QName(leaf).localname
        if len(leaf) or local in {"SectionCode", "RoleCode", "EffortStatusCode"}:
            continue
        assert leaf.text in {NOTICE, "true", "false"} or leaf.text in known, local


def test_what_the_other_formats_say_is_told_in_each() -> None:
    """Purpose, times, offers with their party, and the duration in words come through."""
    theirs = own_resources(AGREEMENT, AGREEMENT.sample())
    view = own_view(HANDLEPLAN_KIND, HANDLEPLAN_KIND.sample(), shared=True)
    rendered = render(HANDLEPLAN_KIND, replace(view, resources={**view.resources, **theirs}))
    other = element(etree.fromstring(rendered.body), "OtherPlans/OtherPlan")
    assert element(other, "PlanKindCode").text == "udskrivningsaftale"
    assert element(other, "PeriodStartDate").text == "2026-09-18"
    assert [e.text for e in other.findall("{*}Effort[3]/{*}ResponsibleName")] == [
        "Havneby Kommune, Socialafdelingen",
        "Nor Prøvesen, bostøtte",
    ]


def test_a_coordination_plan_is_re_issued_as_itself() -> None:
    body = COORDINATION.sample()
    rendered = render(COORDINATION, own_view(COORDINATION, body, shared=False), PdfPrinter())
    assert rendered.losses == ()
    header = COORDINATION.record(rendered.body)["MessageHeader"]
    assert set(header) == {
        "MessageIdentifier",
        "SentDateTime",
        "SenderSORIdentifier",
        "CaseIdentifier",
    }
    assert b"OtherPlans" not in rendered.body
    assert b"PDF" not in rendered.body


def test_a_coordination_plan_is_never_rendered_beside_a_plan() -> None:
    body = COORDINATION.sample()
    with pytest.raises(CannotRender):
        render(COORDINATION, own_view(COORDINATION, body, shared=True))
    alone = own_view(COORDINATION, body, shared=False)
    with pytest.raises(CannotRender):
        render(COORDINATION, replace(alone, own_part=None))


@pytest.mark.parametrize(("own", "other"), [(AGREEMENT, COORDINATION), (COORDINATION, AGREEMENT)])
def test_one_kind_is_never_re_issued_for_the_other(own: Kind, other: Kind) -> None:
    view = own_view(own, own.sample(), shared=False)
    document = SourceDocument(other.format.name, other.sample(), "application/xml")
    with pytest.raises(CannotRender):
        render(own, replace(view, own=document))


@each_kind
def test_an_unreadable_own_document_is_the_operators(kind: Kind) -> None:
    view = own_view(kind, kind.sample(), shared=False)
    bad = changed(kind.sample(), "PlanVersion/PlanStatusCode", "hemmelig")
    with pytest.raises(CannotRender) as caught:
        render(kind, replace(view, own=SourceDocument(kind.format.name, bad, "application/xml")))
    assert "hemmelig" not in str(caught.value)

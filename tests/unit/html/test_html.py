"""The pages: complete, literal, self-contained, repeatable, and free of accessibility faults."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from lxml import html as lxml_html
from playwright.sync_api import Browser

from adapters.html import ADAPTER
from adapters.pdf import ADAPTER as PDF
from adapters.pdf.content import content
from hub.contract import Context, Notice, PlanView, RawMessage, Receipt, Rendered
from hub.errors import CannotRender, Unsupported
from hub.fhir import names
from hub.mapping.paths import leaves
from tests.accessibility import violations
from tests.full_views import full_view
from tests.views import PLAN_1, PLAN_2, check, find_party, parties

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
WHO = parties()["koord-havneby"]
CONTEXT = Context(
    now=NOW,
    id_for=lambda key: str(uuid.uuid5(uuid.NAMESPACE_URL, key)),
    find_party=find_party,
    sender=parties()["rus-havneby"],
    base_url=names.BASE,
    check=check,
)


def render(view: PlanView | Notice) -> Rendered:
    return ADAPTER.render(view, WHO, CONTEXT)


def values(view: PlanView) -> Iterator[str]:
    """Every text that the printed plan shows of the view; the lead's unit is in the citizen's."""
    found = leaves(content(view, NOW) | {"lead_unit": None})
    yield from (v for _, v in found if isinstance(v, str))


def shown(body: bytes) -> str:
    root = lxml_html.fromstring(body.decode())
    return " ".join(" ".join(root.itertext()).split())


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("plan", [PLAN_1, PLAN_2], ids=["plan-1", "plan-2"])
def test_the_page_says_everything_that_the_printed_plan_says(plan: Any) -> None:
    view = full_view(plan)
    text = shown(render(view).body).replace(" )", ")")
    for value in values(view):
        assert flat(value) in text, value
    labelled = [p for p, v in leaves(content(view, NOW)) if p.endswith("sections") and v]
    assert text.count("Område: ") == len(labelled)
    headings = re.findall(r"<h2>([A-J])\.", render(view).body.decode())
    assert headings == list("ABCDEFGHIJ")


def test_the_citizens_page_says_what_the_citizens_paper_says() -> None:
    view = replace(full_view(), audience="citizen")
    text = shown(render(view).body)
    for group in ("challenges", "goals", "interventions", "notes"):
        for item in content(view, NOW)[group]:
            assert flat(item["text"]) in text
    assert "Niveau" not in text
    assert "Område" not in text
    assert "Prøvevej" not in text


def test_the_losses_are_those_of_the_printed_plan() -> None:
    for view in (full_view(), replace(full_view(), audience="citizen")):
        assert render(view).losses == PDF.render(view, WHO, CONTEXT).losses


def test_a_page_needs_nothing_but_itself() -> None:
    for view in (
        full_view(),
        replace(full_view(), audience="citizen"),
        Notice("p-1", "correction", "Ny"),
    ):
        body = render(view).body.decode()
        root = lxml_html.fromstring(body)
        assert body.startswith("<!DOCTYPE html>")
        assert root.get("lang") == "da"
        assert not root.xpath("//script | //link | //img | //iframe | //object | //form | //a")
        assert not root.xpath("//@src | //@href | //@style")
        assert "url(" not in body
        assert "default-src 'none'" in body


def test_tables_say_what_their_cells_are_about() -> None:
    root = lxml_html.fromstring(render(full_view()).body.decode())
    for table in root.iter("table"):
        heads = table.xpath(".//th")
        assert heads
        assert all(th.get("scope") in {"row", "col"} for th in heads)


def test_the_same_view_gives_the_same_bytes() -> None:
    assert render(full_view()) == render(full_view())


# What a page may hold: the tags of the templates, and no attribute that does anything.
_TAGS = {
    "html", "head", "meta", "title", "style", "body", "main", "footer", "h1", "h2", "h3", "p",
    "br", "strong", "span", "div", "table", "caption", "thead", "tbody", "tr", "th", "td", "ol",
    "li",
}  # fmt: skip
_ATTRIBUTES = {"lang", "charset", "http-equiv", "content", "name", "class", "scope", "value"}
_HOSTILE = st.sampled_from(
    [
        "<script>alert(1)</script>",
        "</td></table><h1>x",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='x",
        "&lt;b&gt; &amp; &#60;i&#62;",
        "{{ 7 * 7 }} {% raw %}",
        "</style><style>*{}",
        "<!-- -->",
        "]]><svg/onload=x>",
    ]
)  # fmt: skip
_TEXTS = st.lists(
    _HOSTILE | st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=12),
    min_size=1,
    max_size=4,
).map("".join)


def replaced(view: PlanView, texts: Iterator[str]) -> PlanView:
    """The view with every text that people write replaced."""
    free = {"valueString", "text", "display", "description", "name", "scheduledString", "title"}

    def walk(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {k: walk(v, k) for k, v in value.items()}
        if isinstance(value, list):
            return [walk(v, name) for v in value]
        return next(texts) if name in free and isinstance(value, str) else value

    return replace(view, resources={k: walk(r) for k, r in view.resources.items()})


def tree_of(body: bytes) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    """Tags and attributes as a browser would read them, without texts."""
    root = lxml_html.fromstring(body.decode())
    return [
        (str(e.tag), tuple(sorted((k, v) for k, v in e.attrib.items() if k != "value")))
        for e in root.iter()
        if isinstance(e.tag, str)
    ]


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), audience=st.sampled_from(["party", "citizen"]))
def test_the_plans_text_never_becomes_markup(data: st.DataObject, audience: Any) -> None:
    some = data.draw(st.lists(_TEXTS, min_size=3, max_size=8))

    def endless() -> Iterator[str]:
        while True:
            yield from some

    view = replaced(replace(full_view(), audience=audience), endless())
    body = render(view).body
    text = body.decode()
    plain = render(replaced(view, iter(lambda: "x", None))).body.decode()
    for tag, attributes in tree_of(body):
        assert tag in _TAGS
        assert {k for k, _ in attributes} <= _ATTRIBUTES
    assert text.count("<style") == 1
    for value in some:
        # A value such as "<" or "</p" is in the page's own markup as well.
        assert "<" not in value or value in plain or value not in text
    assert not etree.HTML(text).xpath("//*[@onerror or @onload or @onmouseover]")


def test_a_hostile_text_is_shown_letter_by_letter() -> None:
    hostile = "<b onclick='x'>\"Fed\" & </td>{{ d }}</b>"
    view = replaced(full_view(), iter(lambda: hostile, None))
    root = lxml_html.fromstring(render(view).body.decode())
    assert any(hostile in "".join(e.itertext()) for e in root.iter("p"))
    assert not root.xpath("//b")


def test_a_character_that_html_has_no_place_for_is_a_loss_at_its_path() -> None:
    view = replaced(full_view(), iter(lambda: "Godt\x02 klaret\ufffe", None))
    made = render(view)
    assert "Godt\ufffd klaret\ufffd" in made.body.decode()
    goal = next(k for k in view.resources if k.startswith("Goal/"))
    assert [x.kind for x in made.losses if x.path == f"{goal}/description/text"] == ["coarsened"]


def test_a_protected_address_is_on_no_page() -> None:
    view = full_view()
    key = next(k for k in view.resources if k.startswith("Patient/"))
    patient = dict(view.resources[key])
    patient["meta"] = {"security": [{"system": names.CONFIDENTIALITY, "code": "R"}]}
    body = render(replace(view, resources=dict(view.resources) | {key: patient})).body.decode()
    assert "Prøvevej" not in body
    assert "+4500000911" not in body
    assert "00 00 09 11" not in body
    assert "beskyttet adresse" in body


def test_a_notice_is_a_page_of_its_own() -> None:
    body = render(Notice("plan-1", "plan-ended", "Planen er <afsluttet>.")).body.decode()
    assert "Planen er &lt;afsluttet&gt;." in body
    assert "plan-1" in body


def test_nothing_comes_in_and_no_receipt_goes_out() -> None:
    message = RawMessage(WHO, "html", b"<html></html>", "text/html", "m1", NOW)
    with pytest.raises(Unsupported):
        ADAPTER.parse(message, CONTEXT)
    with pytest.raises(CannotRender):
        ADAPTER.render(Receipt("d-1", "ok"), WHO, CONTEXT)


def test_no_page_has_an_accessibility_fault(browser: Browser) -> None:
    pages: list[PlanView | Notice] = [
        full_view(),
        replace(full_view(PLAN_2), approved=True),
        replace(full_view(), audience="citizen"),
        Notice("plan-1", "plan-ended", "Planen er afsluttet."),
    ]
    context = browser.new_context(locale="da-DK", viewport={"width": 1000, "height": 900})
    said: list[str] = []
    for view in pages:
        page = context.new_page()
        page.on("console", lambda m: said.append(m.text))
        page.set_content(render(view).body.decode())
        # axe-core is the test's own script; the page's policy lets no other run.
        page.evaluate("document.querySelector('meta[http-equiv]').remove()")
        assert violations(page) == []
        page.set_viewport_size({"width": 360, "height": 800})
        wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        assert not wide, "the page scrolls sideways on a telephone"
        page.close()
    context.close()
    assert said == []

"""The printed pages: accessible, complete, in order, literal, repeatable."""

import copy
import dataclasses
import io
import json
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.pdf import PRINTER, words
from adapters.pdf.content import content
from hub.contract import PlanView
from hub.errors import CannotRender
from hub.fhir import names
from hub.fhir.reading import PlanReader
from hub.mapping.paths import leaves
from tests.views import PLAN_1, PLAN_2, view_of

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
PLANS = (PLAN_1, PLAN_2)
TEMPLATES = Path(__file__).parents[3] / "adapters" / "pdf"


def pdf_text(body: bytes, *, margins: bool = False) -> str:
    """The pages' text in reading order; without the running head and foot unless asked."""
    crop = [] if margins else ["-x", "0", "-y", "62", "-W", "596", "-H", "728"]
    command = ["pdftotext", "-raw", *crop, "-", "-"]
    return subprocess.run(command, input=body, capture_output=True, check=True).stdout.decode()


def bare(text: str) -> str:
    """Without what line breaking adds or takes: white space, hyphens, break marks."""
    return re.sub(r"[\s\-\u00ad\u200b\u2010]", "", text)


def pages(body: bytes) -> list[str]:
    return pdf_text(body, margins=True).split("\f")[:-1]


def changed(view: PlanView, kind: str, change) -> PlanView:
    """The view with the first resource of that kind changed in place."""
    resources = copy.deepcopy(dict(view.resources))
    change(next(r for r in resources.values() if r["resourceType"] == kind))
    return dataclasses.replace(view, resources=resources)


def with_goal(view: PlanView, text: str) -> PlanView:
    return changed(view, "Goal", lambda goal: goal.update(description={"text": text}))


def expected_plan_texts(view: PlanView) -> list[str]:
    """Every text of the shared part, in the template's order A-I."""
    r = PlanReader(view.resources)
    contacts = [c for c in r.contacts() if "citizen" not in c.roles]
    order = [
        [c for c in contacts if "lead" in c.roles],
        [c for c in contacts if not {"lead", "relative"} & set(c.roles)],
        [c for c in contacts if "relative" in c.roles],
    ]
    meeting, following = r.meeting(), r.next_meeting()
    found = [r.patient["name"][0]["text"], words.cpr(r.cpr), r.consent_as_written]
    for c in [c for group in order for c in group]:
        found += [c.title if c.title != c.name else "", c.name, c.unit if c.unit != c.name else ""]
        found += [words.telephone(c.phone), c.email or ""]
    found += [words.day(meeting.date), *meeting.present]
    found += [x for who_and_why in meeting.declined for x in who_and_why]
    found += [x for n in r.status_notes() for x in (n.actor, n.text)]
    found += [x for c in r.challenges() for x in (c.label, c.text)]
    found += [g.text for g in r.goals()]
    for i in r.interventions():
        found += [f"Ad {words.numbers(i.goals)}", i.text, i.success_criterion, i.fallback]
        found += [*i.performers, i.time]
    found += [following.time, words.day(following.earliest), words.day(following.latest)]
    found += [x for c in following.conveners for x in (c.who, c.until, c.since)]
    found += [following.place]
    return found + [x for p in r.postscripts() for x in (p.text, p.author, words.day(p.date))]


@pytest.mark.parametrize("audience", ["party", "citizen"])
@pytest.mark.parametrize("plan", PLANS, ids=["plan-1", "plan-2"])
def test_is_tagged_pdf_ua_in_danish_with_a_title(plan, audience):
    body = PRINTER.plan(view_of(plan, audience=audience), now=NOW)
    with pikepdf.open(io.BytesIO(body)) as pdf:
        assert str(pdf.Root.Lang) == "da"
        assert bool(pdf.Root.MarkInfo.Marked) is True
        assert bool(pdf.Root.ViewerPreferences.DisplayDocTitle) is True
        kinds = _structure(pdf.Root.StructTreeRoot)
        assert {"/Table", "/TH", "/H1", "/Title"} <= kinds
        with pdf.open_metadata() as metadata:
            assert metadata["pdfuaid:part"] == "1"
            assert "oordinerende indsatsplan" in str(metadata["dc:title"])
        for page in pdf.pages:
            for font in page.Resources.get("/Font", {}).values():
                assert "/ToUnicode" in font


def _structure(node) -> set[str]:
    found, todo = set(), [node]
    while todo:
        item = todo.pop()
        if isinstance(item, pikepdf.Array):
            todo.extend(list(item))
        elif isinstance(item, pikepdf.Dictionary):
            if "/S" in item:
                found.add(str(item.S))
            if "/K" in item:
                todo.append(item.K)
    return found


@pytest.mark.parametrize("plan", PLANS, ids=["plan-1", "plan-2"])
def test_prints_every_text_of_the_plan_in_the_templates_order(plan):
    view = view_of(plan)
    text = bare(pdf_text(PRINTER.plan(view, now=NOW)))
    at = 0
    for expected in expected_plan_texts(view):
        found = text.find(bare(expected), at)
        assert found >= 0, f"missing or out of order: {expected}"
        at = found + len(bare(expected))


@pytest.mark.parametrize("plan", PLANS, ids=["plan-1", "plan-2"])
def test_sections_come_in_the_templates_order(plan):
    text = pdf_text(PRINTER.plan(view_of(plan), now=NOW))
    letters = re.findall(r"(?:^|\f)([A-J])\. [A-ZÅÆØ]", text, flags=re.MULTILINE)
    assert letters == list("ABCDEFGHIJ")


@pytest.mark.parametrize("plan", PLANS, ids=["plan-1", "plan-2"])
def test_the_citizens_version_has_the_same_facts(plan):
    view = view_of(plan, audience="citizen")
    text = bare(pdf_text(PRINTER.plan(view, now=NOW), margins=True))
    for expected in expected_plan_texts(view):
        wanted = expected.replace("Ad ", "Mål ")
        assert bare(wanted) in text, f"missing: {wanted}"


@pytest.mark.parametrize("audience", ["party", "citizen"])
@pytest.mark.parametrize("plan", PLANS, ids=["plan-1", "plan-2"])
def test_invents_nothing(plan, audience):
    view = view_of(plan, audience=audience)
    printed = pdf_text(PRINTER.plan(view, now=NOW)).replace("\u00ad\n", "")
    sources = [str(v) for r in view.resources.values() for _, v in leaves(r)]
    sources += [p.read_text("utf-8") for p in TEMPLATES.glob("*.typ")]
    sources += [*words.MONTHS, (TEMPLATES / "words.py").read_text("utf-8")]
    sources += [view.plan_id, view.lead.name, "kl indtil fra tidligst senest"]
    known = _words(" ".join(sources))
    assert _words(printed) - known == set()


def _words(text: str) -> set[str]:
    """Letter words, lower case; numbers are covered by the tests of their formats."""
    return {w.lower() for w in re.findall(r"[^\W\d_]+", text)}


@pytest.mark.parametrize("audience", ["party", "citizen"])
def test_a_plan_without_approval_says_so_on_every_page(audience):
    body = PRINTER.plan(view_of(PLAN_2, approved=False, audience=audience), now=NOW)
    assert all("IKKE GODKENDT ENDNU" in page for page in pages(body))
    assert "ikke godkendt endnu" in pdf_text(body).lower(), "also outside the running head"
    approved = PRINTER.plan(view_of(PLAN_2, audience=audience), now=NOW)
    assert "ikke godkendt endnu" not in pdf_text(approved, margins=True).lower()


@pytest.mark.parametrize("audience", ["party", "citizen"])
def test_every_page_has_the_number_and_page_x_of_y(audience):
    found = pages(PRINTER.plan(view_of(PLAN_1, audience=audience), now=NOW))
    assert len(found) > 1
    for number, page in enumerate(found, 1):
        assert "020160-9996" in page
        assert f"Side {number} af {len(found)}" in page


@pytest.mark.parametrize("audience", ["party", "citizen"])
@pytest.mark.parametrize("code", ["R", "V"])
def test_a_protected_address_is_never_printed(audience, code):
    system = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
    view = changed(
        view_of(PLAN_1, audience=audience),
        "Patient",
        lambda p: p["meta"].update(security=[names.coding(system, code)]),
    )
    text = pdf_text(PRINTER.plan(view, now=NOW), margins=True)
    for secret in ("Prøvevej", "0999", "00 00 09 11", "00000911"):
        assert secret not in text
    if audience == "party":
        assert "beskyttet adresse" in text


def test_a_missing_telephone_prints_as_missing():
    text = pdf_text(PRINTER.plan(view_of(PLAN_2), now=NOW))
    assert "Tlf.nr. mangler" in text
    assert "telefon? (mangler)" in pdf_text(PRINTER.plan(view_of(PLAN_1), now=NOW))


def test_one_intervention_for_two_goals_names_both():
    assert "Ad 2. og 3." in pdf_text(PRINTER.plan(view_of(PLAN_2), now=NOW))


@pytest.mark.parametrize("audience", ["party", "citizen"])
def test_section_labels_are_never_codes(audience):
    text = pdf_text(PRINTER.plan(view_of(PLAN_1, audience=audience), now=NOW))
    assert not any(code in text for code in ("substance-use", "psychiatry"))
    assert ("Område: rusmidler" in text) is (audience == "party")


def test_a_sector_plan_that_may_be_seen_is_an_annex():
    text = pdf_text(PRINTER.plan(_with_sector_plan(view_of(PLAN_1)), now=NOW))
    annex = text[text.index("J. Bilag") :]
    for expected in (
        "Behandlingsplan – Psykiatrisk Center Nordstrand",
        "Rolig hverdag",
        "Samtaler hver anden uge",
        "1. september 2026 – 1. marts 2027",
    ):
        assert expected in annex


def _with_sector_plan(view: PlanView) -> PlanView:
    resources = dict(view.resources)
    unit = next(k for k, r in resources.items() if r.get("name") == "Psykiatrisk Center Nordstrand")
    resources["CarePlan/sector"] = {
        "resourceType": "CarePlan",
        "id": "sector",
        "status": "active",
        "intent": "plan",
        "category": [names.concept(names.SECTOR_KIND, "behandlingsplan")],
        "subject": {"reference": next(k for k in resources if k.startswith("Patient/"))},
        "author": {"reference": unit},
        "description": "Rolig hverdag",
        "period": {"start": "2026-09-01", "end": "2027-03-01"},
        "activity": [
            {
                "id": "a",
                "detail": {"status": "in-progress", "description": "Samtaler hver anden uge"},
            }
        ],
    }
    return dataclasses.replace(view, resources=resources)


@pytest.mark.parametrize(
    "hostile",
    [
        '#include "/etc/passwd"',
        "#panic() *fed* _kursiv_ $x^2$ @ref <label> = Overskrift",
        "`kode` // kommentar /* blok */ \\u{41} ~ -- ---",
        "{{ jinja }} <script>alert(1)</script> &amp;",
        '" + sys.inputs.data + "',
    ],
)
def test_markup_in_a_plan_comes_out_literally(hostile):
    text = pdf_text(PRINTER.plan(with_goal(view_of(PLAN_1), hostile), now=NOW))
    assert bare(hostile) in bare(text)
    assert "root:x:" not in text


DANISH = st.text("abcdefghijklmnopqrstuvwxyzæøåÆØÅéü0123456789#$*_@<>[]{}()\\/\"'`~.,;:!?&%=+ ")


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=DANISH.filter(lambda t: t.strip()))
def test_any_text_is_printed_whole(text):
    printed = pdf_text(PRINTER.plan(with_goal(view_of(PLAN_2), text), now=NOW))
    assert bare(text) in bare(printed)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=st.text(min_size=1, max_size=40))
def test_any_unicode_text_gives_a_document(text):
    printed = PRINTER.printed(with_goal(view_of(PLAN_2), text), now=NOW)
    assert printed.body.startswith(b"%PDF-")
    assert printed.unprintable <= set(text)


def test_a_character_without_a_glyph_is_replaced_and_reported():
    printed = PRINTER.printed(with_goal(view_of(PLAN_1), "Glad \N{GRINNING FACE} igen"), now=NOW)
    assert printed.unprintable == {"\N{GRINNING FACE}"}
    assert "Glad \N{REPLACEMENT CHARACTER} igen" in pdf_text(printed.body)


def test_a_very_long_word_stays_on_the_paper():
    word = "q" * 400
    body = PRINTER.plan(with_goal(view_of(PLAN_1), word), now=NOW)
    boxes = subprocess.run(
        ["pdftotext", "-bbox", "-", "-"], input=body, capture_output=True, check=True
    ).stdout.decode()
    assert max(float(x) for x in re.findall(r'xMax="([\d.]+)"', boxes)) < 595
    assert word in bare(pdf_text(body))


def test_a_long_plan_breaks_over_pages_and_loses_nothing():
    text = " ".join(f"ord{n}" for n in range(2500))
    body = PRINTER.plan(with_goal(view_of(PLAN_1), text), now=NOW)
    printed = pdf_text(body).split()
    assert [w for w in printed if w.startswith("ord") and w[3:].isdigit()] == text.split()


@pytest.mark.parametrize("audience", ["party", "citizen"])
def test_the_same_view_and_time_give_the_same_bytes(audience):
    view = view_of(PLAN_1, audience=audience)
    assert PRINTER.plan(view, now=NOW) == PRINTER.plan(view, now=NOW)
    later = PRINTER.plan(view, now=NOW.replace(minute=1))
    assert later != PRINTER.plan(view, now=NOW)


def test_an_unknown_section_is_refused_without_its_content():
    view = changed(
        view_of(PLAN_1),
        "Goal",
        lambda g: g.update(extension=[{"url": names.SECTION, "valueCode": "astrology"}]),
    )
    with pytest.raises(CannotRender) as refused:
        PRINTER.plan(view, now=NOW)
    assert "astrology" not in str(refused.value)
    assert refused.value.issues[0].expression.startswith("Goal/")


def test_a_view_with_nothing_but_a_citizen_still_prints():
    view = view_of(PLAN_1)
    patient = next(k for k in view.resources if k.startswith("Patient/"))
    plan = {
        "resourceType": "CarePlan",
        "id": "p",
        "category": [names.concept(names.CATEGORY, "ki-plan")],
        "subject": {"reference": patient},
    }
    for audience in ("party", "citizen"):
        lean = dataclasses.replace(
            view,
            resources={"CarePlan/p": plan, patient: view.resources[patient]},
            lead=None,
            audience=audience,
        )
        assert "Karla Testine Nygaard" in pdf_text(PRINTER.plan(lean, now=NOW))


def test_the_values_are_plain_json():
    for plan in PLANS:
        values = content(view_of(plan), NOW)
        assert json.loads(json.dumps(values)) == values


def test_how_an_effort_is_followed_up_and_a_goals_horizon_are_printed():
    resources = copy.deepcopy(dict(view_of(PLAN_1).resources))
    plan = next(r for k, r in resources.items() if k.startswith("CarePlan/"))
    plan["activity"][0]["progress"] = [{"text": "Ses efter anden samtale."}, {"text": "Gik godt."}]
    view = dataclasses.replace(view_of(PLAN_1), resources=resources)
    for audience in ("party", "citizen"):
        text = pdf_text(PRINTER.plan(dataclasses.replace(view, audience=audience), now=NOW))
        assert "Opfølgning: Ses efter anden samtale." in text
        assert "Gik godt." in text
        assert "Tidshorisont: kort sigt" in text

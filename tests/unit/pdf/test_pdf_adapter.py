"""The adapter: outbound only, losses by path."""

import copy
import dataclasses
import uuid
from datetime import UTC, datetime

import pytest

from adapters.pdf import ADAPTER, PRINTER
from adapters.pdf.content import content
from hub.contract import Adapter, Context, Notice, PlanView, RawMessage, Receipt
from hub.errors import CannotRender, Unsupported
from hub.fhir import names
from tests.views import PLAN_1, PLAN_2, check, find_party, parties, view_of

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
RECEIVER = parties()["koord-havneby"]


@pytest.fixture
def context() -> Context:
    return Context(
        now=NOW,
        id_for=lambda key: str(uuid.uuid5(uuid.NAMESPACE_URL, key)),
        find_party=find_party,
        sender=parties()["rus-havneby"],
        base_url=names.BASE,
        check=check,
    )


def test_is_an_adapter():
    assert isinstance(ADAPTER, Adapter)
    assert ADAPTER.format == "pdf"


def test_nothing_comes_in(context):
    message = RawMessage(RECEIVER, "pdf", b"%PDF-1.7", "application/pdf", "m1", NOW)
    with pytest.raises(Unsupported):
        ADAPTER.parse(message, context)


@pytest.mark.parametrize("plan", [PLAN_1, PLAN_2], ids=["plan-1", "plan-2"])
def test_renders_what_the_printer_prints(plan, context):
    view = view_of(plan)
    rendered = ADAPTER.render(view, RECEIVER, context)
    assert rendered.media_type == "application/pdf"
    assert rendered.body == PRINTER.plan(view, now=NOW)


def test_the_losses_are_units_identifiers_and_telephones_and_when_the_team_began(context):
    view = view_of(PLAN_1)
    found = {(x.path, x.kind) for x in _losses(view, context)}
    units = {k: r for k, r in view.resources.items() if k.startswith("Organization/")}
    expected = {(f"{k}/identifier", "coarsened") for k in units}
    # The practice is a contact of its own, so its number is printed.
    telephones = {
        (f"{k}/telecom[0]/value", "dropped")
        for k, r in units.items()
        if "telecom" in r and "Læge" not in r["name"]
    }
    assert len(telephones) == 3
    team = next(k for k in view.resources if k.startswith("CareTeam/"))
    assert found == expected | telephones | {(f"{team}/period/start", "dropped")}


def test_the_citizens_version_drops_section_labels_and_registration(context):
    view = view_of(PLAN_1, audience="citizen")
    paths = {x.path for x in _losses(view, context)}
    key, plan = next((k, r) for k, r in view.resources.items() if k.startswith("CarePlan/"))
    for url in (names.LEVEL, names.ANCHORING, names.PROPOSAL):
        number = next(i for i, e in enumerate(plan["extension"]) if e["url"] == url)
        assert f"{key}/extension[{number}]" in paths
    assert f"{key}/created" in paths
    assert [p for p in paths if p.startswith(f"{key}/activity[0]/extension") and "Code" in p]


@pytest.mark.parametrize(
    ("kind", "element", "value"),
    [
        ("Goal", "startDate", "2031-04-01"),
        ("Goal", "note", [{"text": "Skrevet et nyt sted"}]),
        (
            "Goal",
            "priority",
            {"coding": [{"system": "urn:x", "code": "high", "display": "Haster"}]},
        ),
        ("CarePlan", "status", "revoked"),
        ("CareTeam", "period", {"end": "2026-09-15"}),
    ],
)
def test_content_of_a_kind_that_nobody_thought_of_is_a_loss(context, kind, element, value):
    resources = copy.deepcopy(dict(view_of(PLAN_1).resources))
    key = next(k for k in resources if k.startswith(f"{kind}/"))
    resources[key][element] = value
    view = dataclasses.replace(view_of(PLAN_1), resources=resources)
    more = set(_losses(view, context)) - set(_losses(view_of(PLAN_1), context))
    assert more
    assert all(x.path.startswith(f"{key}/{element}") and x.kind == "dropped" for x in more)


@pytest.mark.parametrize("last", [True, False])
def test_the_latest_meeting_is_printed_and_an_earlier_one_is_a_loss(context, last):
    resources = copy.deepcopy(dict(view_of(PLAN_1).resources))
    key, held = next((k, r) for k, r in resources.items() if k.startswith("Appointment/"))
    date = next(e for e in held["extension"] if e["url"] == names.MEETING_DATE)["valueDate"]
    later = copy.deepcopy(held) | {"id": "later"}
    later["extension"] = [{"url": names.MEETING_DATE, "valueDate": "2031-12-01"}]
    resources["Appointment/later"] = later
    info = next(r for k, r in resources.items() if k.startswith("CarePlan/"))["supportingInfo"]
    info.insert(len(info) if last else 0, {"reference": "Appointment/later"})
    view = dataclasses.replace(view_of(PLAN_1), resources=resources)
    assert content(view, NOW)["meeting"]["date"] == "1. december 2031"
    assert date < "2031"
    found = [x for x in _losses(view, context) if x.path.startswith("Appointment/")]
    assert [(x.path, x.kind) for x in found] == [(key, "dropped")]


def test_a_code_that_is_told_in_words_is_coarsened(context):
    resources = copy.deepcopy(dict(view_of(PLAN_1).resources))
    key = next(k for k in resources if k.startswith("Condition/"))
    resources[key]["code"]["coding"] = [{"system": "urn:x", "code": "123"}]
    view = dataclasses.replace(view_of(PLAN_1), resources=resources)
    found = [x for x in _losses(view, context) if x.path == f"{key}/code"]
    assert [x.kind for x in found] == ["coarsened"]


def test_a_character_that_cannot_be_printed_is_a_loss_at_its_path(context):
    resources = copy.deepcopy(dict(view_of(PLAN_1).resources))
    goal = next(k for k in resources if k.startswith("Goal/"))
    resources[goal]["description"]["text"] = "Godt \N{GRINNING FACE}"
    view = dataclasses.replace(view_of(PLAN_1), resources=resources)
    found = [x for x in _losses(view, context) if x.path == f"{goal}/description/text"]
    assert [x.kind for x in found] == ["coarsened"]


def test_losses_never_hold_content(context):
    for view in (view_of(PLAN_1), view_of(PLAN_1, audience="citizen")):
        for loss in _losses(view, context):
            assert "0201609996" not in loss.path + loss.reason
            assert "Karla" not in loss.path + loss.reason


def test_a_notice_is_a_page_of_its_own(context):
    notice = Notice("plan-7", "consent-withdrawn", "Borgeren har trukket sit samtykke tilbage.")
    rendered = ADAPTER.render(notice, RECEIVER, context)
    assert rendered.body.startswith(b"%PDF-")
    assert rendered.losses == ()


def test_a_receipt_is_not_printed(context):
    with pytest.raises(CannotRender):
        ADAPTER.render(Receipt("m1", "ok"), RECEIVER, context)


def _losses(view: PlanView, context: Context):
    return ADAPTER.render(view, RECEIVER, context).losses

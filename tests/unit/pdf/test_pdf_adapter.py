"""The adapter: outbound only, losses by path."""

import copy
import dataclasses
import uuid
from datetime import UTC, datetime

import pytest

from adapters.pdf import ADAPTER, PRINTER
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


def test_the_losses_are_the_unit_identifiers(context):
    view = view_of(PLAN_1)
    rendered = ADAPTER.render(view, RECEIVER, context)
    units = [k for k in view.resources if k.startswith("Organization/")]
    assert [loss.path for loss in rendered.losses] == [f"{k}/identifier" for k in units]
    assert {loss.kind for loss in rendered.losses} == {"coarsened"}


def test_the_citizens_version_drops_section_labels_and_registration(context):
    paths = {x.path for x in _losses(view_of(PLAN_1, audience="citizen"), context)}
    plan = next(k for k in view_of(PLAN_1).resources if k.startswith("CarePlan/"))
    assert {f"{plan}/level", f"{plan}/anchoring", f"{plan}/activity[0]/section"} <= paths


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

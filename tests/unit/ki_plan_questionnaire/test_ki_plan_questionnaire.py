"""The template as a Questionnaire: valid R4, everything of the filled template, nothing else."""

from __future__ import annotations

import csv
import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from lxml import etree

from adapters.ki_plan_questionnaire import ADAPTER
from adapters.ki_plan_questionnaire.items import LEFT_OUT
from adapters.ki_plan_xml import ADAPTER as TEMPLATE
from adapters.ki_plan_xml.document import FORMAT
from hub.contract import Context, Notice, PlanUpdate, PlanView, RawMessage, Receipt, Rendered
from hub.errors import CannotRender, Unsupported
from hub.fhir import names
from hub.fhir.validation import EmbeddedValidator
from hub.mapping import mappings_folder
from tests.contract.adapter_samples import Sample, read
from tests.full_views import full_view
from tests.views import PLAN_1, PLAN_2, check, find_party, parties, view_of

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
YARDSTICK = pytest.mark.parametrize("plan", [PLAN_1, PLAN_2], ids=["plan-1", "plan-2"])


def everything() -> PlanView:
    """The sample that uses every element of the schema, as a view."""
    update = read(Sample("ki-plan-xml", mappings_folder("ki-plan-xml") / "samples/everything.xml"))
    assert isinstance(update, PlanUpdate)
    view = full_view()
    resources = {f"{r['resourceType']}/{r['id']}": r for r in update.resources}
    return replace(view, resources=dict(view.resources) | resources, lead=WHO)


def render(view: PlanView) -> Rendered:
    return ADAPTER.render(view, WHO, CONTEXT)


def flat(found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for item in found:
        yield item
        yield from flat(item.get("item", []))


def items(view: PlanView) -> dict[str, dict[str, Any]]:
    return {i["linkId"]: i for i in flat(json.loads(render(view).body)["item"])}


def initial(item: dict[str, Any]) -> list[Any]:
    values = [next(iter(v.values())) for v in item.get("initial", ())]
    chosen = [
        o["valueCoding"]["code"] for o in item.get("answerOption", ()) if o.get("initialSelected")
    ]
    return values + chosen


@YARDSTICK
def test_it_is_valid_r4_and_the_same_each_time(plan: Any) -> None:
    for view in (view_of(plan), full_view(plan)):
        made = render(view)
        resource = json.loads(made.body)
        assert EmbeddedValidator().check([resource]) == []
        assert render(view) == made
        assert (resource["version"], resource["language"]) == (str(view.version), "da")
        assert resource["identifier"][0]["value"] == view.plan_id


def test_everything_is_valid_r4() -> None:
    assert EmbeddedValidator().check([json.loads(render(everything()).body)]) == []


def test_the_sections_are_those_of_the_template() -> None:
    found = json.loads(render(full_view()).body)["item"]
    assert "".join(i.get("prefix", "") for i in found) == "A.B.C.D.E.F.G.H.H.I.J."
    assert [i["text"] for i in found][:2] == ["Stamoplysninger", "Kontaktpersoner"]


@pytest.mark.parametrize("view", [full_view(), full_view(PLAN_2), everything()])
def test_every_value_of_the_filled_template_is_an_initial_value_and_no_other(
    view: PlanView,
) -> None:
    """Value by value, except keys; a reference is told as what it leads to."""
    root = etree.fromstring(TEMPLATE.render(view, WHO, CONTEXT).body)
    wanted = []
    for element in root.iter():
        name = etree.QName(element).localname
        inside = [etree.QName(e).localname for e in element.iterancestors()]
        if len(element) or not element.text or LEFT_OUT & {name, *inside}:
            continue
        if not name.endswith("ReferenceIdentifier"):
            wanted.append(element.text)
    told = [
        {True: "true", False: "false"}.get(v, str(v)) if isinstance(v, bool) else str(v)
        for link, item in items(view).items()
        if not link.endswith("ReferenceIdentifier")
        for v in initial(item)
    ]
    assert sorted(told) == sorted(wanted)


def test_typed_values() -> None:
    found = items(full_view())
    goals = found["Interventions/Intervention[3]/GoalReferenceIdentifier"]
    assert (goals["type"], initial(goals)) == ("integer", [3, 2])
    latest = found["NextMeeting/LatestDate"]
    assert latest["initial"] == [{"valueDate": "2026-12-07"}]
    level = found["Registration/LevelCode"]
    assert (level["type"], initial(level), len(level["answerOption"])) == ("choice", ["1"], 4)
    phone = found["Contacts/ProfessionalContact[5]/TelephoneNumberIdentifier"]
    assert initial(phone) == ["telefon?"]
    unknown = found["Contacts/ProfessionalContact[6]/TelephoneNumberIdentifier"]
    assert "initial" not in unknown
    who = found["StatusNotes/StatusNote[2]/ActorReferenceIdentifier"]
    assert initial(who) == ["Karla Testine Nygaard"]


def test_every_element_of_the_schema_has_a_label_and_no_label_is_left_over() -> None:
    xs = "{http://www.w3.org/2001/XMLSchema}"
    known = {e.get("name") for e in etree.parse(FORMAT.schema.file).iter(f"{xs}element")}
    file = mappings_folder("ki-plan-questionnaire") / "labels.csv"
    with file.open(encoding="utf-8", newline="") as lines:
        labels = [row["element"] for row in csv.DictReader(lines)]
    assert len(set(labels)) == len(labels)
    # Of the header nothing is shown, and an approval's own words come in only.
    inner = {
        "MessageIdentifier", "SentDateTime", "DocumentKindCode", "Sender", "CaseIdentifier",
        "CaseSystemIdentifier", "SharedPlanIdentifier", "BaseVersion",
    }  # fmt: skip
    assert set(labels) == known - LEFT_OUT - inner - {"CoordinatedActionPlan", "ApprovalText"}


def test_the_losses_are_those_of_the_template_and_the_references() -> None:
    view = view_of(PLAN_1)
    found = render(view).losses
    assert all(x.path.endswith("/reference") for x in found if x.kind == "coarsened")
    case = [x.path.rpartition("/")[2] for x in found if x.kind == "dropped"]
    assert case == ["system", "value"]
    plan = next(k for k in view.resources if k.startswith("CarePlan/"))
    assert f"{plan}/activity[0]/detail/performer[0]/reference" in {x.path for x in found}


def test_what_does_not_come_in_or_go_out() -> None:
    with pytest.raises(Unsupported):
        ADAPTER.parse(RawMessage(WHO, "x", b"{}", "application/json", "m", NOW), CONTEXT)
    for content in (Notice("p", "correction", ""), Receipt("d", "ok")):
        with pytest.raises(CannotRender):
            ADAPTER.render(content, WHO, CONTEXT)
    only = {k: r for k, r in view_of(PLAN_1).resources.items() if not k.startswith("CarePlan/")}
    with pytest.raises(CannotRender):
        render(replace(view_of(PLAN_1), resources=only))

"""CPD-DK: well-formed, built as MedCom's identifiers say, complete in its narrative.

The structure is that of the published CPD-DK 2.0.0 facts: template ids, LOINC codes, one version
event, one validity event, three sections with entries that point into their narrative.
"""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from lxml import etree

from adapters.cpd import ADAPTER
from adapters.pdf.content import content
from hub.contract import Context, Notice, Party, PlanView, RawMessage, Receipt, Rendered
from hub.errors import CannotRender, Unsupported
from hub.fhir import names
from hub.mapping.paths import leaves
from tests.full_views import full_view
from tests.views import PLAN_1, PLAN_2, check, find_party, parties, view_of

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
WHO, LEAD = parties()["social-havneby"], parties()["rus-havneby"]
NS = {"c": "urn:hl7-org:v3"}
BASE = "1.2.208.184.15.1.10.20"
YARDSTICK = pytest.mark.parametrize("plan", [PLAN_1, PLAN_2], ids=["plan-1", "plan-2"])


def context(key: str = "d-1", sender: Party = LEAD, **changes: Any) -> Context:
    return Context(
        now=NOW,
        id_for=lambda name: str(uuid.uuid5(uuid.NAMESPACE_URL, f"{key}/{name}")),
        find_party=find_party,
        sender=sender,
        base_url=names.BASE,
        check=check,
        **changes,
    )


def render(view: PlanView, given: Context | None = None, receiver: Party = WHO) -> Rendered:
    return ADAPTER.render(view, receiver, given or context())


def root_of(view: PlanView, **given: Any) -> etree._Element:
    return etree.fromstring(render(view, **given).body)


def at(root: etree._Element, path: str) -> list[Any]:
    found = root.xpath(path, namespaces=NS)
    assert isinstance(found, list)
    return found


def changed(view: PlanView, kind: str, change: Any) -> PlanView:
    key = next(k for k in view.resources if k.startswith(f"{kind}/"))
    resource = json.loads(json.dumps(view.resources[key]))
    change(resource)
    return replace(view, resources=dict(view.resources) | {key: resource})


def followed(view: PlanView) -> PlanView:
    """The view with a note on how its first intervention goes."""

    def follow(plan: dict[str, Any]) -> None:
        plan["activity"][0]["progress"] = [{"text": "Første samtale er holdt."}]

    return changed(view, "CarePlan", follow)


@YARDSTICK
def test_the_header_is_that_of_cpd_dk(plan: Any) -> None:
    view = view_of(plan)
    root = root_of(view)
    assert [etree.QName(e).localname for e in root][:11] == [
        "realmCode", "typeId", "templateId", "id", "code", "title", "effectiveTime",
        "confidentialityCode", "languageCode", "setId", "versionNumber",
    ]  # fmt: skip
    assert at(root, "c:realmCode/@code") == ["DK"]
    assert at(root, "c:typeId/@extension") == ["POCD_HD000040"]
    assert at(root, "c:templateId/@root") == ["1.2.208.184.15.1"]
    assert at(root, "c:id/@assigningAuthorityName") == ["Havneby Kommune"]
    assert at(root, "c:code/@code") == ["81215-6"]
    assert at(root, "c:effectiveTime/@value") == ["20261123160000+0100"]
    assert at(root, "c:languageCode/@code") == ["da-DK"]
    assert at(root, "c:setId/@root") == [view.plan_id]
    assert at(root, "c:versionNumber/@value") == ["1"]
    citizen = "c:recordTarget/c:patientRole"
    assert at(root, f"{citizen}/c:id/@root") == ["1.2.208.176.1.2"]
    for who in ("author/c:assignedAuthor", "custodian//c:representedCustodianOrganization"):
        assert at(root, f"c:{who}/c:id/@root") == ["1.2.208.176.1.1"]
    assert at(root, "c:informationRecipient/@typeCode") == ["PRCP"]
    assert at(root, "c:authorization") == []


@YARDSTICK
def test_there_is_one_version_event_and_one_validity_event(plan: Any) -> None:
    root = root_of(view_of(plan))
    events = "c:documentationOf/c:serviceEvent"
    assert at(root, f"{events}/c:templateId/@root") == [
        "1.2.208.184.10.1.10",
        "1.2.208.184.10.1.11",
    ]
    version = at(root, f"{events}[c:templateId/@root='1.2.208.184.10.1.10']/c:id")
    assert [dict(e.attrib) for e in version] == [
        {"root": "1.2.208.184", "extension": "cpd-v2.0.0", "assigningAuthorityName": "MedCom"}
    ]
    validity = f"{events}[c:templateId/@root='1.2.208.184.10.1.11']"
    assert len(at(root, f"{validity}/c:effectiveTime/c:low/@value")) == 1
    assert at(root, f"{validity}/c:effectiveTime/c:high/@nullFlavor") == ["NA"]
    roles = at(root, f"{validity}/c:performer/c:functionCode/@code")
    assert set(roles) == {"healthcare-team-member"}


@YARDSTICK
def test_the_sections_and_their_entries(plan: Any) -> None:
    view = full_view(plan)
    root = root_of(followed(view))
    body = "c:component/c:structuredBody/c:component/c:section"
    assert at(root, f"{body}/c:code/@code") == ["75310-3", "61146-7", "62387-6", "11383-7"]
    ids = at(root, f"{body}/c:templateId")
    assert [(e.get("root"), e.get("extension")) for e in ids] == [
        (f"{BASE}.{n}", "2018-09-28") for n in (1, 2, 3, 4)
    ]
    values = content(view, NOW)
    for number, kind, mood, template, key in (
        (1, "act", "EVN", "1.21", "challenges"),
        (2, "observation", "GOL", "2.20", "goals"),
        (3, "act", "INT", "3.20", "interventions"),
    ):
        section = at(root, f"{body}[c:templateId/@root='{BASE}.{number}']")[0]
        assert section.find("c:title", NS) is not None
        assert section.find("c:text", NS) is not None
        entries = at(section, f"c:entry/c:{kind}[@moodCode='{mood}']")
        assert len(entries) == len(values[key])
        assert {t for e in entries for t in at(e, "c:templateId/@root")} == {f"{BASE}.{template}"}
        for entry, row in zip(entries, values[key], strict=True):
            (reference,) = at(entry, "c:text/c:reference/@value")
            (item,) = at(section, f"c:text//*[@ID='{reference.removeprefix('#')}']")
            assert row["text"] in "".join(item.itertext())


def test_one_intervention_serves_several_goals() -> None:
    root = root_of(view_of(PLAN_2))
    goals = at(root, f"//c:observation[c:templateId/@root='{BASE}.2.20']/c:id/@root")
    links = [
        [goals.index(g) + 1 for g in at(act, "c:entryRelationship/c:observation/c:id/@root")]
        for act in at(root, f"//c:act[c:templateId/@root='{BASE}.3.20']")
    ]
    assert links == [[1], [2, 3], [4]]


@YARDSTICK
def test_the_narrative_tells_everything_that_the_printed_plan_tells(plan: Any) -> None:
    view = full_view(plan)
    text = " ".join(" ".join(root_of(view).itertext()).split())
    for _, value in leaves(content(view, NOW) | {"lead_unit": None}):
        if isinstance(value, str):
            assert " ".join(value.split()) in text, value
    labelled = [p for p, v in leaves(content(view, NOW)) if p.endswith("sections") and v]
    assert text.count("Område: ") == len(labelled)


def test_the_next_version_replaces_the_one_before() -> None:
    first = render(view_of(PLAN_1))
    assert first.thread == {"document": first.message_id}
    later = context("d-2", thread=first.thread)
    root = root_of(view_of(PLAN_1, version=2), given=later)
    related = "c:relatedDocument[@typeCode='RPLC']/c:parentDocument"
    assert at(root, f"{related}/c:id/@root") == [first.message_id]
    assert at(root, f"{related}/c:setId/@root") == at(root, "c:setId/@root")
    assert at(root, "c:id/@root") != [first.message_id]


def test_ids_of_elements_are_unique_and_references_lead_somewhere() -> None:
    root = root_of(followed(full_view()))
    found = at(root, "//@ID")
    assert len(set(found)) == len(found)
    references = [r.removeprefix("#") for r in at(root, "//c:reference/@value")]
    assert set(references) == set(found)


def test_nothing_is_invented() -> None:
    """Every attribute that is no fixed word of CDA comes from the view, the context or a table."""
    view = followed(full_view())
    root = root_of(view)
    source = json.dumps(dict(view.resources), ensure_ascii=False)
    source += " ".join(i.value for p in (WHO, LEAD) for i in p.identifiers)
    for extension in at(root, "//*[not(self::c:templateId)]/@extension"):
        fixed = {"POCD_HD000040", "cpd-v2.0.0", str(view.version)}
        assert extension in fixed or extension in source or extension.startswith("opfoelgning")
    for value in at(root, "//c:telecom/@value"):
        assert value.partition(":")[2] in source.replace(" ", "") + str(WHO.phone)
    said = {"20261123160000+0100", "3"}
    for value in at(root, "//*[not(self::c:telecom) and not(self::c:reference)]/@value"):
        day = re.fullmatch(r"(\d{4})(\d\d)?(\d\d)?", value)
        assert value in said or (day and "-".join(p for p in day.groups() if p) in source), value


def test_a_protected_address_is_masked() -> None:
    def protect(patient: dict[str, Any]) -> None:
        patient["meta"]["security"] = [{"system": names.CONFIDENTIALITY, "code": "R"}]

    made = render(changed(view_of(PLAN_1), "Patient", protect))
    text = made.body.decode()
    assert at(etree.fromstring(made.body), "//c:patientRole/c:addr/@nullFlavor") == ["MSK"]
    assert "Prøvevej" not in text
    assert "00000911" not in text
    assert "00 00 09 11" not in text
    assert [x.reason for x in made.losses if x.path.endswith("/address")]


def test_a_status_that_cda_has_no_word_for_is_coarsened() -> None:
    view = full_view()
    statuses = {
        f"{key}/activity[{i}]/detail/status": activity["detail"]["status"]
        for key, plan in view.resources.items()
        if any(c["coding"][0]["code"] == "ki-plan" for c in plan.get("category", ()))
        for i, activity in enumerate(plan.get("activity", ()))
    }
    found = {x.path for x in render(view).losses if x.kind == "coarsened"}
    assert found & statuses.keys() == {k for k, v in statuses.items() if v != "in-progress"}
    assert set(statuses.values()) > {"in-progress"}


def test_the_losses_are_named() -> None:
    view = full_view()
    found = {x.path: x.kind for x in render(view).losses}
    plan = next(k for k in view.resources if k.startswith("CarePlan/"))
    for path in ("next-meeting", "level", "activity[0]/success-criterion", "consent-as-written"):
        assert found[f"{plan}/{path}"] == "coarsened"
    for key in view.resources:
        if key.startswith(("Observation/", "Appointment/")):
            assert found[key] == "coarsened"

    def undated(plan: dict[str, Any]) -> None:
        del plan["period"], plan["created"]

    made = render(changed(view_of(PLAN_1), "CarePlan", undated))
    assert [x.path for x in made.losses if x.kind == "defaulted"] == [f"{plan}/period/start"]


def test_text_stays_text() -> None:
    hostile = "]]> <script>&amp;</script> \x02\n<br/>"
    view = changed(view_of(PLAN_1), "Goal", lambda g: g["description"].update(text=hostile))
    made = render(view)
    root = etree.fromstring(made.body)
    assert at(root, "//*[local-name()='script']") == []
    (goal,) = at(root, "//*[@ID='maal-1']")
    assert "]]> <script>&amp;</script> " in "".join(goal.itertext())
    assert len(at(goal, ".//c:br")) == 1
    assert [x.kind for x in made.losses if x.path.endswith("/description/text")] == ["coarsened"]


def test_the_same_view_gives_the_same_bytes() -> None:
    assert render(full_view()) == render(full_view())


def test_what_cpd_dk_cannot_carry_is_refused() -> None:
    view = view_of(PLAN_1)
    for kind in ("addresses", "goal", "activity"):
        with pytest.raises(CannotRender, match="at least one"):
            render(changed(view, "CarePlan", lambda p, kind=kind: p.pop(kind)))
    with pytest.raises(CannotRender, match="SOR"):
        render(view, context(sender=parties()["koord-havneby"]))
    with pytest.raises(CannotRender, match="UUID"):
        render(replace(view, plan_id="plan-1"))
    only = {k: r for k, r in view.resources.items() if not k.startswith("CarePlan/")}
    with pytest.raises(CannotRender, match="no shared plan"):
        render(replace(view, resources=only))
    for content_ in (Notice("p", "correction", ""), Receipt("d", "ok")):
        with pytest.raises(CannotRender):
            ADAPTER.render(content_, WHO, context())
    with pytest.raises(Unsupported):
        ADAPTER.parse(RawMessage(WHO, "cpd", b"<a/>", "text/xml", "m", NOW), context())

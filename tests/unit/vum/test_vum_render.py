"""The municipality's own order, re-issued with what others do."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vum_documents import (
    NAMES,
    NOW,
    Bundle,
    context,
    of,
    own,
    parsed,
    sample,
    strings,
    without_claim,
)

from adapters.vum import ADAPTER, words
from adapters.vum.parse import read_order
from adapters.vum.units import human_name
from adapters.vum.urls import RELATED_PLAN_ID
from hub.contract import Notice, PlanView, Rendered
from hub.errors import CannotRender
from hub.fhir import names
from hub.fhir.reading import PlanReader
from tests.views import PLAN_1, PLAN_2, errors_in, parties, view_of

RECEIVER = "social-havneby"
SENDER = "rus-havneby"


def sector_plan(view: PlanView) -> PlanView:
    """The view with the regional psychiatry's plan in it, as far as it is coordinated."""
    unit = next(
        key
        for key, r in view.resources.items()
        if r["resourceType"] == "Organization" and r.get("name") == "Psykiatrisk Center Nordstrand"
    )
    subject = PlanReader(view.resources).plan["subject"]
    plan = {
        "resourceType": "CarePlan",
        "id": "5b0c7a52-6a55-4a0e-9b7e-0d8a6c1f2e01",
        "identifier": [{"system": "urn:region", "value": "BP-1"}],
        "status": "active",
        "intent": "plan",
        "category": [names.concept(names.SECTOR_KIND, "behandlingsplan")],
        "subject": subject,
        "author": {"reference": unit},
        "description": "Færre stemmer og bedre søvn",
        "created": "2026-08-01",
        "period": {"start": "2026-08-01"},
        "addresses": [{"reference": "Condition/c1"}],
        "goal": [{"reference": "Goal/g1"}],
        "activity": [
            {
                "id": "a1",
                "extension": [{"url": names.SECTION, "valueCode": "psychiatry"}],
                "detail": {
                    "status": "scheduled",
                    "code": {"text": "Samtaler"},
                    "description": "Samtale hver anden uge",
                    "scheduledPeriod": {"start": "2026-08-03"},
                    "goal": [{"reference": "Goal/g1"}],
                },
            }
        ],
    }
    added: dict[str, dict[str, Any]] = {
        f"CarePlan/{plan['id']}": plan,
        "Condition/c1": {
            "resourceType": "Condition",
            "id": "c1",
            "code": {"text": "Søvnbesvær"},
            "subject": subject,
        },
        "Goal/g1": {
            "resourceType": "Goal",
            "id": "g1",
            "lifecycleStatus": "active",
            "description": {"text": "Sover seks timer"},
            "subject": subject,
        },
    }
    return replace(view, resources={**view.resources, **added})


def view_1(document: Bundle | None = None) -> PlanView:
    view = sector_plan(view_of(PLAN_1))
    mine = parsed(sample())
    resources = {f"{r['resourceType']}/{r['id']}": r for r in mine.resources}
    patient = next(k for k in view.resources if k.startswith("Patient/"))
    text = json.dumps(resources).replace(f"Patient/{mine.resources[1]['id']}", patient)
    kept = {k: r for k, r in json.loads(text).items() if not k.startswith("Patient/")}
    return replace(
        view,
        resources={**view.resources, **kept},
        own=own(document or sample()),
        own_part=f"CarePlan/{mine.resources[0]['id']}",
    )


def rendered(view: PlanView) -> tuple[Bundle, Rendered]:
    made = ADAPTER.render(view, parties()[RECEIVER], context(SENDER))
    return json.loads(made.body), made


def hub_made(bundle: Bundle) -> list[dict[str, Any]]:
    return [
        e["resource"]
        for e in bundle["entry"]
        if any(i["system"] == RELATED_PLAN_ID for i in e["resource"].get("identifier", ()))
    ]


def titles(bundle: Bundle) -> list[str]:
    return [r["title"] for r in hub_made(bundle) if "title" in r]


def test_the_own_entries_are_kept_and_others_efforts_are_added() -> None:
    bundle, made = rendered(view_1())
    before = sample()

    header, *entries = bundle["entry"]
    mine = entries[: len(before["entry"]) - 1]
    for old, new in zip(before["entry"][1:], mine, strict=True):
        assert new["fullUrl"] == old["fullUrl"]
        if old["resource"].get("title") != "Bestilling af støtte i eget hjem":
            assert new["resource"] == old["resource"]
    assert titles(bundle) == [
        "Til orientering: koordinerende indsatsplan",
        "Til orientering: behandlingsplan, Psykiatrisk Center Nordstrand",
    ]
    assert len(of(bundle, "orderCarePlan")["supportingInfo"]) == 3
    assert made.media_type == "application/fhir+json"
    assert made.message_id == header["resource"]["id"]
    assert header["fullUrl"] == f"urn:uuid:{made.message_id}"
    assert bundle["timestamp"] == NOW.isoformat(timespec="seconds")
    assert bundle["id"] not in {before["id"], made.message_id}


def test_the_header_goes_from_the_leads_unit_to_the_municipality() -> None:
    bundle, _ = rendered(view_1())
    at = {e["fullUrl"]: e["resource"] for e in bundle["entry"]}
    header = bundle["entry"][0]["resource"]

    sender = at[header["sender"]["reference"]]
    receiver = at[header["destination"][0]["receiver"]["reference"]]

    assert sender["name"] == parties()[SENDER].name
    assert {"system": names.SOR, "value": "999000000203"} in sender["identifier"]
    assert receiver["name"] == "Havneby Kommune, Socialafdelingen"
    assert header["destination"][0]["endpoint"] == "https://social.havneby.example/fhir"
    assert header["source"]["endpoint"] == "https://hub.example/fhir"


@pytest.mark.parametrize("name", NAMES)
def test_what_is_sent_keeps_the_rules(name: str) -> None:
    view = view_1(sample(name)) if name != "order-2" else view_2()

    bundle, made = rendered(view)
    _, issues = read_order(json.loads(made.body))

    assert issues == ()
    assert errors_in(bundle) == []
    assert "kl.dk/1.0" not in json.dumps(bundle)
    assert all(e["fullUrl"].startswith("urn:uuid:") for e in bundle["entry"])


def view_2() -> PlanView:
    return replace(view_of(PLAN_2), own=own(sample("order-2")))


def test_reading_the_re_issue_gives_the_same_plan() -> None:
    for document in (sample(), sample("order-0.1.0-urls")):
        _, made = rendered(view_1(document))

        assert without_claim(parsed(made.body)) == without_claim(parsed(document))


def test_what_it_tells_of_others_is_read_back_in_its_words() -> None:
    """Each item under the hub's own id of its plan, also where a text has several lines."""
    view = view_1()
    goal = next(k for k, r in view.resources.items() if k.startswith("Goal/") and r.get("category"))
    lines = {"text": "Karla bestemmer selv.\nFørst om ugen,\nså om måneden."}
    resources = {**view.resources, goal: view.resources[goal] | {"description": lines}}
    view = replace(view, resources=resources)
    _, made = rendered(view)
    found = {(s.plan.id, s.item, s.text) for s in parsed(made.body).said_of_others}
    reader = PlanReader(view.resources)
    shared = f"CarePlan/{view.plan_id}"
    for one in reader.challenges():
        said = f"{one.label}: {one.text}" if one.label else one.text
        assert (shared, "challenge", said) in found
    assert all((shared, "goal", g.text) in found for g in reader.goals())
    assert all((shared, "intervention", i.text) in found for i in reader.interventions())
    (other,) = (p for p in reader.sector_plans() if p.reference != view.own_part)
    assert (other.reference, "purpose", other.purpose) in found
    assert all((other.reference, "goal", g.text) in found for g in other.goals)
    assert all((other.reference, "intervention", i.text) in found for i in other.interventions)
    assert other.interventions
    assert len([s for s in found if s[1] == "goal"]) == len(reader.goals()) + len(other.goals)


def sent_back(bundle: Bundle) -> Bundle:
    """The re-issue as the municipality's system sends it: its own header, the rest untouched."""
    header = {**sample()["entry"][0]["resource"], "id": bundle["entry"][0]["resource"]["id"]}
    return {**bundle, "entry": [{**bundle["entry"][0], "resource": header}, *bundle["entry"][1:]]}


def test_a_second_issue_replaces_the_first_and_keeps_the_municipalitys_own() -> None:
    bundle, _ = rendered(view_1())
    again, made = rendered(view_1(sent_back(bundle)))

    assert titles(again) == titles(bundle)
    assert len(again["entry"]) == len(bundle["entry"])
    assert of(again, "relatedCarePlan")["title"] == "Behandling i rusmiddelcentret"
    assert read_order(json.loads(made.body))[1] == ()


def test_what_is_gone_from_the_view_is_gone_from_the_next_issue() -> None:
    bundle, _ = rendered(view_1())
    view = view_1(sent_back(bundle))
    gone = "CarePlan/5b0c7a52-6a55-4a0e-9b7e-0d8a6c1f2e01"
    view = replace(view, resources={k: r for k, r in view.resources.items() if k != gone})

    again, _ = rendered(view)

    assert titles(again) == ["Til orientering: koordinerende indsatsplan"]
    assert "Færre stemmer" not in json.dumps(again, ensure_ascii=False)


def test_the_hubs_own_entries_are_not_read_as_the_municipalitys() -> None:
    bundle, made = rendered(view_1())
    told = {n.path: n.reason for n in parsed(made.body).not_shared}

    for i, entry in enumerate(bundle["entry"]):
        if entry["resource"] in hub_made(bundle):
            assert "Til orientering" in told[f"Bundle.entry[{i}].resource"]


def test_relative_urls_become_absolute_and_the_ids_stay() -> None:
    text = json.dumps(sample("order-minimal"))
    for entry in sample("order-minimal")["entry"]:
        uuid = entry["fullUrl"].removeprefix("urn:uuid:")
        text = text.replace(entry["fullUrl"], f"{entry['resource']['resourceType']}/{uuid}")
    relative = json.loads(text)
    for entry in relative["entry"]:
        del entry["resource"]["id"]

    bundle, made = rendered(view_1(relative))

    assert all(e["fullUrl"].startswith("urn:uuid:") for e in bundle["entry"])
    assert without_claim(parsed(made.body)) == without_claim(parsed(relative))


def test_the_shared_plan_is_told_in_text_and_interventions() -> None:
    view = view_1()
    bundle, _ = rendered(view)
    reader = PlanReader(view.resources)
    plan = next(r for r in hub_made(bundle) if r.get("title", "").endswith(words.SHARED_PLAN))
    url = next(e["fullUrl"] for e in bundle["entry"] if e["resource"] is plan)
    efforts = [r for r in hub_made(bundle) if r.get("basedOn") == [{"reference": url}]]

    assert plan["description"].startswith("Til orientering\n")
    for goal in reader.goals():
        assert f"{goal.rank}. {goal.text}" in plan["description"]
    meeting = reader.next_meeting()
    assert meeting is not None
    assert f"Næste møde: {meeting.time}" in plan["description"]
    assert [r["activity"][0]["detail"]["code"]["text"] for r in efforts] == [
        f"Til orientering: {i.text}" for i in reader.interventions()
    ]
    assert "Succeskriterium: " in efforts[0]["activity"][0]["detail"]["description"]
    assert efforts[0]["period"] == {"start": "2026-09-15", "end": "2026-10-13"}


def test_contacts_have_what_the_profile_demands_and_nothing_made_up() -> None:
    bundle, _ = rendered(view_1())
    units = {r["name"]: r for r in hub_made(bundle) if "contact" in r}

    doctor = units["Psykiatrisk Center Nordstrand"]["contact"][1]
    nobody = units["Lægerne i Havnegade"]["contact"][0]
    function = units["Jobcenter Havneby"]["contact"][0]

    assert doctor["name"]["family"] == "Attrup-Test"
    assert doctor["telecom"][0]["_value"]["extension"][0]["valueCode"] == "unknown"
    assert set(nobody["name"]) == {"_family", "_given", "_prefix"}
    assert function["name"]["text"] == "Konsulent fra Jobcenteret"
    assert "family" not in function["name"]
    assert function["telecom"][0]["value"] == "telefon?"


@pytest.mark.parametrize(
    ("written", "title", "family"),
    [
        ("Mette Prøveholm", "Læge", "Prøveholm"),
        ("Karla Testine Nygaard", "", "Nygaard"),
        ("Mette", "", None),
        ("", "Læge", None),
        ("Vagthavende Læge", "Vagthavende Læge", None),
        ("en fra kommunen", "", None),
    ],
)
def test_only_a_persons_name_is_split(written: str, title: str, family: str | None) -> None:
    name = human_name(written, title)

    assert name.get("family") == family
    assert name.get("text", "") == written


def _known_texts(view: PlanView, document: Bundle) -> list[str]:
    sender, receiver = context(SENDER).sender, parties()[RECEIVER]
    given = [
        sender.name,
        receiver.name,
        *(i.value for p in (sender, receiver) for i in p.identifiers),
    ]
    given += [i.system for i in sender.identifiers]
    return [*view.resources, *strings(dict(view.resources)), *strings(document), *given]


def test_nothing_is_invented() -> None:
    view = view_1()
    bundle, _ = rendered(view)
    for resource in hub_made(bundle):
        mark = resource["identifier"].pop(0)
        assert mark["system"] == RELATED_PLAN_ID
        assert mark["value"].partition("/")[0] in {"CarePlan", "Organization", "Party"}
    known = _known_texts(view, sample())
    whole = "\n".join(known)
    constants = {
        *words.LABELS,
        words.SHARED_PLAN,
        "message",
        "plan",
        "active",
        "draft",
        "in-progress",
        "not-started",
        "unknown",
        "phone",
        "email",
        "https://hub.example/fhir",
        names.DATA_ABSENT,
    }
    issued = {e["fullUrl"] for e in bundle["entry"]} | {bundle["id"]}
    issued |= {e["resource"].get("id", "") for e in bundle["entry"]} | {bundle["timestamp"]}
    types = {"Bundle", "MessageHeader", "CarePlan", "CareTeam", "Organization"}
    profiles = {"relatedCarePlan", "participatingOrganization", "messagingOrganization"}

    for value in set(strings(bundle)) - constants - issued - types - set(known):
        if value.rpartition("kl-messaging-ffb-")[2] in profiles:
            continue
        for part in _parts(value):
            assert part in whole or part in constants, part


def _parts(value: str) -> list[str]:
    """The texts in a composed value, without labels, numbers and the commas between them."""
    lines = [re.sub(r"^\d+\. ", "", text) for text in value.split("\n")]
    labels = "|".join(sorted(words.LABELS, key=len, reverse=True))
    bare = [re.sub(rf"^({labels}):? ?", "", text) for text in lines]
    found = [p for text in bare for p in re.split(r": |, ", text)]
    return [p for p in found if p and not p.isdigit()]


def test_what_is_lost_is_told_by_path() -> None:
    view = view_1()
    _, made = rendered(view)
    told = {loss.path: loss.kind for loss in made.losses}
    plan = f"CarePlan/{view.plan_id}"

    assert told[f"{plan}.addresses"] == "coarsened"
    assert told[f"{plan}.goal"] == "coarsened"
    assert told[f"{plan}.extension(next-meeting)"] == "coarsened"
    assert told[f"{plan}#activity.indsats-1.success-criterion"] == "coarsened"
    assert told[f"{plan}.extension(ki-level)"] == "dropped"
    assert "CarePlan/5b0c7a52-6a55-4a0e-9b7e-0d8a6c1f2e01#activity.a1.section" in told
    for key in view.resources:
        if key.startswith(("Appointment/", "RelatedPerson/", "Patient/")):
            assert told[key] == "dropped"


def test_every_resource_of_the_view_is_carried_own_or_lost() -> None:
    view = view_1()
    bundle, made = rendered(view)
    lost = {re.split(r"[.#]", loss.path)[0] for loss in made.losses}
    marks = {i["value"] for r in hub_made(bundle) for i in r["identifier"]}
    mine = {f"{r['resourceType']}/{r['id']}" for r in parsed(sample()).resources}
    text = json.dumps(bundle, ensure_ascii=False)

    for key, resource in view.resources.items():
        said = [s for s in strings(resource) if s in text]
        assert key in lost | marks | mine or said, key


def test_a_render_is_repeatable() -> None:
    assert rendered(view_1())[1] == rendered(view_1())[1]


def test_a_municipality_without_its_own_order_gets_another_format() -> None:
    for view in (view_of(PLAN_1), replace(view_1(), own=replace(own({}), format="fhir"))):
        with pytest.raises(CannotRender, match="medcom-carecommunication"):
            rendered(view)


def test_a_notice_is_not_an_order() -> None:
    with pytest.raises(CannotRender):
        ADAPTER.render(Notice("p", "consent-withdrawn", "x"), parties()[RECEIVER], context(SENDER))


def test_another_citizens_order_is_never_mixed_in() -> None:
    with pytest.raises(CannotRender) as refused:
        rendered(view_1(sample("order-2")))
    assert "1507729995" not in str(refused.value)


def test_an_own_order_that_cannot_be_read_is_the_operators_move() -> None:
    with pytest.raises(CannotRender):
        rendered(replace(view_1(), own=own({"resourceType": "Bundle", "type": "message"})))


TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=80)


@settings(max_examples=30, deadline=None)
@given(text=TEXTS, name=TEXTS)
def test_any_text_and_name_can_be_told(text: str, name: str) -> None:
    view = view_1()
    resources = json.loads(json.dumps(dict(view.resources)))
    plan = resources[f"CarePlan/{view.plan_id}"]
    plan["activity"][0]["detail"]["description"] = text
    role = resources[plan["author"]["reference"]]
    role["practitioner"] = {"display": name}

    bundle, made = rendered(replace(view, resources=resources))

    assert f"Til orientering: {text}" in set(strings(bundle))
    assert read_order(json.loads(made.body))[1] == ()

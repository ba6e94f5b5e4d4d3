"""SMART's fhirclient (Python) runs the plan scenario."""

from __future__ import annotations

import pytest
from fhirclient.models.bundle import Bundle
from fhirclient.models.careplan import CarePlan
from fhirclient.models.goal import Goal
from fhirclient.models.patient import Patient
from fhirclient.server import FHIRNotFoundException, FHIRServer

from tests.clients.facts import CPR, NOBODY, Facts
from tests.servers.hub import LEAD, LiveHub


@pytest.fixture
def server(hub: LiveHub) -> FHIRServer:
    found = FHIRServer(None, base_uri=hub.base)
    found.session.headers["Authorization"] = f"Bearer {hub.secrets[LEAD]}"
    return found


def test_it_reads_what_the_server_can_do(server: FHIRServer, hub: LiveHub) -> None:
    statement = server.capabilityStatement
    assert statement.fhirVersion == "4.0.1"
    assert statement.implementation.url == hub.base
    (plan,) = [r for r in statement.rest[0].resource if r.type == "CarePlan"]
    assert {"read", "vread", "search-type", "history-instance"} <= {
        i.code for i in plan.interaction
    }


def test_it_finds_the_citizen_and_the_plans_by_number(server: FHIRServer, facts: Facts) -> None:
    form = {"identifier": f"{CPR}|{facts.number}"}
    answer = server.post_as_form(f"{server.base_uri}Patient/_search", form)
    (entry,) = Bundle(answer.json()).entry
    assert isinstance(entry.resource, Patient)
    assert f"Patient/{entry.resource.id}" == facts.patient
    form = {"patient.identifier": f"{CPR}|{facts.number}"}
    answer = server.post_as_form(f"{server.base_uri}CarePlan/_search", form)
    assert {e.resource.id for e in Bundle(answer.json()).entry} == facts.plans


def test_it_reads_the_plan_and_every_version(server: FHIRServer, facts: Facts) -> None:
    plan = CarePlan.read(facts.plan["id"], server)
    assert plan.title == facts.plan["title"]
    assert plan.as_json() == facts.plan, "its models hold every element as it was sent"
    patient = plan.subject.resolved(Patient)
    assert patient is not None
    assert f"Patient/{patient.id}" == facts.patient
    history = Bundle.read_from(f"CarePlan/{plan.id}/_history", server)
    assert tuple(e.resource.meta.versionId for e in history.entry) == facts.versions
    for entry in history.entry:
        version = entry.resource.meta.versionId
        read = CarePlan.read_from(f"CarePlan/{plan.id}/_history/{version}", server)
        assert read.as_json() == entry.resource.as_json()
    with pytest.raises(FHIRNotFoundException):
        CarePlan.read(NOBODY, server)


def test_it_searches_with_includes_and_follows_pages(server: FHIRServer, facts: Facts) -> None:
    search = CarePlan.where({"_id": facts.plan["id"]}).include("goal").include("subject")
    kinds = [(e.search.mode, e.resource.resource_type) for b in search.perform_iter(server)
             for e in b.entry]  # fmt: skip
    assert kinds[0] == ("match", "CarePlan")
    assert kinds.count(("include", "Goal")) == len(facts.goals)
    assert kinds.count(("include", "Patient")) == 1
    paged = Goal.where({"patient": facts.patient, "_count": "1"})
    pages = list(paged.perform_iter(server))
    goals = [e.resource.id for page in pages for e in page.entry]
    assert len(pages) == len(goals) == len(set(goals)) == pages[0].total
    assert facts.goals <= {f"Goal/{i}" for i in goals}


def test_it_reads_everything_of_the_plan(server: FHIRServer, facts: Facts) -> None:
    bundle = Bundle.read_from(f"CarePlan/{facts.plan['id']}/$everything?_count=200", server)
    assert {e.resource.relativePath() for e in bundle.entry} == facts.everything
    document = Bundle.read_from(f"CarePlan/{facts.plan['id']}/$document", server)
    assert document.entry[0].resource.resource_type == "Composition"

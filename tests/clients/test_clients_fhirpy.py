"""fhirpy (Python) runs the plan scenario."""

from __future__ import annotations

import pytest
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import AuthorizationError, ResourceNotFound

from tests.clients.facts import CPR, NOBODY, Facts
from tests.servers.hub import LEAD, LiveHub


@pytest.fixture
def client(hub: LiveHub) -> SyncFHIRClient:
    return SyncFHIRClient(hub.base, authorization=f"Bearer {hub.secrets[LEAD]}")


def test_it_reads_what_the_server_can_do(client: SyncFHIRClient) -> None:
    statement = client.execute("metadata", method="get")
    assert statement.fhirVersion == "4.0.1"
    assert "CarePlan" in [r.type for r in statement.rest[0].resource]


def test_it_needs_a_credential(hub: LiveHub) -> None:
    with pytest.raises(AuthorizationError):
        SyncFHIRClient(hub.base).resources("CarePlan").fetch()


def test_it_reads_the_plan_and_every_version(client: SyncFHIRClient, facts: Facts) -> None:
    plan = client.reference("CarePlan", facts.plan["id"]).to_resource()
    assert plan.serialize() == facts.plan
    patient = plan["subject"].to_resource()
    assert f"Patient/{patient.id}" == facts.patient
    assert CPR in [i.system for i in patient["identifier"]]
    history = plan.execute("_history", method="get")
    assert tuple(e.resource.meta.versionId for e in history.entry) == facts.versions
    for entry in history.entry:
        version = entry.resource.meta.versionId
        assert plan.execute(f"_history/{version}", method="get") == entry.resource
    with pytest.raises(ResourceNotFound):
        client.reference("CarePlan", NOBODY).to_resource()


def test_it_refreshes_what_it_has(client: SyncFHIRClient, facts: Facts) -> None:
    plan = client.reference("CarePlan", facts.plan["id"]).to_resource()
    plan["title"] = "changed only here"
    assert plan.refresh().serialize() == facts.plan


def test_it_searches_with_includes_and_follows_pages(client: SyncFHIRClient, facts: Facts) -> None:
    search = client.resources("CarePlan").search(_id=facts.plan["id"])
    found = search.include("CarePlan", "goal").fetch_raw()
    kinds = [e.resource.resourceType for e in found.entry]
    assert kinds[0] == "CarePlan"
    assert kinds.count("Goal") == len(facts.goals)
    plans = client.resources("CarePlan").search(patient=facts.patient)
    assert {p.id for p in plans.limit(1).fetch_all()} == facts.plans
    assert plans.count() == len(facts.plans)
    parts = client.resources("CarePlan").search(part_of=f"CarePlan/{facts.plan['id']}").fetch()
    assert {p.id for p in parts} == facts.plans - {facts.plan["id"]}
    of_plan = client.resources("Goal").has("CarePlan", "goal", _id=facts.plan["id"]).sort("-_id")
    goals = [g.id for g in of_plan.fetch_all()]
    assert goals == sorted(goals, reverse=True)
    assert {f"Goal/{i}" for i in goals} == facts.goals


def test_it_reads_everything_of_the_plan(client: SyncFHIRClient, facts: Facts) -> None:
    plan = client.reference("CarePlan", facts.plan["id"]).to_resource()
    for method, asked in (("get", None), ("post", {"resourceType": "Parameters"})):
        whole = plan.execute("$everything", method=method, data=asked)
        assert {f"{e.resource.resourceType}/{e.resource.id}" for e in whole.entry} \
            == facts.everything  # fmt: skip
    document = plan.execute("$document", method="get")
    assert (document.type, document.entry[0].resource.resourceType) == ("document", "Composition")

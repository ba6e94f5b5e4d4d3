"""No resource of a plan for anyone without access, by any type, parameter, include or operation.

Which resources a plan has is asked of the store, which knows no viewer; the answers are searched
for their ids. Everything is generated from what the server says it serves.
"""

from __future__ import annotations

import json
from functools import cache

import pytest

from hub.fhir.parameters import SERVED
from hub.model.party import SYSTEM
from hub.store.work import UnitOfWork
from tests.api.fhir.client import get, post_search
from tests.api.world import (
    CONSENT_1,
    CPR_1,
    GP,
    KOORD_OTHER,
    KOORD_OWN,
    PARTIES,
    PSYK,
    RUS,
    SOCIAL,
    START,
    World,
    outcome_of,
)

NOBODY_S = "00000000-0000-4000-8000-000000000000"


def resources(world: World, plan: str) -> dict[str, int]:
    """``Type/id`` of everything any version of the plan ever held, with a version of it."""
    with world.hub.store.reading() as work:
        found = {
            f"{t}/{i}": v
            for version in work.plans.versions(plan)
            for keys in version.manifest.values()
            for t, i, v in keys
        }
        return found | decisions(work, plan)


def decisions(work: UnitOfWork, plan: str) -> dict[str, int]:
    known = work.plans.get(plan, SYSTEM, START)
    assert known is not None
    given = work.resources.decisions_on(known.citizen_id, plan)
    return {f"Consent/{d.id}": 1 for d in given}


def denied(world: World, plan: str, party: str) -> None:
    """Withdraw the party's consent, by denying it."""
    body = json.loads(CONSENT_1) | {"id": f"nej-{party}"}
    found = world.hub.store
    with found.reading() as work:
        registered = work.parties.get(party)
    assert registered is not None
    identifier = next(
        i for i in registered.party.identifiers if i.system.startswith(("urn:oid:1.2.208.176.1.1",
        "https://ki-hub.example"))
    )  # fmt: skip
    actor = {
        "role": {"coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP",
        }]},
        "reference": {
            "type": "Organization",
            "identifier": {"system": identifier.system, "value": identifier.value},
        },
    }  # fmt: skip
    body["provision"]["provision"] = [{"type": "deny", "actor": [actor]}]
    assert world.post("/fhir/Consent", RUS, json.dumps(body).encode()).status_code == 201


def places(key: str, version: int) -> list[str]:
    """Every address that names one resource."""
    kind, _, _ = key.partition("/")
    found = [key, f"{key}/_history", f"{key}/_history/{version}"]
    if kind in {"Patient", "CarePlan"}:
        found.append(f"{key}/$everything")
    if kind == "CarePlan":
        found.append(f"{key}/$document")
    return found


def sweeps(kind: str, keys: list[str]) -> list[str]:
    """Every search and history of a type that could bring one of these up."""
    found = [kind, f"{kind}/_history", f"{kind}?_include=*", f"{kind}?_summary=true"]
    own = [k.split("/")[1] for k in keys if k.startswith(f"{kind}/")]
    if own:
        found.append(f"{kind}?_id={','.join(own)}")
    for parameter in SERVED[kind].parameters.values():
        found.append(f"{kind}?{parameter.name}:missing=false")
        if parameter.kind == "reference":
            found += [
                f"{kind}?{parameter.name}={','.join(keys)}",
                f"{kind}?_include={kind}:{parameter.name}",
                f"{kind}?_include:iterate={kind}:{parameter.name}",
            ]
        if parameter.kind == "token":
            found.append(f"{kind}?{parameter.name}:not=nothing")
    found += [
        f"{kind}?_revinclude={other.type}:{p.name}"
        for other in SERVED.values()
        for p in other.parameters.values()
        if p.kind == "reference" and p.target in {None, kind}
    ]
    return found


def hidden_from(world: World, plan: str, party: str) -> dict[str, int]:
    """What the party may not know of: all of the plan but what it wrote itself."""
    with world.hub.store.reading() as work:
        own = {
            f"{t}/{i}"
            for part in work.plans.parts(plan)
            if part.owner == party
            for t, i, _ in part.members
        }
    return {k: v for k, v in resources(world, plan).items() if k not in own}


@pytest.mark.parametrize("party", [GP, SOCIAL, KOORD_OTHER])
def test_no_address_of_a_plan_s_resource_is_for_who_has_no_access(
    planned: World, plan: str, party: str
) -> None:
    if party != GP:
        denied(planned, plan, party)
    hidden = hidden_from(planned, plan, party)
    assert len(hidden) > 40
    for key, version in hidden.items():
        kind, _, _ = key.partition("/")
        if kind not in SERVED:
            continue
        for place, unknown in zip(
            places(key, version), places(f"{kind}/{NOBODY_S}", 1), strict=True
        ):
            answer, nothing = get(planned, place, party), get(planned, unknown, party)
            assert answer.status_code == 404, place
            assert answer.content == nothing.content


@pytest.mark.parametrize("kind", SERVED)
def test_no_search_brings_up_what_one_has_no_access_to(
    waiting: World, plan: str, kind: str
) -> None:
    world = waiting
    hidden = hidden_from(world, plan, GP)
    for query in sweeps(kind, list(hidden)):
        answer = get(world, query, GP)
        assert answer.status_code == 200, (query, answer.text)
        page = answer.json()
        assert page["total"] == 0, query
        assert page.get("entry", []) == [], query
    for form in ({"patient.identifier": CPR_1}, {"identifier": CPR_1}, {"_id": NOBODY_S}):
        page = post_search(world, kind, form, GP).json()
        others = [e for e in page.get("entry", ()) if e["search"]["mode"] != "outcome"]
        assert (page["total"], others) == (0, [])
        assert CPR_1 not in str(page)


@pytest.mark.parametrize("party", PARTIES)
def test_who_sees_something_sees_only_its_own_plans(shared_full: World, party: str) -> None:
    """By ids: nothing of a plan that the party cannot read stands in any answer."""
    with shared_full.hub.store.reading() as work:
        plans = [p.id for p in work.plans.listing(SYSTEM, shared_full.clock())]
    assert len(plans) == 2
    closed = [p for p in plans if get(shared_full, f"CarePlan/{p}", party).status_code == 404]
    allowed = {k for p in plans if p not in closed for k in resources(shared_full, p)}
    secret = {
        k.split("/")[1] for p in closed for k in hidden_from(shared_full, p, party)
    } - {k.split("/")[1] for k in allowed}  # fmt: skip
    for kind in SERVED:
        for query in (kind, f"{kind}/_history", f"{kind}?_include=*"):
            text = get(shared_full, query, party).text
            assert [i for i in secret if i in text] == [], query
    if party in {RUS, PSYK, KOORD_OWN}:
        assert allowed


def test_what_is_left_out_of_a_view_cannot_be_searched_for(waiting: World) -> None:
    """What only its owner sees is found by no chain, count or reverse chain of another."""

    @cache
    def seen(kind: str, who: str) -> set[str]:
        entries = get(waiting, f"{kind}?_count=200", who).json().get("entry", ())
        return {e["resource"]["id"] for e in entries}

    compared = 0
    for kind in SERVED:
        for other, parameter in references_to(kind):
            for owner, reader in ((SOCIAL, RUS), (PSYK, SOCIAL), (RUS, PSYK)):
                ids = ",".join(sorted(seen(kind, owner) - seen(kind, reader)))
                if not ids:
                    continue
                for query in (
                    f"{kind}?_id={ids}",
                    f"{kind}?_id={ids}&_summary=count",
                    f"{other}?{parameter}={ids}",
                    f"{other}?{parameter}:{kind}._id={ids}",
                ):
                    assert get(waiting, query, reader).json()["total"] == 0, query
                assert get(waiting, f"{kind}?_id={ids}", owner).json()["total"] > 0
                compared += 1
    assert compared > 5


def references_to(kind: str) -> list[tuple[str, str]]:
    """A few reference parameters that can lead to a type."""
    found = [
        (other.type, p.name)
        for other in SERVED.values()
        for p in other.parameters.values()
        if p.kind == "reference" and p.target in {None, kind}
    ]
    return found[::7]


def test_without_a_credential_nothing_is_told(planned: World, plan: str) -> None:
    for url in (f"CarePlan/{plan}", "CarePlan", "CarePlan/_history", f"CarePlan/{plan}/$document",
                f"CarePlan/{plan}/$everything", f"CarePlan/{plan}/_history/1"):  # fmt: skip
        answer = planned.get(f"/fhir/{url}")
        assert answer.status_code == 401
        outcome_of(answer)

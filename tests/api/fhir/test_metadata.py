"""The CapabilityStatement says what there is, and everything that it names answers."""

from __future__ import annotations

import json
from typing import Any

from fastapi.routing import APIRoute

from hub.api.app import FHIR
from hub.api.metadata import statement
from hub.api.serves import Interaction, Operation, collect
from hub.fhir.parameters import SERVED
from hub.fhir.query import parse
from tests.api.fhir.client import bundle, found, get, keys, search
from tests.api.world import RUS, World
from tests.views import ROOT, errors_in


def resources(world: World) -> dict[str, dict[str, Any]]:
    (rest,) = found(get(world, "metadata", RUS))["rest"]
    return {r["type"]: r for r in rest["resource"]}


def test_it_is_legal_and_open_to_all(world: World) -> None:
    answer = world.request("GET", "/fhir/metadata")
    assert answer.status_code == 200
    assert errors_in(answer.json()) == []
    assert answer.json()["format"] == ["application/fhir+json", "application/fhir+xml"]


def test_it_is_made_of_what_is_included(world: World) -> None:
    declared = resources(world)
    assert list(declared) == [*SERVED, "Bundle", "ConceptMap", "Subscription"]
    assert set(declared.pop("Bundle")) == {"type", "operation"}, "not stored, only validated"
    for kind, resource in declared.items():
        codes = {i["code"] for i in resource["interaction"]}
        assert codes == {
            i.code for i in collect(FHIR) if isinstance(i, Interaction) and kind in i.types
        }
        if kind in SERVED:
            assert {p["name"] for p in resource["searchParam"]} == set(SERVED[kind].parameters)
    nothing = statement((), "http://x.example/fhir")
    assert nothing["rest"][0]["resource"] == []


def test_concept_maps_are_open_read_only_and_found_by_url(world: World) -> None:
    published = [
        json.loads(f.read_bytes()) for f in (ROOT / "fhir_profiles/concept-maps").iterdir()
    ]
    assert len(published) > 20
    everything = world.request("GET", "/fhir/ConceptMap").json()
    assert errors_in(everything) == []
    assert everything["total"] == len(published)
    assert {e["resource"]["id"] for e in everything["entry"]} == {p["id"] for p in published}
    one = next(p for p in published if p["id"] == "ki-plan-xml-decision")
    assert world.request("GET", f"/fhir/ConceptMap/{one['id']}").json() == one
    for asked in (f"url={one['url']}", f"_id={one['id']}", f"_id=x,{one['id']}&url={one['url']}"):
        (hit,) = world.request("GET", f"/fhir/ConceptMap?{asked}").json()["entry"]
        assert hit["resource"] == one
    xml = world.request(
        "GET", f"/fhir/ConceptMap/{one['id']}", headers={"Accept": "application/xml"}
    )
    assert xml.text.startswith("<?xml")
    assert world.request("GET", "/fhir/ConceptMap?url=urn:x").json()["total"] == 0
    assert world.request("GET", "/fhir/ConceptMap/nothing").status_code == 404
    told = world.request("GET", "/fhir/ConceptMap?name=x").json()["entry"][-1]
    assert told["search"] == {"mode": "outcome"}
    strict = {"Prefer": "handling=strict"}
    assert world.request("GET", "/fhir/ConceptMap?name=x", headers=strict).status_code == 400
    for method in ("PUT", "DELETE", "PATCH"):
        answer = world.request(method, f"/fhir/ConceptMap/{one['id']}", RUS, content=b"{}")
        assert answer.status_code in {404, 405}, method


def test_what_is_declared_answers(shared_full: World) -> None:
    for kind, resource in resources(shared_full).items():
        if kind not in SERVED:
            continue
        hits = search(shared_full, kind, RUS)
        first = next(iter(keys(hits, "match")), None)
        codes = {i["code"] for i in resource["interaction"]}
        assert {"read", "vread", "search-type", "history-type", "history-instance"} <= codes
        bundle(get(shared_full, f"{kind}/_history", RUS), "history")
        if first is None:
            continue
        read = get(shared_full, first, RUS)
        found(read)
        found(get(shared_full, read.headers["Content-Location"].split("/fhir/")[1], RUS))
        bundle(get(shared_full, f"{first}/_history", RUS), "history")
        includes = [("_include", x) for x in resource.get("searchInclude", ())]
        includes += [("_revinclude", x) for x in resource["searchRevInclude"]]
        for pair in includes:
            assert len(parse(kind, [pair], strict=True).includes) == 1
        for operation in resource.get("operation", ()):
            if operation["name"] == "validate":
                address = f"/fhir/{kind}/$validate"
                found(shared_full.request("POST", address, RUS, content=read.content))
                continue
            found(get(shared_full, operation_target(shared_full, kind, operation["name"]), RUS))


def operation_target(world: World, kind: str, name: str) -> str:
    query = "CarePlan?category=ki-plan" if kind == "CarePlan" else kind
    return f"{keys(search(world, query, RUS))[0]}/${name}"


def test_every_route_below_the_base_belongs_to_a_module_that_says_what_it_serves() -> None:
    silent = [
        f"{module.__name__} {route.path}"
        for module in FHIR
        for route in module.ROUTER.routes
        if isinstance(route, APIRoute)
        and not getattr(module, "SERVES", ())
        and route.path != "/fhir/metadata"
    ]
    assert silent == []
    services = collect(FHIR)
    assert len(services) == len(set(services))
    assert {o.name for o in services if isinstance(o, Operation)} >= {"everything", "document"}


def test_writing_is_declared_as_it_is(world: World) -> None:
    rest = world.get("/fhir/metadata").json()["rest"][0]
    assert {i["code"] for i in rest["interaction"]} == {"transaction", "batch"}
    for resource in rest["resource"]:
        if resource["type"] not in SERVED:
            continue
        codes = {i["code"] for i in resource["interaction"]}
        member = resource["type"] != "Consent"
        assert "update" in codes
        assert resource["updateCreate"] is False
        assert resource["versioning"] == ("versioned-update" if member else "versioned")
        assert ("create" in codes) == (not member)
        assert resource.get("conditionalCreate", False) == (not member)

"""What the tests of writing send, and how they look at the answers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import httpx

from hub.fhir.codec import dump_json, parse_json
from tests.api.fhir.client import Json, found, get, keys, search
from tests.api.world import PLAN_1, RUS, World


def put(
    world: World,
    resource: Json,
    match: str | None = None,
    who: str = RUS,
    *,
    at: str | None = None,
    **headers: str,
) -> httpx.Response:
    """PUT at its own address; ``match`` is the version it was written on."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if match is not None:
        named["If-Match"] = f'W/"{match}"'
    place = at or "/".join((resource["resourceType"], resource["id"]))
    return world.request("PUT", f"/fhir/{place}", who, content=dump_json(resource), headers=named)


def create(world: World, resource: Json, who: str = RUS, **headers: str) -> httpx.Response:
    """POST to its type."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    url = f"/fhir/{resource['resourceType']}"
    return world.request("POST", url, who, content=dump_json(resource), headers=named)


def post(world: World, bundle: Json, who: str = RUS, **headers: str) -> httpx.Response:
    """A transaction or batch."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return world.request("POST", "/fhir", who, content=dump_json(bundle), headers=named)


def transaction(*entries: Json, kind: str = "transaction") -> Json:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def posted(resource: Json, full_url: str = "", **request: str) -> Json:
    """An entry that creates."""
    line = {"method": "POST", "url": resource["resourceType"], **request}
    return ({"fullUrl": full_url} if full_url else {}) | {"resource": resource, "request": line}


def changed_in(resource: Json, match: str | None) -> Json:
    """An entry that updates."""
    line = {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"}
    if match is not None:
        line["ifMatch"] = f'W/"{match}"'
    return {"resource": resource, "request": line}


def asked(url: str) -> Json:
    """An entry that reads."""
    return {"request": {"method": "GET", "url": url}}


def plan_entries(body: bytes = PLAN_1, **changes: Any) -> list[Json]:
    """The published plan, every resource to be created; ``changes`` of its CarePlan."""
    bundle = parse_json(body)
    bundle["entry"][0]["resource"] |= changes
    return [posted(e["resource"], e["fullUrl"]) for e in bundle["entry"]]


def read(world: World, key: str, who: str = RUS) -> tuple[Json, str]:
    """The resource and its version."""
    answer = get(world, key, who)
    assert answer.status_code == 200, answer.text
    return parse_json(answer.content), answer.headers["ETag"].removeprefix('W/"')[:-1]


def one_of(world: World, query: str, who: str = RUS) -> Json:
    """The first of a search."""
    mark = "&" if "?" in query else "?"
    page = search(world, f"{query}{mark}_count=1", who)
    resource: Json = page["entry"][0]["resource"]
    return resource


def responses(answer: httpx.Response, kind: str = "transaction-response") -> list[Json]:
    """The entries of a response Bundle, legal R4."""
    bundle = found(answer)
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", kind)
    return list(bundle.get("entry", ()))


def statuses(entries: Iterable[Json]) -> list[str]:
    return [e["response"]["status"] for e in entries]


def places(answer: httpx.Response) -> list[str]:
    """Where the issues of a refusal are."""
    issues = answer.json()["issue"]
    return [p for i in issues for p in (i.get("expression") or i.get("location") or [])]


def text_of(answer: httpx.Response) -> str:
    return " ".join(i["details"]["text"] for i in answer.json()["issue"])


def versions(world: World, key: str, who: str = RUS) -> list[str]:
    """The version numbers of a resource's history, newest first."""
    bundle = found(get(world, f"{key}/_history?_count=200", who))
    return [e["resource"]["meta"]["versionId"] for e in bundle["entry"]]


def without_meta(resource: Mapping[str, Any]) -> Json:
    """What of it is not the server's."""
    meta = {
        k: v for k, v in resource.get("meta", {}).items() if k not in {"versionId", "lastUpdated"}
    }
    rest = {k: v for k, v in resource.items() if k != "meta"}
    return rest | ({"meta": meta} if meta else {})


def sorted_json(resource: Mapping[str, Any]) -> bytes:
    """The same bytes for the same content, numbers as they are written."""
    return json.dumps(parse_json(dump_json(resource)), sort_keys=True, default=str).encode()


__all__ = ["keys"]

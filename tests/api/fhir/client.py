"""A FHIR client as small as the tests need: bundles, links, searches by form."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import httpx

from tests.api.world import World, changed_plan
from tests.views import errors_in

Json = dict[str, Any]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def get(world: World, url: str, who: str, **headers: str) -> httpx.Response:
    """GET below the FHIR base; ``If_None_Match`` stands for that header."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return world.request("GET", f"/fhir/{url}", who, headers=named)


def found(answer: httpx.Response, status: int = 200) -> Json:
    """The resource of an answer, legal R4."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/fhir+json"
    resource: Json = answer.json()
    assert errors_in(resource) == []
    return resource


def search(world: World, query: str, who: str, **headers: str) -> Json:
    """The searchset of a search by address."""
    return bundle(get(world, query, who, **headers), "searchset")


def post_search(world: World, kind: str, form: Mapping[str, str], who: str) -> httpx.Response:
    """A search by form."""
    body = urlencode(form).encode()
    return world.request("POST", f"/fhir/{kind}/_search", who, content=body, headers=FORM)


def bundle(answer: httpx.Response, kind: str) -> Json:
    resource = found(answer)
    assert (resource["resourceType"], resource["type"]) == ("Bundle", kind)
    return resource


def keys(resource: Json, mode: str | None = None) -> list[str]:
    """``Type/id`` of the entries, in order; of one search mode."""
    return [
        f"{e['resource']['resourceType']}/{e['resource']['id']}"
        for e in resource.get("entry", ())
        if mode is None or e.get("search", {}).get("mode") == mode
    ]


def link(resource: Json, relation: str) -> str | None:
    """An address below the FHIR base, or None."""
    urls = [x["url"] for x in resource["link"] if x["relation"] == relation]
    assert len(urls) <= 1
    return urls[0].split("/fhir/", 1)[1] if urls else None


def pages(world: World, url: str, who: str, kind: str = "searchset") -> Iterator[Json]:
    """The first page and those its links lead to."""
    following: str | None = url
    for _ in range(500):
        assert following is not None
        page = bundle(get(world, following, who), kind)
        yield page
        following = link(page, "next")
        if following is None:
            return
    raise AssertionError("the pages have no end")


def publish(world: World, who: str, **changes: Any) -> None:
    """Another version of the shared part, a minute later."""
    world.clock.advance(minutes=1)
    answer = world.post("/documents/fhir", who, changed_plan(**changes))
    assert answer.status_code == 200, answer.text


def audited(world: World, action: str) -> list[tuple[str, str]]:
    """(party, object) of every audit row of that action, in order."""
    with world.hub.store.reading() as work:
        rows = work.journal.audit_of("")
    return [(r["party"], r["object"]) for r in rows if r["action"] == action]


def changed(body: bytes, **changes: Any) -> bytes:
    """A JSON resource with other members."""
    return json.dumps(json.loads(body) | changes).encode()

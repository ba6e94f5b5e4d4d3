"""A municipal order of full size (42 entries) through the real hub and back to its owner.

Its own content comes back as it was, the others' efforts are added "til orientering", and every
text of the plan that the municipality may see is either in the re-issue or named as a loss.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from adapters.vum import ADAPTER as ORDERS
from adapters.vum.urls import RELATED_PLAN_ID
from hub.contract import Adapter, Context, PlanUpdate, PlanView, RawMessage
from hub.fhir.bundles import reachable
from hub.model.party import Viewer
from hub.model.reduction import shareable
from hub.runtime.bootstrap import close
from hub.runtime.registry import Registry
from hub.services.queries import read_plan
from tests.api.world import (
    OPERATOR,
    ORDER,
    PSYK,
    RUS,
    SOCIAL,
    START,
    TREATMENT,
    World,
    founded,
)
from tests.views import check, errors_in, find_party, parties


@dataclass(frozen=True)
class Reissue:
    """What the municipality got, and all that is known of it."""

    world: World
    plan: str
    body: bytes
    view: PlanView
    losses: list[dict[str, str]]
    """Of this delivery."""

    @property
    def entries(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.body)["entry"]
        return found

    @property
    def added(self) -> list[dict[str, Any]]:
        """The hub's own entries; not the sector's."""
        return [e["resource"] for e in self.entries if _is_added(e["resource"])]


def _is_added(resource: Mapping[str, Any]) -> bool:
    return any(i.get("system") == RELATED_PLAN_ID for i in resource.get("identifier", ()))


@pytest.fixture(scope="module")
def reissue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reissue]:
    world = founded(tmp_path_factory.mktemp("full-order"))
    assert world.consent().status_code == 201
    assert world.post("/documents/vum", SOCIAL, ORDER).status_code == 202
    assert world.post("/documents/behandlingsplan", PSYK, TREATMENT).status_code == 202
    plan = world.publish_plan()
    world.work()
    (letter,) = world.letters(SOCIAL)
    got = world.get(f"/mailbox/{letter}", SOCIAL)
    assert got.headers["KI-Format"] == "vum"
    losses = world.get(f"/operations/losses?plan={plan}", OPERATOR).json()
    view = read_plan(world.hub, Viewer.of(parties()[SOCIAL]), plan)
    yield Reissue(world, plan, got.content, view, [x for x in losses if x["delivery"] == letter])
    close(world.hub)


def context(sender: str) -> Context:
    return Context(
        now=START, id_for=lambda key: f"id-{key}", find_party=find_party,
        sender=parties()[sender], base_url="https://hub.example/fhir",
        check=check,
    )  # fmt: skip


def parsed(adapter: Adapter, body: bytes, sender: str) -> PlanUpdate:
    media_type = adapter.media_types[0]
    message = RawMessage(parties()[sender], adapter.format, body, media_type, "m", START)
    found = adapter.parse(message, context(sender))
    assert isinstance(found, PlanUpdate)
    return found


# Its own content


def test_every_own_entry_comes_back_as_it_was(reissue: Reissue) -> None:
    own = json.loads(ORDER)["entry"]
    assert len(own) == 42
    back = {e["fullUrl"]: e["resource"] for e in reissue.entries}
    changed = [e["resource"] for e in own[1:] if back[e["fullUrl"]] != e["resource"]]
    (order,) = changed
    again = next(back[e["fullUrl"]] for e in own if e["resource"] is order)
    added = again["supportingInfo"][len(order.get("supportingInfo", ())) :]
    assert {k: v for k, v in again.items() if k != "supportingInfo"} == {
        k: v for k, v in order.items() if k != "supportingInfo"
    }
    assert all(_is_added(back[link["reference"]]) for link in added)
    kept = [e["fullUrl"] for e in reissue.entries if not _is_added(e["resource"])]
    assert kept[1:] == [e["fullUrl"] for e in own[1:]], "in the order's own order"


def test_the_order_reads_the_same_to_the_last_field(reissue: Reissue) -> None:
    def said(body: bytes) -> PlanUpdate:
        found = parsed(ORDERS, body, SOCIAL)
        return replace(
            found, claimed_sender=(), issues=(), losses=(), not_shared=(), said_of_others=()
        )

    assert said(reissue.body) == said(ORDER)
    assert errors_in(json.loads(reissue.body)) == []


def test_sent_back_by_its_owner_it_changes_nothing(reissue: Reissue) -> None:
    """The municipality's system keeps the added entries and sends under its own header."""
    before, back = json.loads(ORDER), json.loads(reissue.body)
    head = {**before["entry"][0]["resource"], "id": back["entry"][0]["resource"]["id"]}
    back["entry"][0] = {**back["entry"][0], "resource": head}
    answer = reissue.world.post("/documents/vum", SOCIAL, json.dumps(back).encode())
    assert answer.status_code == 200, answer.text
    assert "Nothing new" in answer.json()["issue"][0]["details"]["text"]


# What the others do


def test_the_others_plans_are_added_for_information(reissue: Reissue) -> None:
    titles = [r["title"] for r in reissue.added if r["resourceType"] == "CarePlan" and "title" in r]
    assert len(titles) == 2
    assert all(t.startswith("Til orientering") for t in titles)
    said = json.dumps(reissue.added, ensure_ascii=False)
    for unit in (RUS, PSYK):
        assert parties()[unit].name in said


def test_what_the_region_keeps_to_itself_is_nowhere(reissue: Reissue) -> None:
    update = parsed(Registry().adapter("behandlingsplan"), TREATMENT, PSYK)
    all_ = {f"{r['resourceType']}/{r['id']}": r for r in update.resources}
    open_, _ = shareable(all_, lambda _: False)
    shared = {text for r in open_.values() for _, text in texts(r)}
    kept = {t for r in all_.values() for _, t in texts(r)} - shared
    sentences = {t for t in kept if t.count(" ") >= 2}
    assert len(sentences) >= 3
    assert [t for t in sentences if t in carried(reissue)] == []
    efforts = [a["detail"]["description"] for a in next(iter(open_.values()))["activity"]]
    assert efforts
    assert [t for t in efforts if t not in carried(reissue)] == []


def carried(reissue: Reissue) -> str:
    """Everything the re-issue says besides the order's own entries."""
    return "\n".join(text for resource in reissue.added for _, text in texts(resource))


_NOT_WRITTEN = {"system", "url", "reference", "id", "profile", "code", "use", "resourceType",
                "versionId", "status", "intent", "valueCode", "lifecycleStatus"}  # fmt: skip


def texts(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Every text that a person wrote, with its place below."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in _NOT_WRITTEN or isinstance(item, dict):
                yield from texts(item, f"{place}.{key}")
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from texts(item, f"{place}[{i}]")
    elif isinstance(value, str):
        yield place, value


def test_every_text_is_carried_or_its_place_is_named(reissue: Reissue) -> None:
    """No silent loss: by resource, and in a plan by intervention or element."""
    told = {x["path"] for x in reissue.losses}
    said = carried(reissue)
    own = {f"CarePlan/{p.id}" for p in parts(reissue) if p.owner == SOCIAL}
    mine = reachable_only(reissue.view, own)
    silent = []
    for key, resource in reissue.view.resources.items():
        if key in mine:
            continue
        for place, text in texts(resource):
            if text not in said and not _named(told, key, place, resource):
                silent.append(f"{key}{place}")
    assert silent == []
    assert len(told) > 10


def _named(told: set[str], key: str, place: str, resource: Mapping[str, Any]) -> bool:
    """A loss names the resource, or in a plan the element or the intervention."""
    if resource["resourceType"] != "CarePlan":
        return any(p == key or p.startswith(f"{key}.") for p in told)
    top = place.lstrip(".").partition(".")[0]
    if top.startswith("activity["):
        activity = resource["activity"][int(top[9:-1])]
        return any(p.startswith(f"{key}#activity.{activity['id']}") for p in told)
    if top.startswith("extension["):
        name = resource["extension"][int(top[10:-1])]["url"].rpartition("/")[2]
        return bool(told & {f"{key}.extension({n})" for n in (name, name.removeprefix("ki-"))})
    return any(p.startswith(f"{key}.{top.partition('[')[0]}") for p in told)


def parts(reissue: Reissue) -> list[Any]:
    with reissue.world.hub.store.reading() as work:
        return list(work.plans.parts(reissue.plan))


def reachable_only(view: PlanView, own: set[str]) -> set[str]:
    """The owner's plan and what nobody else's plan leads to: the order itself says it."""
    others = [k for k in view.resources if k.startswith("CarePlan/") and k not in own]
    rest = {k: r for k, r in view.resources.items() if k not in own}
    return reachable(view.resources, list(own)) - reachable(rest, others)

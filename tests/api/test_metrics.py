"""What Prometheus reads: numbers of the store, and nobody's name."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families as families

from tests.api.world import OPERATOR, ORDER, RUS, SOCIAL, World, send


def samples(world: World) -> dict[str, dict[tuple[str, ...], float]]:
    text = world.get("/metrics", OPERATOR).text
    return {f.name: {tuple(s.labels.values()): s.value for s in f.samples} for f in families(text)}


def test_they_say_what_the_lists_say(world: World) -> None:
    empty: dict[str, dict[tuple[str, ...], float]] = {
        "ki_hub_deliveries": {}, "ki_hub_losses": {}, "ki_hub_open_tasks": {},
        "ki_hub_endpoints": {},
        "ki_hub_silent_receivers": {(): 0},
        "ki_hub_ready": {("broker",): 1, ("database",): 1},
    }  # fmt: skip
    assert samples(world) == empty
    world.consent()
    send(world, "vum", ORDER)
    plan = world.publish_plan()
    world.work()
    found = samples(world)
    states = [d["state"] for d in world.deliveries()]
    assert found["ki_hub_deliveries"] == {(s,): states.count(s) for s in set(states)}
    rows = world.get(f"/operations/losses?plan={plan}", OPERATOR).json()
    out = [r for r in rows if r["delivery"]]
    assert sum(n for (way, *_), n in found["ki_hub_losses"].items() if way == "out") == len(out)
    assert found["ki_hub_losses"]["in", "vum", "dropped"] > 0
    assert found["ki_hub_open_tasks"]["approve",] == 1


def test_only_the_operator_reads_them_and_they_name_nobody(world: World) -> None:
    world.consent()
    plan = world.publish_plan()
    world.work()
    assert world.get("/metrics").status_code == 401
    assert world.get("/metrics", RUS).status_code == 401
    text = world.get("/metrics", OPERATOR).text
    assert [word for word in (plan, SOCIAL, RUS, "0201609996") if word in text] == []

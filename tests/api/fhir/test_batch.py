"""POST of a batch: every entry by itself."""

from __future__ import annotations

from hub.fhir.codec import parse_json
from tests.api.fhir.client import search
from tests.api.fhir.writing import (
    asked,
    changed_in,
    one_of,
    post,
    posted,
    responses,
    statuses,
    transaction,
    versions,
)
from tests.api.papers import consent_of
from tests.api.world import RUS, World, problem


def goals(world: World) -> list[dict[str, object]]:
    plan = one_of(world, "CarePlan?identifier=RUS-2026-0001")
    wanted = {g["reference"] for g in plan["goal"]}
    entries = search(world, "Goal", RUS)["entry"]
    return [e["resource"] for e in entries if f"Goal/{e['resource']['id']}" in wanted]


def test_each_entry_is_answered_by_itself(planned: World) -> None:
    first, second, third = goals(planned)
    answer = post(
        planned,
        transaction(
            changed_in(first | {"description": {"text": "Nyt"}}, "1"),
            changed_in(second | {"description": {"text": "Nyt"}}, "9"),
            changed_in(third | {"lifecycleStatus": "maybe"}, "1"),
            changed_in(third, None),
            posted(third),
            posted(parse_json(consent_of("samtykke-2"))),
            asked(f"Goal/{first['id']}"),
            asked("Goal/x"),
            {"request": {"method": "DELETE", "url": f"Goal/{first['id']}"}},
            {"resource": third},
            kind="batch",
        ),
    )
    made = responses(answer, "batch-response")
    assert statuses(made) == [
        "200", "412", "422", "428", "422", "201", "200", "404", "422", "400",
    ]  # fmt: skip
    outcomes = [e["response"].get("outcome") for e in made]
    assert outcomes[2]["issue"][0]["expression"] == ["Goal.lifecycleStatus"]
    assert made[0]["resource"]["meta"]["versionId"] == "2"
    assert made[6]["resource"] == made[0]["resource"]
    assert made[5]["response"]["location"].endswith("/_history/1")


def test_each_entry_that_writes_is_kept(planned: World) -> None:
    kept = len(planned.kept())
    first, second, _ = goals(planned)
    entries = [changed_in(first, "1"), changed_in(second, "9"), asked("Goal")]
    post(planned, transaction(*entries, kind="batch"))
    assert len(planned.kept()) == kept + 2


def test_a_resend_gets_the_same_answers(planned: World) -> None:
    first, *_ = goals(planned)
    batch = transaction(changed_in(first | {"description": {"text": "Nyt"}}, "1"), kind="batch")
    before = post(planned, batch, Message_Id="b-1")
    again = post(planned, batch, Message_Id="b-1")
    assert again.content == before.content
    assert versions(planned, f"Goal/{first['id']}") == ["2", "1"]


def test_what_is_no_batch(world: World) -> None:
    problem(world.request("POST", "/fhir", RUS, content=b'{"resourceType":"Bundle","type":"batch",'
                          b'"entry":7}'), 400)  # fmt: skip
    problem(post(world, transaction(*[asked("Goal")] * 1001, kind="batch")), 413)
    with_slash = b'{"resourceType":"Bundle","type":"batch"}'
    assert world.request("POST", "/fhir/", RUS, content=with_slash).status_code == 200
    empty = responses(post(world, {"resourceType": "Bundle", "type": "batch"}), "batch-response")
    assert empty == []
